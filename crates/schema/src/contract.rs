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
    columns: Vec<ColumnContract>,
    evolution: EvolutionPolicy,
    key: Vec<String>,
    partition_by: Vec<String>,
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
    /// ```
    ///
    /// Types are encoded as [`encoding`](crate::encoding) says. Descriptions, and the order of
    /// columns and key, are left out.
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
        encoder.finish()
    }

    fn unchecked(
        evolution: EvolutionPolicy,
        key: Vec<String>,
        columns: Vec<ColumnContract>,
    ) -> Self {
        Self {
            columns,
            evolution,
            key,
            partition_by: Vec::new(),
        }
    }

    /// What is wrong with the columns and the key.
    fn problems(&self) -> Vec<Error> {
        let names = self.columns.iter().map(|column| column.name.as_str());
        let mut errors = duplicates("columns", names);
        errors.extend(self.problems_of("key", &self.key));
        for column in &self.columns {
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

    /// What is wrong with `names`, which `list` of the contract holds.
    fn problems_of(&self, list: &'static str, names: &[String]) -> Vec<Error> {
        let mut errors = duplicates(list, names.iter().map(String::as_str));
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
    let mut seen = BTreeSet::new();
    let mut twice = BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            twice.insert(name);
        }
    }
    let error = |name: &str| {
        Error::new(
            codes::DUPLICATE_COLUMN,
            format!("`{list}` names `{name}` more than once"),
        )
        .with("column", name)
        .with_help("keep one of them")
    };
    twice.into_iter().map(error).collect()
}

#[cfg(test)]
mod tests {
    use arrow_schema::Field;

    use super::*;

    fn column(name: &str, data_type: &str) -> (String, Option<String>, Option<bool>) {
        (name.to_owned(), Some(data_type.to_owned()), None)
    }

    #[test]
    fn a_wrong_contract_is_told_everything_that_is_wrong() {
        let key = ["id", "naem", "id"].map(str::to_owned).to_vec();
        let columns = vec![
            column("id", "Itn64"),
            ("name".to_owned(), None, Some(true)),
            column("id", "Int64"),
            column("price", "decimal(15, 2)"),
        ];
        let errors = SchemaContract::build("ADITIVE", key, columns).unwrap_err();
        let found: Vec<(&str, Option<&str>)> = errors
            .iter()
            .map(|error| (error.code().id(), error.nearest()))
            .collect();
        assert_eq!(
            found,
            [
                ("CA-SCHEMA-0001", Some("ADDITIVE")),
                ("CA-SCHEMA-0002", Some("Int64")),
                ("CA-SCHEMA-0002", Some("Decimal128")),
                ("CA-SCHEMA-0003", None),
                ("CA-SCHEMA-0003", None),
                ("CA-SCHEMA-0004", Some("name")),
            ]
        );
        assert!(errors.iter().all(|error| error.help().is_some()));
    }

    #[test]
    fn a_key_column_must_not_be_nullable() {
        let columns = vec![("id".to_owned(), None, Some(true))];
        let errors = SchemaContract::build("STRICT", vec!["id".to_owned()], columns).unwrap_err();
        assert_eq!(errors.first().code(), codes::NULLABLE_KEY);
    }

    #[test]
    fn partition_columns_are_checked_like_the_key() {
        let contract =
            SchemaContract::build("STRICT", Vec::new(), vec![column("region", "Utf8")]).unwrap();
        let errors = contract
            .clone()
            .with_partition_by(vec!["regoin".to_owned()])
            .unwrap_err();
        assert_eq!(errors.first().nearest(), Some("region"));
        let partitioned = contract
            .clone()
            .with_partition_by(vec!["region".to_owned()])
            .unwrap();
        assert_ne!(contract.fingerprint(), partitioned.fingerprint());
    }

    #[test]
    fn a_contract_is_the_same_whatever_the_order_of_its_columns() {
        let build = |evolution, key: &[&str], columns: &[(&str, &str)]| {
            let key = key.iter().map(|name| (*name).to_owned()).collect();
            let columns = columns.iter().map(|(name, text)| column(name, text));
            SchemaContract::build(evolution, key, columns.collect())
                .unwrap()
                .fingerprint()
        };
        let one = build("STRICT", &["a", "b"], &[("a", "Int64"), ("b", "Utf8")]);
        let columns = [("a", "Int64"), ("b", "Utf8")];
        assert_eq!(one, build("STRICT", &["b", "a"], &[columns[1], columns[0]]));
        assert_ne!(one, build("STRICT", &["a"], &columns));
        assert_ne!(one, build("RELAXED", &["a", "b"], &columns));
        assert_ne!(
            one,
            build("STRICT", &["a", "b"], &[("a", "Int64"), ("b", "LargeUtf8")])
        );
    }

    #[test]
    fn a_schema_keeps_the_contract_that_is_made_from_it() {
        let schema = Schema::new(vec![
            Field::new("a", DataType::Int64, false),
            Field::new("b", DataType::Utf8, true),
        ]);
        let contract = SchemaContract::of_schema(&schema, EvolutionPolicy::Strict);
        assert!(crate::check(&contract, &schema).is_empty());
        assert_eq!(contract.columns().len(), 2);
    }
}
