//! What somebody promises about a table's columns.

use std::collections::BTreeSet;

use arrow_schema::{DataType, Schema};
use codeanatomy_vocab::{Encoder, Error, Errors, Fingerprint, nearest};

use crate::{EvolutionPolicy, codes, encode_data_type, parse_data_type};

/// What a contract promises about one column. What is left out is not promised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnContract {
    /// The name, as it stands in the schema. Case counts.
    pub name: String,
    /// The type; `None` allows every type.
    pub data_type: Option<DataType>,
    /// Whether the column may be null; `None` makes no promise.
    pub nullable: Option<bool>,
    /// What the column means, for people. Not checked, and no part of the contract's identity.
    pub description: Option<String>,
}

/// One key of an order of rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderColumn {
    /// The column.
    pub name: String,
    /// Whether large values come first.
    pub descending: bool,
    /// Whether nulls come first.
    pub nulls_first: bool,
}

/// A promise about the columns of a table, and how far its schema may depart from it.
///
/// A contract may be partial. A contract that lists no columns says nothing about them, except
/// that those of its key and its partitioning exist; also under
/// [`Strict`](EvolutionPolicy::Strict). The order of columns is not promised.
///
/// # Example: does a table keep its promise?
///
/// ```
/// use arrow_schema::{DataType, Field, Schema};
/// use codeanatomy_schema::{SchemaContract, ViolationCode, check};
///
/// let contract = SchemaContract::build(
///     "ADDITIVE",
///     vec!["region".to_owned()],
///     vec![("region".to_owned(), Some("Utf8".to_owned()), Some(false))],
/// )?;
/// let schema = Schema::new(vec![
///     Field::new("region", DataType::Utf8View, true),
///     Field::new("revenue", DataType::Float64, true),
/// ]);
/// let violations = check(&contract, &schema);
/// assert_eq!(violations.len(), 1);
/// assert_eq!(violations[0].code, ViolationCode::NullabilityMismatch);
/// assert_eq!(violations[0].to_string(), "column `region` is nullable, and its contract says not null");
/// # Ok::<(), codeanatomy_vocab::Errors>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaContract {
    table_name: Option<String>,
    columns: Vec<ColumnContract>,
    evolution: EvolutionPolicy,
    key: Vec<String>,
    partition_by: Vec<String>,
    ordering: Vec<OrderColumn>,
}

impl SchemaContract {
    /// Takes a contract as a file states it: the policy's name, the key, and for each column its
    /// name, its type in Arrow's notation and its nullability.
    ///
    /// # Errors
    ///
    /// All at once: [`CA-SCHEMA-0001`](codes::UNKNOWN_POLICY) for the policy,
    /// [`CA-SCHEMA-0002`](codes::UNKNOWN_TYPE) for each type, and those of [`new`](Self::new).
    /// Each error about a column has the column's name in its context under `column`.
    pub fn build(
        evolution: &str,
        key: Vec<String>,
        columns: Vec<(String, Option<String>, Option<bool>)>,
    ) -> Result<Self, Errors> {
        let mut errors = Vec::new();
        let mut parsed = Vec::with_capacity(columns.len());
        let evolution = EvolutionPolicy::parse(evolution).unwrap_or_else(|error| {
            errors.push(error);
            EvolutionPolicy::Strict
        });
        for (name, data_type, nullable) in columns {
            let data_type = match data_type.as_deref().map(parse_data_type).transpose() {
                Ok(data_type) => data_type,
                Err(error) => {
                    errors.push(error.with("column", &name));
                    None
                }
            };
            parsed.push(ColumnContract {
                name,
                data_type,
                nullable,
                description: None,
            });
        }
        let contract = Self::unchecked(evolution, key, parsed);
        errors.extend(contract.problems());
        Errors::check(errors, contract)
    }

    /// A contract over columns that are known as values.
    ///
    /// # Errors
    ///
    /// All at once: [`CA-SCHEMA-0003`](codes::DUPLICATE_COLUMN) for a name that stands twice in the
    /// columns or in the key; [`CA-SCHEMA-0004`](codes::NOT_A_COLUMN) for a key column that is not
    /// listed, where columns are; [`CA-SCHEMA-0005`](codes::NULLABLE_KEY) for one that may be null.
    pub fn new(
        evolution: EvolutionPolicy,
        key: Vec<String>,
        columns: Vec<ColumnContract>,
    ) -> Result<Self, Errors> {
        let contract = Self::unchecked(evolution, key, columns);
        Errors::check(contract.problems(), contract)
    }

