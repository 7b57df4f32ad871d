//! What a contract promises about rows, and what is known of it before anything runs.

use std::collections::BTreeSet;

use arrow_schema::DataType;
use datafusion_common::arrow::compute::can_cast_types;
use datafusion_expr::expr_fn::binary_expr;
use datafusion_expr::{Expr, LogicalPlan, Operator, try_cast};

use super::{ErrorCode, Strictness, ValidationOptions};
use crate::align::column_at;
use crate::prove::proves_not_null_knowing;
use crate::range::{Range, range};
use crate::{
    EvolutionPolicy, Facts, SchemaContract, Violation, ViolationCode, check, path, proves_unique,
};

/// One promise about rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// The error, if it is not kept.
    pub code: ErrorCode,
    /// The column, or the path in it; all columns of a key, with commas.
    pub column: String,
    /// What is known of it.
    pub outcome: Outcome,
}

/// What is known of a promise before anybody looks at the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// The plan proves that it is kept: nobody needs to look.
    Proved,
    /// Only the rows can tell.
    Open,
    /// The schema tells that it is not kept.
    Broken,
}

/// All promises, and what the plans of a validation need to know.
pub(super) struct Checks {
    pub(super) checks: Vec<Check>,
    /// For each check that a single row can break: its number, and when the row does.
    pub(super) of_rows: Vec<(usize, Expr)>,
    /// The check of the key, if it is open.
    pub(super) key: Option<OpenKey>,
    /// The columns of the valid rows.
    pub(super) columns: Vec<Expr>,
    /// Whether the schema alone tells that no row is valid.
    pub(super) none_valid: bool,
}

/// A key of which only the rows can tell whether it is repeated.
pub(super) struct OpenKey {
    /// The number of its check.
    pub(super) number: usize,
    /// The names of its columns.
    pub(super) names: Vec<String>,
    /// Their values, coerced where the columns are.
    pub(super) values: Vec<Expr>,
}

impl Checks {
    pub(super) fn of(
        plan: &LogicalPlan,
        contract: &SchemaContract,
        options: &ValidationOptions,
        facts: &Facts,
    ) -> Self {
        let mut checks = Self {
            checks: Vec::new(),
            of_rows: Vec::new(),
            key: None,
            columns: Vec::new(),
            none_valid: false,
        };
        let schema = plan.schema();
        let names = schema.fields().iter().map(|field| field.name().as_str());
        let names: Vec<&str> = names.collect();
        let position = |name: &str| names.iter().position(|it| *it == name);
        let (broken, extra) = violations(plan, contract);
        let mut coerced = vec![None; names.len()];

        for column in contract.columns() {
            let Some(at) = position(&column.name) else {
                checks.broken(ErrorCode::MissingColumn, path::segment(&column.name));
                continue;
            };
            let is_key = contract.key().contains(&column.name);
            if column.nullable == Some(false) && !is_key {
                checks.not_null(ErrorCode::NullViolation, plan, at, facts);
            }
            let of_column = broken.iter().filter(|(top, _)| *top == column.name);
            let of_column: Vec<&Violation> = of_column.map(|(_, violation)| violation).collect();
            let promised = column.data_type.as_ref();
            let coercion = promised.filter(|_| options.coerce && !of_column.is_empty());
            match coercion.and_then(|to| Coercion::of(plan, at, to, facts)) {
                Some(coercion) => {
                    let (code, name) = (ErrorCode::TypeMismatch, path::segment(&column.name));
                    match coercion.lost {
                        Lost::Never => {}
                        Lost::Proved => {
                            checks.push(code, name, Outcome::Proved);
                        }
                        Lost::Where(lossy) => checks.open(code, name, lossy),
                    }
                    coerced[at] = Some(coercion.value);
                }
                None => checks.nested(&of_column),
            }
        }
        checks.check_key(plan, contract, position, &coerced, facts);
        let dropped: BTreeSet<&str> = match options.strict {
            Strictness::Filter => extra.iter().map(String::as_str).collect(),
            Strictness::Strict | Strictness::Lax => BTreeSet::new(),
        };
        if options.strict == Strictness::Strict {
            for name in &extra {
                checks.push(ErrorCode::ExtraColumn, path::segment(name), Outcome::Broken);
            }
        }
        for (at, name) in names.iter().enumerate() {
            if !dropped.contains(name) {
                let value = coerced[at].take().unwrap_or_else(|| column_at(plan, at).0);
                checks.columns.push(value.alias(*name));
            }
        }
        checks
    }

