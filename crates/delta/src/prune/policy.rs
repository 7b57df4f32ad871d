//! Pruning that a person asks for, beside what the query says.

use std::ops::Not;

use arrow_schema::{Field, Schema};
use codeanatomy_vocab::{Error, Errors, Result, nearest};
use datafusion_common::{Column, ScalarValue};
use datafusion_expr::utils::disjunction;
use datafusion_expr::{BinaryExpr, Expr, Operator};
use serde::{Deserialize, Serialize};

use crate::codes;
use crate::values::partition_value;

/// Filters on partition values and on statistics, all of which must hold.
///
/// As a choice of files a policy depends on how the rows happen to lie in files. Who wants the
/// same rows after a compaction puts [`filters`](Self::filters) over the scan too.
///
/// # Example: how is a policy written?
///
/// ```
/// use codeanatomy_delta::PruningPolicy;
///
/// let policy: PruningPolicy = serde_json::from_str(
///     r#"{
///         "partition_filters": [{"column": "region", "op": "in", "values": ["eu", null]}],
///         "statistics_filters": [{"column": "day", "op": ">=", "value": "2026-01-01"}]
///     }"#,
/// )
/// .unwrap();
/// assert_eq!(policy.partition_filters.len(), 1);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PruningPolicy {
    /// Filters on the values of partition columns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub partition_filters: Vec<PartitionFilter>,
    /// Filters on minima and maxima.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub statistics_filters: Vec<StatisticsFilter>,
}

/// A filter on the values of a partition column. Null is a value here, which equals itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartitionFilter {
    /// A partition column.
    pub column: String,
    /// How it is compared.
    pub op: PartitionOperator,
    /// Values as text: exactly one for `=` and `!=`, at least one for the others. `None` is null.
    pub values: Vec<Option<String>>,
}

/// How a partition value is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PartitionOperator {
    /// It is the value.
    #[serde(rename = "=")]
    Equal,
    /// It is not the value.
    #[serde(rename = "!=")]
    NotEqual,
    /// It is one of the values.
    #[serde(rename = "in")]
    In,
    /// It is none of the values.
    #[serde(rename = "not in")]
    NotIn,
}

/// A filter on the values of any column, as SQL compares them: a null fulfils none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatisticsFilter {
    /// A column.
    pub column: String,
    /// How it is compared.
    pub op: StatisticsOperator,
    /// The value as text: `3`, `2026-01-31`, `2026-01-31T12:00:00Z`.
    pub value: String,
}

/// How a value is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum StatisticsOperator {
    /// Equal.
    #[serde(rename = "=")]
    Equal,
    /// Not equal.
    #[serde(rename = "!=")]
    NotEqual,
    /// Greater.
    #[serde(rename = ">")]
    Greater,
    /// Greater or equal.
    #[serde(rename = ">=")]
    GreaterOrEqual,
    /// Less.
    #[serde(rename = "<")]
    Less,
    /// Less or equal.
    #[serde(rename = "<=")]
    LessOrEqual,
}

impl PartitionOperator {
    /// The operator that is written so: `=`, `!=`, `in`, `not in`.
    pub fn from_symbol(symbol: &str) -> Option<Self> {
        match symbol {
            "=" => Some(Self::Equal),
            "!=" => Some(Self::NotEqual),
            "in" => Some(Self::In),
            "not in" => Some(Self::NotIn),
            _ => None,
        }
    }
}

impl StatisticsOperator {
    /// The operator that is written so: `=`, `!=`, `>`, `>=`, `<`, `<=`.
    pub fn from_symbol(symbol: &str) -> Option<Self> {
        match symbol {
            "=" => Some(Self::Equal),
            "!=" => Some(Self::NotEqual),
            ">" => Some(Self::Greater),
            ">=" => Some(Self::GreaterOrEqual),
            "<" => Some(Self::Less),
            "<=" => Some(Self::LessOrEqual),
            _ => None,
        }
    }
}

impl PruningPolicy {
    /// Whether the policy asks for nothing.
    pub fn is_empty(&self) -> bool {
        self.partition_filters.is_empty() && self.statistics_filters.is_empty()
    }

    /// The policy as filters over a table with these columns, one for each of its parts.
    ///
    /// # Errors
    ///
    /// All at once: [`CA-DELTA-0022`](codes::INVALID_PRUNING) for a column that is not there or
    /// partitions nothing, for values of another type than the column's, and for none or too many.
    pub fn filters(&self, schema: &Schema, partition_by: &[String]) -> Result<Vec<Expr>, Errors> {
        let partitions = self
            .partition_filters
            .iter()
            .map(|filter| filter.expr(schema, partition_by));
        let statistics = self
            .statistics_filters
            .iter()
            .map(|filter| filter.expr(schema));
        let mut exprs = Vec::new();
        let mut errors = Vec::new();
        for result in partitions.chain(statistics) {
            match result {
                Ok(expr) => exprs.push(expr),
                Err(error) => errors.push(error),
            }
        }
        Errors::check(errors, exprs)
    }
}

