//! The canonical plan digest.

use std::collections::BTreeSet;

use codeanatomy_schema::encode_schema;
use codeanatomy_vocab::{Encoder, Fingerprint, Result};
use datafusion_expr::LogicalPlan;

use crate::canonical;

/// The version of the canonical encoding and of the keys made from it.
///
/// A change that gives any plan another digest has another version, whatever the reason. The
/// digests of released versions are kept as fixtures of the tests.
pub const FINGERPRINT_FORMAT: u32 = 2;

/// The digest of a plan, and what its walk found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanDigest {
    /// Lossless for meaning, blind to spelling. Covers the names, types, nullability and metadata
    /// of the output.
    pub digest: Fingerprint,
    /// Names of nodes whose inside the engine does not show: extension nodes, calls of table
    /// functions (as `name()`) and tables without a name. Sorted, each once.
    pub opaque: Vec<String>,
    /// What makes two runs over the same inputs differ: volatile functions, stable functions that
    /// the optimizer did not replace by their value, session variables, and opaque tables. Sorted,
    /// each once. A plan where this is not empty must not be reused.
    pub volatile: Vec<String>,
    /// The tables that the plan reads, by the text of their reference. Opaque tables and the work
    /// tables of recursive queries are not among them.
    pub tables: BTreeSet<String>,
    /// The functions of every kind that the plan calls, by name.
    pub functions: BTreeSet<String>,
}

/// Digests a plan.
///
/// Meant for the optimized plan: an analysed one has a digest too, but two spellings of one query
/// meet only after the optimizer's work. Takes time linear in the size of the plan, visits a shared
/// subtree once, and does not overflow the stack on a deep plan.
///
/// A table is its reference and the fields that the plan reads. Whose rows they are is not in the
/// digest: a [`PlanBundle`](crate::PlanBundle) adds that.
///
/// # Errors
///
/// [`CA-PLAN-0001`](crate::codes::NOT_A_QUERY) for a statement that is no query, and
/// [`CA-PLAN-0002`](crate::codes::UNRESOLVED) for a plan with a reference that does not resolve in
/// it: one that was not analysed.
pub fn plan_digest(plan: &LogicalPlan) -> Result<PlanDigest> {
    let (root, found) = canonical::walk(plan)?;
    let mut encoder = Encoder::new("codeanatomy.plan", FINGERPRINT_FORMAT);
    encoder.fingerprint(&root.digest);
    encode_schema(&mut encoder, root.schema.as_arrow());
    Ok(PlanDigest {
        digest: encoder.finish(),
        opaque: found.opaque.into_iter().collect(),
        volatile: found.volatile.into_iter().collect(),
        tables: found.tables.into_keys().collect(),
        functions: found.functions,
    })
}
