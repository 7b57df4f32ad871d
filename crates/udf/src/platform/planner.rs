//! Expression planners and rewrite rules that have a name.

use std::fmt;
use std::sync::Arc;

use codeanatomy_vocab::{Encoder, Fingerprint};
use datafusion_expr::expr_rewriter::FunctionRewrite;
use datafusion_expr::planner::ExprPlanner;

/// Something that takes part in planning, under a name that plans can ask for: a rewrite tag.
///
/// The version is raised whenever any expression is planned to another one.
#[derive(Clone)]
pub struct Rewrite {
    tag: &'static str,
    version: u32,
    summary: &'static str,
    rule: Rule,
}

/// How it takes part.
#[derive(Clone)]
pub(crate) enum Rule {
    /// While text becomes a plan: operators, access to fields.
    Planner(Arc<dyn ExprPlanner>),
    /// While a plan is analysed, on every expression.
    Function(Arc<dyn FunctionRewrite + Send + Sync>),
}

impl Rewrite {
    /// A planner of operators, literals and access to fields.
    pub fn planner(
        tag: &'static str,
        version: u32,
        summary: &'static str,
        planner: Arc<dyn ExprPlanner>,
    ) -> Self {
        Self {
            tag,
            version,
            summary,
            rule: Rule::Planner(planner),
        }
    }

    /// A rule that rewrites expressions of analysed plans.
    pub fn function(
        tag: &'static str,
        version: u32,
        summary: &'static str,
        rule: Arc<dyn FunctionRewrite + Send + Sync>,
    ) -> Self {
        Self {
            tag,
            version,
            summary,
            rule: Rule::Function(rule),
        }
    }

    /// Its name.
    pub fn tag(&self) -> &'static str {
        self.tag
    }

    /// The version of what it does.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// What it does, in one sentence.
    pub fn summary(&self) -> &'static str {
        self.summary
    }

    /// What stands for it in identities.
    pub fn digest(&self) -> Fingerprint {
        let mut encoder = Encoder::new("codeanatomy.udf.rewrite", 1);
        encoder.str(self.tag);
        encoder.u32(self.version);
        encoder.finish()
    }

    #[cfg(feature = "session")]
    pub(crate) fn rule(&self) -> &Rule {
        &self.rule
    }

    /// Whether it is one of the planners that options can name.
    pub fn is_planner(&self) -> bool {
        match &self.rule {
            Rule::Planner(_) => true,
            Rule::Function(_) => false,
        }
    }
}

impl fmt::Debug for Rewrite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} v{}", self.tag, self.version)
    }
}