    /// The contract that `schema` keeps now: all its columns with type and nullability, without a
    /// key. Of columns with one name the first counts.
    pub fn of_schema(schema: &Schema, evolution: EvolutionPolicy) -> Self {
        let mut seen = BTreeSet::new();
        let fields = schema.fields().iter();
        let columns = fields
            .filter(|field| seen.insert(field.name().as_str()))
            .map(|field| ColumnContract {
                name: field.name().clone(),
                data_type: Some(field.data_type().clone()),
                nullable: Some(field.is_nullable()),
                description: None,
            })
            .collect();
        Self::unchecked(evolution, Vec::new(), columns)
    }

    /// Adds the columns by which the table is partitioned, in order.
    ///
    /// # Errors
    ///
    /// All at once: [`CA-SCHEMA-0003`](codes::DUPLICATE_COLUMN) for a name that stands twice,
    /// [`CA-SCHEMA-0004`](codes::NOT_A_COLUMN) for one that is not listed, where columns are.
    pub fn with_partition_by(self, partition_by: Vec<String>) -> Result<Self, Errors> {
        let errors = self.problems_of("partition_by", &partition_by);
        Errors::check(
            errors,
            Self {
                partition_by,
                ..self
            },
        )
    }

    /// Says which table or view the contract is about, for messages. No part of the promise.
    #[must_use]
    pub fn with_table_name(self, table_name: impl Into<String>) -> Self {
        Self {
            table_name: Some(table_name.into()),
            ..self
        }
    }

    /// Adds the order in which the rows are written, the most important key first.
    ///
    /// # Errors
    ///
    /// All at once: [`CA-SCHEMA-0006`](codes::CONTRADICTION) for a column that stands twice,
    /// [`CA-SCHEMA-0004`](codes::NOT_A_COLUMN) for one that is not listed, where columns are.
    pub fn with_ordering(self, ordering: Vec<OrderColumn>) -> Result<Self, Errors> {
        let names: Vec<String> = ordering.iter().map(|column| column.name.clone()).collect();
        let mut errors = Vec::new();
        for name in twice(names.iter().map(String::as_str)) {
            errors.push(contradiction(
                name,
                format!("`ordering` names `{name}` more than once, and only the first counts"),
                "keep one of them",
            ));
        }
        errors.extend(self.strangers("ordering", &names));
        Errors::check(errors, Self { ordering, ..self })
    }

    /// The table or view that the contract is about, where it is known.
    pub fn table_name(&self) -> Option<&str> {
        self.table_name.as_deref()
    }

    /// The order in which the rows are written; empty where nothing is promised.
    pub fn ordering(&self) -> &[OrderColumn] {
        &self.ordering
    }

    /// The columns, as listed.
    pub fn columns(&self) -> &[ColumnContract] {
        &self.columns
    }

    /// How far the schema may depart.
    pub fn evolution(&self) -> EvolutionPolicy {
        self.evolution
    }

    /// The columns that identify a row, as listed; empty where nothing is promised.
    pub fn key(&self) -> &[String] {
        &self.key
    }

    /// The columns by which the table is partitioned, outermost first.
    pub fn partition_by(&self) -> &[String] {
        &self.partition_by
    }

    /// The identity of the promise: domain `codeanatomy.contract`, version 1.
    ///
    /// ```text
    /// tag: 0 STRICT, 1 ADDITIVE, 2 RELAXED
    /// seq(str(name) option(type) option(bool(nullable)))   columns, sorted by name
    /// seq(str(name))                                       key, sorted
    /// seq(str(name))                                       partitioning, in order
    /// seq(str(name) bool(descending) bool(nulls first))    ordering, only where there is one
    /// ```
    ///
    /// Types are encoded as [`encoding`](crate::encoding) says. The table's name, descriptions, and
    /// the order of columns and key are left out.
    pub fn fingerprint(&self) -> Fingerprint {
        let mut encoder = Encoder::new("codeanatomy.contract", 1);
        encoder.tag(match self.evolution {
            EvolutionPolicy::Strict => 0,
            EvolutionPolicy::Additive => 1,
            EvolutionPolicy::Relaxed => 2,
        });
        let mut columns: Vec<&ColumnContract> = self.columns.iter().collect();
        columns.sort_by_key(|column| column.name.as_str());
        encoder.seq(columns.into_iter(), |encoder, column| {
            encoder.str(&column.name);
            encoder.option(column.data_type.as_ref(), encode_data_type);
            encoder.option(column.nullable, Encoder::bool);
        });
        let key: BTreeSet<&str> = self.key.iter().map(String::as_str).collect();
        encoder.seq(key.into_iter(), Encoder::str);
        encoder.seq(self.partition_by.iter(), |encoder, name| encoder.str(name));
        if !self.ordering.is_empty() {
            encoder.seq(self.ordering.iter(), |encoder, column| {
                encoder.str(&column.name);
                encoder.bool(column.descending);
                encoder.bool(column.nulls_first);
            });
        }
        encoder.finish()
    }

