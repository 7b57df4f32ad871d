//! `lead_partition`: the value of a row further down in the partition.

use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::Result;
use datafusion_expr::function::{PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion_expr::{Documentation, PartitionEvaluator, Signature, Volatility, WindowUDFImpl};

use super::shift::{Direction, NOTES, arguments, evaluator, result_field};
use crate::platform::Example;
use crate::{Docs, Entry};

/// The line of the manifest.
pub(crate) fn entry() -> Entry {
    Entry::window(LeadPartition::new(), 1, DOCS)
}

const DOCS: Docs = Docs {
    section: "window",
    summary: "The value of a row a number of rows after, within the partition.",
    syntax: "lead_partition(value[, offset[, default]]) [IGNORE NULLS] OVER (PARTITION BY ... ORDER BY ...)",
    arguments: &[
        ("value", "a value of any type."),
        (
            "offset",
            "how many rows after; a constant integer, 1 by default.",
        ),
        (
            "default",
            "a constant that stands where there is no such row; null by default.",
        ),
    ],
    returns: "A value of the type of the first argument; null where there is no such row and no default, \
              and where its value is null.",
    notes: NOTES,
    examples: &[Example {
        sql: "select v, lead_partition(v) over (order by v) as p, lead_partition(v, 2, 0) over (order by v) as q \
                  from (values (1), (2), (3)) as t(v) order by v",
        rows: &["1 | 2 | 3", "2 | 3 | 0", "3 | NULL | 0"],
    }],
};

#[derive(Debug, PartialEq, Eq, Hash)]
struct LeadPartition {
    signature: Signature,
}

impl LeadPartition {
    fn new() -> Self {
        Self {
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

impl WindowUDFImpl for LeadPartition {
    fn name(&self) -> &'static str {
        "lead_partition"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        arguments(self.name(), arg_types)
    }

    fn partition_evaluator(
        &self,
        args: PartitionEvaluatorArgs,
    ) -> Result<Box<dyn PartitionEvaluator>> {
        evaluator(self.name(), Direction::Lead, &args)
    }

    fn field(&self, args: WindowUDFFieldArgs) -> Result<FieldRef> {
        result_field(self.name(), &args)
    }

    fn documentation(&self) -> Option<&Documentation> {
        crate::documentation!(DOCS)
    }
}
