//! What planning takes in, as values.

use std::collections::{BTreeMap, BTreeSet};

use codeanatomy_plan::{IdentityInputs, InputIdentity};
use codeanatomy_session::{RuntimeProfile, Session};
use codeanatomy_udf::factory::Macros;
use codeanatomy_udf::snapshot;
use codeanatomy_views::Dialect;
use codeanatomy_vocab::{Fingerprint, UnixMillis};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::logical_expr::Expr;

/// A dataset as planning sees it: columns and identity, no data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableInput {
    /// The schema that views see.
    pub schema: SchemaRef,
    /// The schema that scans return: the same, but for the types of columns that are read as others.
    pub stored: SchemaRef,
    /// What the dataset adds to the identity of a view that reads it. Its footprint is that of the
    /// whole dataset; what scans read of it is found while views are planned.
    pub identity: InputIdentity,
    /// Conditions that every row of the dataset fulfils, as a view sees it: over unqualified
    /// columns, with types that fit.
    pub filters: Vec<Expr>,
    /// The column, if any, that holds the path of each row's file.
    pub file_column: Option<String>,
}

/// What every view of a run is planned in.
///
/// All of it is told and none looked up, so that a recorded environment can be put in the place of
/// the present one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// The engine's version.
    pub engine_version: String,
    /// The rules of the session, in order.
    pub rulepack: Vec<String>,
    /// The digest of all functions of the session.
    pub function_registry: Fingerprint,
    /// Implementation digests of functions that are not the engine's own, by name.
    pub functions: BTreeMap<String, Fingerprint>,
    /// The digest of all functions and rewrites of the session.
    pub udf_snapshot: Option<Fingerprint>,
    /// The rewrites that functions need, by the function's name.
    pub rewrite_tags: BTreeMap<String, BTreeSet<String>>,
    /// Digests of the rewrites that take part in planning, by tag.
    pub rewrites: BTreeMap<String, Fingerprint>,
    /// The SQL macros that views may call. Their bodies are in the plans, so nothing else of them is
    /// in an identity.
    pub macros: Macros,
}

impl Environment {
    /// The environment that `session` is.
    pub fn of(session: &Session) -> Self {
        let snapshot = snapshot(&session.state());
        let rewrites = snapshot.rewrites.iter();
        Self {
            engine_version: Session::engine_version().to_owned(),
            rulepack: session.rulepack().iter().map(ToString::to_string).collect(),
            function_registry: session.function_registry(),
            functions: snapshot.implementation_digests(),
            udf_snapshot: Some(snapshot.hash),
            rewrite_tags: snapshot.rewrite_tags(),
            rewrites: rewrites
                .map(|rewrite| (rewrite.tag.clone(), rewrite.digest))
                .collect(),
            macros: Macros::default(),
        }
    }

    /// The environment with SQL macros, planned for the same session.
    #[must_use]
    pub fn with_macros(mut self, macros: Macros) -> Self {
        self.macros = macros;
        self
    }

    /// The part of the views' identities that is the same for all of them.
    pub(crate) fn identity(
        &self,
        profile: &RuntimeProfile,
        run_time: UnixMillis,
    ) -> IdentityInputs {
        IdentityInputs {
            engine_version: self.engine_version.clone(),
            planning_env: BTreeMap::from([(
                "preset".to_owned(),
                profile.base_preset().to_string(),
            )]),
            semantic_settings: profile.semantic_settings(),
            identity_settings: profile.identity_settings(),
            rulepack: self.rulepack.clone(),
            run_time_unix_ms: Some(run_time.0),
            function_registry: Some(self.function_registry),
            functions: self.functions.clone(),
            udf_snapshot: self.udf_snapshot,
            rewrite_tags: self.rewrite_tags.clone(),
            rewrites: self.rewrites.clone(),
            ..IdentityInputs::default()
        }
    }
}

/// The SQL dialect that a profile asks for.
pub fn sql_dialect(profile: &RuntimeProfile) -> Dialect {
    // The session refuses a dialect that the engine does not know, so the text is always one.
    let setting = profile.setting("datafusion.sql_parser.dialect");
    setting
        .ok()
        .and_then(|setting| setting.value.parse().ok())
        .unwrap_or_default()
}
