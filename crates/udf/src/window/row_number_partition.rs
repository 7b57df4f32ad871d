//! `row_number_partition`: the number of a row within its partition.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, UInt64Array};
use arrow::compute::SortOptions;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion_common::{Result, ScalarValue};
use datafusion_expr::function::{PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion_expr::{Documentation, PartitionEvaluator, Signature, Volatility, WindowUDFImpl};

use crate::platform::Example;
use crate::{Docs, Entry};

/// The line of the manifest.
pub(crate) fn entry() -> Entry {
    Entry::window(RowNumberPartition::new(), 1, DOCS)
}

const DOCS: Docs = Docs {
    section: "window",
    summary: "The number of a row within its partition, from 1.",
    syntax: "row_number_partition() OVER (PARTITION BY ... ORDER BY ...)",
    arguments: &[],
    returns: "A UInt64, never null.",
    notes: &[
        "Rows are numbered in the order of the window. Rows that its `ORDER BY` leaves equal are numbered \
         in any order: add a column that tells them apart. The frame of the window has no effect.",
    ],
    examples: &[Example {
        sql: "select k, v, row_number_partition() over (partition by k order by v desc) as n \
              from (values ('a', 1), ('a', 2), ('b', 3)) as t(k, v) order by k, n",
        rows: &["a | 2 | 1", "a | 1 | 2", "b | 3 | 1"],
    }],
};

#[derive(Debug, PartialEq, Eq, Hash)]
struct RowNumberPartition {
    signature: Signature,
}

impl RowNumberPartition {
    fn new() -> Self {
        Self {
            signature: Signature::nullary(Volatility::Immutable),
        }
    }
}

impl WindowUDFImpl for RowNumberPartition {
    fn name(&self) -> &'static str {
        "row_number_partition"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn partition_evaluator(
        &self,
        _args: PartitionEvaluatorArgs,
    ) -> Result<Box<dyn PartitionEvaluator>> {
        Ok(Box::new(Numbers { last: 0 }))
    }

    fn field(&self, args: WindowUDFFieldArgs) -> Result<FieldRef> {
        Ok(Arc::new(Field::new(args.name(), DataType::UInt64, false)))
    }

    fn sort_options(&self) -> Option<SortOptions> {
        Some(SortOptions {
            descending: false,
            nulls_first: false,
        })
    }

    fn documentation(&self) -> Option<&Documentation> {
        crate::documentation!(DOCS)
    }
}

#[derive(Debug)]
struct Numbers {
    last: u64,
}

impl PartitionEvaluator for Numbers {
    /// A number needs no row behind it.
    fn is_causal(&self) -> bool {
        true
    }

    fn supports_bounded_execution(&self) -> bool {
        true
    }

    fn evaluate_all(&mut self, _values: &[ArrayRef], num_rows: usize) -> Result<ArrayRef> {
        let numbers = UInt64Array::from_iter_values(1..=num_rows as u64);
        Ok(Arc::new(numbers))
    }

    fn evaluate(&mut self, _values: &[ArrayRef], _range: &Range<usize>) -> Result<ScalarValue> {
        self.last += 1;
        Ok(ScalarValue::UInt64(Some(self.last)))
    }
}