    fn check_key(
        &mut self,
        plan: &LogicalPlan,
        contract: &SchemaContract,
        position: impl Fn(&str) -> Option<usize>,
        coerced: &[Option<Expr>],
        facts: &Facts,
    ) {
        if contract.key().is_empty() {
            return;
        }
        let listed = |name: &String| contract.columns().iter().any(|column| column.name == *name);
        let mut positions = Vec::new();
        for name in contract.key() {
            match position(name) {
                Some(at) => {
                    self.not_null(ErrorCode::MissingKeyField, plan, at, facts);
                    positions.push(at);
                }
                None if listed(name) => {}
                None => self.broken(ErrorCode::MissingColumn, path::segment(name)),
            }
        }
        // Without one of its columns the key identifies nothing.
        if positions.len() == contract.key().len() {
            let names: Vec<String> = contract
                .key()
                .iter()
                .map(|name| path::segment(name))
                .collect();
            // Two texts may be one number.
            let as_it_is = positions.iter().all(|&at| coerced[at].is_none());
            let proved = as_it_is && proves_unique(plan, &positions);
            let outcome = if proved {
                Outcome::Proved
            } else {
                Outcome::Open
            };
            let number = self.push(ErrorCode::DuplicateKeys, names.join(", "), outcome);
            if !proved {
                let value =
                    |at: usize| coerced[at].clone().unwrap_or_else(|| column_at(plan, at).0);
                self.key = Some(OpenKey {
                    number,
                    names: contract.key().to_vec(),
                    values: positions.into_iter().map(value).collect(),
                });
            }
        }
    }

    fn push(&mut self, code: ErrorCode, column: String, outcome: Outcome) -> usize {
        self.checks.push(Check {
            code,
            column,
            outcome,
        });
        self.checks.len() - 1
    }

    fn open(&mut self, code: ErrorCode, column: String, violated: Expr) {
        let number = self.push(code, column, Outcome::Open);
        self.of_rows.push((number, violated));
    }

    fn broken(&mut self, code: ErrorCode, column: String) {
        self.push(code, column, Outcome::Broken);
        self.none_valid = true;
    }

    fn not_null(&mut self, code: ErrorCode, plan: &LogicalPlan, at: usize, facts: &Facts) {
        let (column, _) = column_at(plan, at);
        let name = path::segment(plan.schema().field(at).name());
        if proves_not_null_knowing(plan, at, facts) {
            self.push(code, name, Outcome::Proved);
        } else {
            self.open(code, name, column.is_null());
        }
    }

    /// What is wrong with the type of a column, at any depth.
    fn nested(&mut self, violations: &[&Violation]) {
        for violation in violations {
            let code = match violation.code {
                ViolationCode::MissingColumn => ErrorCode::MissingColumn,
                ViolationCode::ExtraColumn => ErrorCode::ExtraColumn,
                ViolationCode::TypeMismatch => ErrorCode::TypeMismatch,
                ViolationCode::NullabilityMismatch => ErrorCode::NullViolation,
            };
            self.broken(code, violation.column.clone());
        }
    }
}

/// What the schema of the plan breaks: for each column that is there what is wrong with its type, and
/// the names of extra columns. Whether a column itself may be null is left to the rows.
fn violations(
    plan: &LogicalPlan,
    contract: &SchemaContract,
) -> (Vec<(String, Violation)>, Vec<String>) {
    let schema = plan.schema().as_arrow();
    let promised: BTreeSet<&str> = contract
        .columns()
        .iter()
        .map(|it| it.name.as_str())
        .collect();
    let mut extra = Vec::new();
    if contract.evolution() == EvolutionPolicy::Strict && !promised.is_empty() {
        let names = schema.fields().iter().map(|field| field.name());
        extra.extend(
            names
                .filter(|name| !promised.contains(name.as_str()))
                .cloned(),
        );
    }
    let mut of_types = Vec::new();
    for column in contract.columns() {
        let alone = SchemaContract::new(contract.evolution(), Vec::new(), vec![column.clone()]);
        let field = schema
            .fields()
            .iter()
            .find(|field| *field.name() == column.name);
        let (Ok(alone), Some(field)) = (alone, field) else {
            continue;
        };
        let field = field.as_ref().clone().with_nullable(false);
        for violation in check(&alone, &arrow_schema::Schema::new(vec![field])) {
            of_types.push((column.name.clone(), violation));
        }
    }
    (of_types, extra)
}

/// A column as another type.
struct Coercion {
    value: Expr,
    lost: Lost,
}

/// When a value is lost.
enum Lost {
    /// The new type holds every value of the old one.
    Never,
    /// It holds every value that there is.
    Proved,
    /// Where this is true.
    Where(Expr),
}

impl Coercion {
    fn of(plan: &LogicalPlan, at: usize, to: &DataType, facts: &Facts) -> Option<Self> {
        let (column, from) = column_at(plan, at);
        if !can_cast_types(&from, to) {
            return None;
        }
        let value = try_cast(column.clone(), to.clone());
        if EvolutionPolicy::Relaxed.accepts(&from, to) {
            let lost = Lost::Never;
            return Some(Self { value, lost });
        }
        let limits = range(plan, at, facts).zip(Range::of_type(to));
        if limits.is_some_and(|(values, holds)| values.is_within(holds)) {
            let lost = Lost::Proved;
            return Some(Self { value, lost });
        }
        // Inside nested values a cast puts null in the place of what is lost, and nobody sees it.
        if from.is_nested() || to.is_nested() {
            return None;
        }
        let mut lossy = value.clone().is_null();
        if !is_text(&from) && can_cast_types(to, &from) {
            let back = try_cast(value.clone(), from);
            lossy = lossy.or(binary_expr(back, Operator::IsDistinctFrom, column.clone()));
        }
        Some(Self {
            value,
            lost: Lost::Where(column.is_not_null().and(lossy)),
        })
    }
}

fn is_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(_, values) => is_text(values),
        other => matches!(
            other,
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View
        ),
    }
}