impl PartitionFilter {
    fn expr(&self, schema: &Schema, partition_by: &[String]) -> Result<Expr> {
        let field = column(schema, &self.column)?;
        if !partition_by.contains(&self.column) {
            return Err(invalid(format!(
                "the pruning policy filters partitions by `{}`, which is no partition column",
                self.column
            ))
            .with_nearest(nearest(
                &self.column,
                partition_by.iter().map(String::as_str),
            ))
            .with_help("write it as a filter on statistics, or name a partition column"));
        }
        let one = match self.op {
            PartitionOperator::Equal | PartitionOperator::NotEqual => self.values.len() == 1,
            PartitionOperator::In | PartitionOperator::NotIn => !self.values.is_empty(),
        };
        if !one {
            return Err(invalid(format!(
                "the pruning policy has {} values for `{}`",
                self.values.len(),
                self.column
            ))
            .with_help("`=` and `!=` take one value, `in` and `not in` at least one"));
        }
        let equal = self
            .values
            .iter()
            .map(|value| {
                let value = literal(value.as_deref(), field)?;
                Ok(compare(field, Operator::IsNotDistinctFrom, value))
            })
            .collect::<Result<Vec<_>>>()?;
        let any =
            disjunction(equal).unwrap_or_else(|| Expr::Literal(ScalarValue::from(false), None));
        Ok(match self.op {
            PartitionOperator::Equal | PartitionOperator::In => any,
            PartitionOperator::NotEqual | PartitionOperator::NotIn => any.not(),
        })
    }
}

impl StatisticsFilter {
    fn expr(&self, schema: &Schema) -> Result<Expr> {
        let field = column(schema, &self.column)?;
        let op = match self.op {
            StatisticsOperator::Equal => Operator::Eq,
            StatisticsOperator::NotEqual => Operator::NotEq,
            StatisticsOperator::Greater => Operator::Gt,
            StatisticsOperator::GreaterOrEqual => Operator::GtEq,
            StatisticsOperator::Less => Operator::Lt,
            StatisticsOperator::LessOrEqual => Operator::LtEq,
        };
        Ok(compare(field, op, literal(Some(&self.value), field)?))
    }
}

fn column<'a>(schema: &'a Schema, name: &str) -> Result<&'a Field> {
    schema.field_with_name(name).map_err(|_| {
        let names = schema.fields().iter().map(|field| field.name().as_str());
        invalid(format!(
            "the pruning policy names the column `{name}`, which is not there"
        ))
        .with_nearest(nearest(name, names))
        .with_help("name a column of the table")
    })
}

fn literal(text: Option<&str>, field: &Field) -> Result<ScalarValue> {
    // An empty text means null in the log, and nothing here.
    let value = match text {
        Some("") if !field.data_type().is_string() => None,
        text => partition_value(text, field),
    };
    value.ok_or_else(|| {
        invalid(format!(
            "the pruning policy compares `{}` with `{}`, which is no {}",
            field.name(),
            text.unwrap_or("null"),
            field.data_type()
        ))
        .with_help("write the value as the column's type has it, or take the filter out")
    })
}

fn compare(field: &Field, op: Operator, value: ScalarValue) -> Expr {
    Expr::BinaryExpr(BinaryExpr::new(
        Box::new(Expr::Column(Column::from_name(field.name()))),
        op,
        Box::new(Expr::Literal(value, None)),
    ))
}

fn invalid(message: String) -> Error {
    Error::new(codes::INVALID_PRUNING, message)
}

#[cfg(test)]
mod tests {
    use arrow_schema::DataType;

    use super::*;

    fn schema() -> Schema {
        Schema::new(vec![
            Field::new("region", DataType::Utf8, true),
            Field::new("n", DataType::Int32, true),
        ])
    }

    fn policy(text: &str) -> PruningPolicy {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn every_part_of_a_policy_is_a_filter() {
        let policy = policy(
            r#"{"partition_filters": [
                    {"column": "region", "op": "in", "values": ["eu", null]},
                    {"column": "region", "op": "!=", "values": [""]}],
                "statistics_filters": [{"column": "n", "op": "<=", "value": "7"}]}"#,
        );
        let filters = policy.filters(&schema(), &["region".to_owned()]).unwrap();
        let texts: Vec<String> = filters.iter().map(Expr::to_string).collect();
        assert_eq!(
            texts,
            [
                r#"region IS NOT DISTINCT FROM Utf8("eu") OR region IS NOT DISTINCT FROM Utf8(NULL)"#,
                r#"NOT region IS NOT DISTINCT FROM Utf8("")"#,
                "n <= Int32(7)",
            ]
        );
    }

    #[test]
    fn all_that_is_wrong_with_a_policy_is_said_at_once() {
        let policy = policy(
            r#"{"partition_filters": [
                    {"column": "regoin", "op": "=", "values": ["eu"]},
                    {"column": "n", "op": "=", "values": ["1"]},
                    {"column": "region", "op": "=", "values": ["a", "b"]},
                    {"column": "region", "op": "in", "values": []}],
                "statistics_filters": [
                    {"column": "n", "op": ">", "value": "many"},
                    {"column": "n", "op": ">", "value": ""}]}"#,
        );
        let errors = policy
            .filters(&schema(), &["region".to_owned()])
            .unwrap_err();
        assert_eq!(errors.iter().count(), 6);
        assert!(errors.iter().all(|e| e.code() == codes::INVALID_PRUNING));
        assert_eq!(errors.iter().next().unwrap().nearest(), Some("region"));
    }
}
