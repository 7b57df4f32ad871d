//! The identities that a plan bundle is made from, as values that others obtained.

use std::collections::{BTreeMap, BTreeSet};

use codeanatomy_vocab::Fingerprint;

/// Everything that a result depends on besides the plan.
///
/// Names in maps are sorted, so the order in which somebody registered or set a thing cannot reach
/// a key. Fields that stay at their default put nothing into a key.
///
/// # Example: what does a bundle over one dataset need?
///
/// ```
/// use std::collections::BTreeMap;
///
/// use codeanatomy_plan::{IdentityInputs, InputIdentity, InputKind};
/// use codeanatomy_vocab::Fingerprint;
///
/// let orders = InputIdentity {
///     kind: InputKind::Dataset,
///     identity: Fingerprint::from_bytes([1; 32]),
///     footprint: Fingerprint::from_bytes([2; 32]),
///     schema: Fingerprint::from_bytes([3; 32]),
///     store_policy: None,
///     detail: "delta version 12".to_owned(),
/// };
/// let inputs = IdentityInputs {
///     engine_version: "55.2.0".to_owned(),
///     inputs: BTreeMap::from([("orders".to_owned(), orders)]),
///     ..IdentityInputs::default()
/// };
/// assert!(inputs.rulepack.is_empty());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IdentityInputs {
    /// The version of the engine that plans and runs. In both keys: a new engine may compute other
    /// rows.
    pub engine_version: String,
    /// What else planned: the versions of the other crates, the profile. In the plan fingerprint.
    pub planning_env: BTreeMap<String, String>,
    /// Settings that can change a row, such as the time zone. In both keys.
    pub semantic_settings: BTreeMap<String, String>,
    /// Settings that can change a plan but no row. In the plan fingerprint.
    pub identity_settings: BTreeMap<String, String>,
    /// Settings that change neither. Recorded, and in no key.
    pub performance_settings: BTreeMap<String, String>,
    /// Analyzer, optimizer and physical rules by name, in the order in which they run. In the plan
    /// fingerprint.
    pub rulepack: Vec<String>,
    /// The parameters that the query uses, by name without the `$`, as text. In both keys.
    pub parameters: BTreeMap<String, String>,
    /// The time of the run, in milliseconds since 1970 in UTC. In both keys of a plan that asks
    /// for the time.
    pub run_time_unix_ms: Option<i64>,
    /// All functions of the session, called or not. In the plan fingerprint.
    pub function_registry: Option<Fingerprint>,
    /// Implementation digests of functions, by name. Those that the plan calls are in both keys;
    /// a function without an entry is the engine's own and comes with its version.
    pub functions: BTreeMap<String, Fingerprint>,
    /// All functions and rewrites of the session with their documentation left out. In the plan
    /// fingerprint.
    pub udf_snapshot: Option<Fingerprint>,
    /// The rewrites that functions need, by the function's name.
    pub rewrite_tags: BTreeMap<String, BTreeSet<String>>,
    /// The rewrites that made this plan from its text.
    pub planned_with: BTreeSet<String>,
    /// Digests of the session's rewrites, by tag. Those that the plan needs are in both keys.
    pub rewrites: BTreeMap<String, Fingerprint>,
    /// The contract of the output.
    pub contract: Option<ContractIdentity>,
    /// Every table that the plan may read, by the text of its reference in the plan. Those that it
    /// does read are in both keys.
    pub inputs: BTreeMap<String, InputIdentity>,
    /// Tables that the plan reads only through others, whose plans are put in its place when it
    /// runs. Their footprints are in both keys; all else about them is in the identity of those
    /// others.
    pub through: BTreeMap<String, InputIdentity>,
}

/// What a table of the plan stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputIdentity {
    /// A dataset or an upstream view.
    pub kind: InputKind,
    /// Which one exactly: the pinned version, or the upstream view's plan fingerprint. In the plan
    /// fingerprint.
    pub identity: Fingerprint,
    /// Which rows: the data footprint, or the upstream view's result key. In both keys.
    pub footprint: Fingerprint,
    /// All columns that the table has, also those that the plan does not read. In the plan
    /// fingerprint.
    pub schema: Fingerprint,
    /// How the table's store is reached, without its secrets. In the plan fingerprint.
    pub store_policy: Option<Fingerprint>,
    /// The same for people, for example `delta version 12`.
    pub detail: String,
}

/// What kind of thing a table of the plan is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum InputKind {
    /// A dataset of the project.
    Dataset,
    /// Another view of the project.
    View,
}

/// The contract of an output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContractIdentity {
    /// The digest of the contract.
    pub hash: Fingerprint,
    /// Whether it filters or converts rows. Then it is in both keys, else in the plan fingerprint.
    pub alters_rows: bool,
    /// The same for people.
    pub detail: String,
}

impl InputKind {
    /// The kind in one lower-case word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dataset => "dataset",
            Self::View => "view",
        }
    }
}