    fn unchecked(
        evolution: EvolutionPolicy,
        key: Vec<String>,
        columns: Vec<ColumnContract>,
    ) -> Self {
        Self {
            table_name: None,
            columns,
            evolution,
            key,
            partition_by: Vec::new(),
            ordering: Vec::new(),
        }
    }

    /// What is wrong with the columns and the key.
    fn problems(&self) -> Vec<Error> {
        let names = self.columns.iter().map(|column| column.name.as_str());
        let mut errors = duplicates("columns", names);
        errors.extend(self.problems_of("key", &self.key));
        for column in &self.columns {
            errors.extend(self.contradiction(column));
            if column.nullable == Some(true) && self.key.contains(&column.name) {
                errors.push(
                    Error::new(
                        codes::NULLABLE_KEY,
                        format!("key column `{}` may be null", column.name),
                    )
                    .with("column", &column.name)
                    .with_help("set `nullable = false`, or take the column out of `key`"),
                );
            }
        }
        errors
    }

    /// What the contract says of a column that no column can be.
    fn contradiction(&self, column: &ColumnContract) -> Option<Error> {
        let name = column.name.as_str();
        let is_key = self.key.iter().any(|key| key == name);
        match &column.data_type {
            Some(DataType::Null) if is_key || column.nullable == Some(false) => {
                Some(contradiction(
                    name,
                    format!("column `{name}` is of type Null and must not be null"),
                    "give the type of its values, or allow nulls and take it out of `key`",
                ))
            }
            Some(DataType::Map(_, _) | DataType::Union(_, _)) if is_key => Some(contradiction(
                name,
                format!("key column `{name}` is a map or a union, whose values cannot be compared"),
                "take it out of `key`",
            )),
            _ => None,
        }
    }

    /// What is wrong with `names`, which `list` of the contract holds.
    fn problems_of(&self, list: &'static str, names: &[String]) -> Vec<Error> {
        let mut errors = duplicates(list, names.iter().map(String::as_str));
        errors.extend(self.strangers(list, names));
        errors
    }

    /// The names in a list that are no columns of the contract.
    fn strangers(&self, list: &'static str, names: &[String]) -> Vec<Error> {
        let mut errors = Vec::new();
        let known: BTreeSet<&str> = self.columns.iter().map(|c| c.name.as_str()).collect();
        for name in names {
            if !known.is_empty() && !known.contains(name.as_str()) {
                errors.push(
                    Error::new(
                        codes::NOT_A_COLUMN,
                        format!("`{name}` in `{list}` is not among the columns of the contract"),
                    )
                    .with("column", name)
                    .with_nearest(nearest(name, known.iter().copied()))
                    .with_help(format!(
                        "list it under `columns`, or take it out of `{list}`"
                    )),
                );
            }
        }
        errors
    }
}

fn duplicates<'a>(list: &str, names: impl Iterator<Item = &'a str>) -> Vec<Error> {
    let error = |name: &str| {
        Error::new(
            codes::DUPLICATE_COLUMN,
            format!("`{list}` names `{name}` more than once"),
        )
        .with("column", name)
        .with_help("keep one of them")
    };
    twice(names).into_iter().map(error).collect()
}

/// The names that stand more than once.
fn twice<'a>(names: impl Iterator<Item = &'a str>) -> BTreeSet<&'a str> {
    let mut seen = BTreeSet::new();
    names.filter(|name| !seen.insert(*name)).collect()
}

fn contradiction(column: &str, message: String, help: &str) -> Error {
    Error::new(codes::CONTRADICTION, message)
        .with("column", column)
        .with_help(help)
}

#[cfg(test)]
mod tests;
