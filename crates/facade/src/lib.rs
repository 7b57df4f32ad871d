//! CodeAnatomy: reproducible query pipelines on Apache DataFusion and Delta Lake.
//!
//! A project is a folder of plain SQL views over Delta, Parquet, CSV or JSON data. The engine plans
//! the views, infers their graph from the plans, pins every input, gives each view a fingerprint,
//! builds what changed, skips what provably did not, and records why.
//!
//! This crate is the map of the API and the wiring of a whole pipeline; each layer is a crate of
//! its own and can be used alone. A pipeline goes through four states, each a type:
//! [`Configured`] -> [`Pinned`] -> [`Planned`] -> [`Ran`].
//!
//! # Example: how is a project built from a program?
//!
//! ```
//! use std::sync::Arc;
//! use codeanatomy::{BuildOptions, CancellationToken, Configured, Overrides};
//! use codeanatomy::obs::NoObserver;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let root = folder.path();
//! # std::fs::create_dir_all(root.join("views"))?;
//! std::fs::write(root.join("codeanatomy.toml"), "[datasets.orders]\nlocation = 'orders.csv'\n")?;
//! std::fs::write(root.join("orders.csv"), "region,price\nnorth,7\nsouth,5\nnorth,1\n")?;
//! std::fs::write(
//!     root.join("views/by_region.sql"),
//!     "select region, sum(price) as total from orders group by region",
//! )?;
//! std::fs::write(root.join("views/by_region.toml"), "cache = 'delta_output'\n")?;
//!
//! let runtime = tokio::runtime::Runtime::new()?;
//! let report = runtime.block_on(async {
//!     let observer = Arc::new(NoObserver);
//!     let configured = Configured::load(root, Overrides::default())?;
//!     let pinned = configured.pin(&[], observer.clone()).await?;
//!     let planned = pinned.plan(observer.clone()).await?;
//!     let options = BuildOptions::default();
//!     let ran = planned.build(options, observer, CancellationToken::new()).await?;
//!     Ok::<_, codeanatomy::vocab::Errors>(ran.into_report())
//! })?;
//! assert_eq!(report.views[0].rows, Some(2));
//! assert!(root.join("out/by_region/_delta_log").is_dir());
//! # Ok(())
//! # }
//! ```

// The pipeline.
mod configure;
mod contracts;
mod functions;
mod openlineage;
mod past;
mod pipeline;

// Tables, one at a time.
mod changes;
mod tables;

pub use self::changes::{Change, ChangeCounts, Changes, read_changes};
pub use self::configure::{Configured, Overrides};
pub use self::functions::default_functions;
pub use self::past::{PastRuns, ReplayOptions, ReplayReport, RunDiff, ViewDiff};
pub use self::pipeline::{BuildOptions, ExplainKind, Pinned, Planned, Ran};
pub use self::tables::{TableRef, Tables, codes};
pub use tokio_util::sync::CancellationToken;

// The layers, in dependency order.
pub use codeanatomy_delta as delta;
pub use codeanatomy_exec as exec;
pub use codeanatomy_lineage as lineage;
pub use codeanatomy_obs as obs;
pub use codeanatomy_plan as plan;
pub use codeanatomy_project as project;
pub use codeanatomy_schema as schema;
pub use codeanatomy_session as session;
pub use codeanatomy_udf as udf;
pub use codeanatomy_views as views;
pub use codeanatomy_vocab as vocab;
