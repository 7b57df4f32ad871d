//! Rules that somebody gave a table, and that every row of it has to keep.

use std::sync::Arc;

use arrow::array::{AsArray, BooleanArray, RecordBatch};
use arrow_schema::{DataType, SchemaRef};
use codeanatomy_vocab::{Error, Result};
use datafusion_common::DFSchema;
use datafusion_common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion_expr::{Expr, Operator};
use datafusion_physical_expr::PhysicalExpr;
use deltalake_core::delta_datafusion::create_session;
use deltalake_core::delta_datafusion::expr::parse_predicate_expression;
use deltalake_core::kernel::Metadata;

use crate::error::{Chain, internal};
use crate::{TableLocation, codes};

/// What the name of a property is that holds a rule.
const PREFIX: &str = "delta.constraints.";

/// Functions that all engines compute alike.
const FUNCTIONS: [&str; 3] = ["character_length", "coalesce", "octet_length"];

/// The CHECK constraints of a table, ready to be held against its rows.
///
/// By the Delta protocol a row keeps a constraint when the condition is true of it; one of which it
/// is null does not.
#[derive(Debug, Default)]
pub(super) struct Rules(Vec<Rule>);

#[derive(Debug)]
struct Rule {
    name: String,
    text: String,
    condition: Arc<dyn PhysicalExpr>,
}

impl Rules {
    /// Reads the rules of a table, for rows with these columns.
    ///
    /// # Errors
    ///
    /// [`CA-DELTA-0019`](codes::UNSUPPORTED_OUTPUT) for a condition that does not fit the columns, or
    /// that engines do not agree about.
    pub(super) fn read(
        metadata: &Metadata,
        columns: &SchemaRef,
        location: &TableLocation,
    ) -> Result<Self> {
        let mut rules: Vec<(&str, &str)> = metadata
            .configuration()
            .iter()
            .filter_map(|(key, text)| Some((key.strip_prefix(PREFIX)?, text.as_str())))
            .collect();
        if rules.is_empty() {
            return Ok(Self::default());
        }
        rules.sort_unstable();
        let schema = DFSchema::try_from(columns.as_ref().clone())
            .map_err(|error| internal("naming the columns of a table", error))?;
        let session = create_session().state();
        let rule = |(name, text): (&str, &str)| {
            let refused = |why: String| {
                Error::new(
                    codes::UNSUPPORTED_OUTPUT,
                    format!("the constraint `{name}` of the table at {location} cannot be checked: {why}"),
                )
                .with("constraint", text)
                .with_help(
                    "change the constraint or the view's columns, or drop the constraint from the table",
                )
            };
            let condition =
                parse_predicate_expression(&schema, text, &session).map_err(|error| {
                    refused("it does not fit the view's columns".to_owned())
                        .with_source(Chain::from(error))
                })?;
            if let Some(part) = disputed(&condition) {
                return Err(refused(format!("engines do not agree about `{part}`")));
            }
            let condition = session
                .create_physical_expr(condition, &schema)
                .and_then(|condition| match condition.data_type(columns)? {
                    DataType::Boolean => Ok(condition),
                    other => datafusion_common::plan_err!("it is of type {other}"),
                })
                .map_err(|error| {
                    refused("it is no condition over the view's columns".to_owned())
                        .with_source(error)
                })?;
            Ok(Rule {
                name: name.to_owned(),
                text: text.to_owned(),
                condition,
            })
        };
        rules.into_iter().map(rule).collect::<Result<_>>().map(Self)
    }

    /// Refuses rows that break a rule.
    ///
    /// # Errors
    ///
    /// [`CA-DELTA-0038`](codes::CONSTRAINT_BROKEN), with the rule and the number of rows of the batch
    /// that break it.
    pub(super) fn check(&self, batch: &RecordBatch) -> Result<()> {
        for rule in &self.0 {
            let kept = rule
                .condition
                .evaluate(batch)
                .and_then(|kept| kept.into_array(batch.num_rows()))
                .map_err(|error| internal("holding a constraint against rows", error))?;
            let n_kept = kept.as_boolean_opt().map_or(0, BooleanArray::true_count);
            if n_kept < batch.num_rows() {
                let n_broken = batch.num_rows() - n_kept;
                let rows = if n_broken == 1 {
                    "row breaks"
                } else {
                    "rows break"
                };
                return Err(Error::new(
                    codes::CONSTRAINT_BROKEN,
                    format!("{n_broken} {rows} the table's constraint `{}`", rule.name),
                )
                .with("constraint", &rule.text)
                .with_help(
                    "correct or filter the rows in the view, or drop the constraint from the table",
                ));
            }
        }
        Ok(())
    }
}

/// The first part of a condition that another engine may compute differently: arithmetic, for one,
/// which divides whole numbers here and overflows elsewhere with an error.
fn disputed(condition: &Expr) -> Option<String> {
    let mut found = None;
    let walked = condition.apply(|part| {
        let agreed = match part {
            Expr::Column(_)
            | Expr::Literal(..)
            | Expr::Not(_)
            | Expr::IsNull(_)
            | Expr::IsNotNull(_)
            | Expr::IsTrue(_)
            | Expr::IsNotTrue(_)
            | Expr::IsFalse(_)
            | Expr::IsNotFalse(_)
            | Expr::IsUnknown(_)
            | Expr::IsNotUnknown(_)
            | Expr::Between(_)
            | Expr::InList(_) => true,
            Expr::Negative(value) => matches!(value.as_ref(), Expr::Literal(..)),
            Expr::BinaryExpr(binary) => matches!(
                binary.op,
                Operator::And
                    | Operator::Or
                    | Operator::Eq
                    | Operator::NotEq
                    | Operator::Lt
                    | Operator::LtEq
                    | Operator::Gt
                    | Operator::GtEq
                    | Operator::IsDistinctFrom
                    | Operator::IsNotDistinctFrom
            ),
            Expr::ScalarFunction(call) => FUNCTIONS.contains(&call.name()),
            _ => false,
        };
        if agreed {
            return Ok(TreeNodeRecursion::Continue);
        }
        found = Some(part.to_string());
        Ok(TreeNodeRecursion::Stop)
    });
    match walked {
        Ok(_) => found,
        Err(error) => Some(error.to_string()),
    }
}
