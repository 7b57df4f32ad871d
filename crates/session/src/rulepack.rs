//! The rules that a session plans with, by name and place.

use std::fmt;

use datafusion::execution::context::SessionState;
use serde::{Deserialize, Serialize};

/// The phase in which a rule runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleStage {
    /// Resolves and types a logical plan.
    Analyzer,
    /// Rewrites a logical plan.
    Optimizer,
    /// Rewrites a physical plan.
    Physical,
}

/// One rule of a session. A name may occur more than once in a stage, so its index is part of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RuleId {
    /// The phase in which it runs.
    pub stage: RuleStage,
    /// Its place among the rules of its stage, from 0.
    pub index: usize,
    /// Its name.
    pub name: String,
}

/// All rules of `state`, in the order in which they run.
pub(crate) fn rules_of(state: &SessionState) -> Vec<RuleId> {
    let analyzer = state.analyzer().rules.iter().map(|rule| rule.name());
    let optimizer = state.optimizers().iter().map(|rule| rule.name());
    let physical = state.physical_optimizers().iter().map(|rule| rule.name());
    numbered(RuleStage::Analyzer, analyzer)
        .chain(numbered(RuleStage::Optimizer, optimizer))
        .chain(numbered(RuleStage::Physical, physical))
        .collect()
}

fn numbered<'a>(
    stage: RuleStage,
    names: impl Iterator<Item = &'a str>,
) -> impl Iterator<Item = RuleId> {
    names.enumerate().map(move |(index, name)| RuleId {
        stage,
        index,
        name: name.to_owned(),
    })
}

impl fmt::Display for RuleStage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Analyzer => "analyzer",
            Self::Optimizer => "optimizer",
            Self::Physical => "physical",
        })
    }
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}] {}", self.stage, self.index, self.name)
    }
}
