//! What a plan is, told by a digest: canonical plan digests, plan bundles and their keys.
//!
//! Two plans that differ in spelling alone have one digest; two plans that may give different rows
//! never have. The digest is taken over the optimized logical plan of a view, made against the
//! schemas of its datasets and upstream views, and does not depend on the process, the machine or
//! what else was planned before. `docs/specs/fingerprint.md` is the normative description.
//!
//! A [`PlanBundle`] joins the digest with the identities of everything else that a result depends
//! on, and makes two keys of them: the `plan_fingerprint` (is this the same plan, in the same
//! environment, on the same inputs?) and the `result_key` (could the rows differ?).
//!
//! This crate takes identities as values. It opens nothing, resolves nothing and runs nothing.
//!
//! # Features
//!
//! `forms` adds the making and decoding of the forms of a plan, and with it the whole engine.
//!
//! # Example: does the name of a table alias change a plan?
//!
//! ```
//! use codeanatomy_plan::plan_digest;
//! use datafusion_expr::logical_plan::table_scan;
//! use datafusion_expr::{LogicalPlan, col, lit};
//! # use datafusion_common::arrow::datatypes::{DataType, Field, Schema};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let schema = Schema::new(vec![Field::new("price", DataType::Int64, false)]);
//! let expensive = |alias: &str, limit: i64| -> datafusion_common::Result<LogicalPlan> {
//!     table_scan(Some("orders"), &schema, None)?
//!         .alias(alias)?
//!         .filter(col("price").gt(lit(limit)))?
//!         .build()
//! };
//! let digest = |plan: &LogicalPlan| plan_digest(plan).map(|digest| digest.digest);
//! assert_eq!(digest(&expensive("a", 10)?)?, digest(&expensive("b", 10)?)?);
//! assert_ne!(digest(&expensive("a", 10)?)?, digest(&expensive("a", 11)?)?);
//! # Ok(())
//! # }
//! ```

// The digest of a plan.
mod canonical;
mod digest;

// What else a result depends on, and the keys.
mod bundle;
mod component;
mod inputs;

// What can be said about a plan without running it.
mod determinism;
mod display;
mod functions;

// What is kept of a bundle.
mod artifact;
pub mod forms;

mod error;

pub use self::artifact::{
    ARTIFACT_FORMAT, ComponentArtifact, DeltaInput, DeterminismArtifact, FieldArtifact,
    PlanBundleArtifact, PlanDetails,
};
pub use self::bundle::PlanBundle;
pub use self::component::{Component, ComponentClass};
pub use self::determinism::{Determinism, determinism};
pub use self::digest::{FINGERPRINT_FORMAT, PlanDigest, plan_digest};
pub use self::display::{plan_dot, plan_text};
pub use self::error::codes;
pub use self::functions::required_functions;
pub use self::inputs::{ContractIdentity, IdentityInputs, InputIdentity, InputKind};
