//! What changed between two schemas.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;

use arrow_schema::{DataType, Field, Fields, Schema, UnionFields};
use codeanatomy_vocab::{Encoder, Fingerprint};

use crate::{encode_data_type, path, types};

/// One change of a schema. `Display` says it in one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaChange {
    /// The path of the column: `price`, or `address.street`, `tags[]`, `prices{value}`, `either<0>`
    /// inside one; empty for the schema itself.
    pub path: String,
    /// What happened there.
    pub change: Change,
}

/// What happened to a column, to a field in one, or to the schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It is new.
    Added {
        /// Its type.
        data_type: DataType,
        /// Whether it may be null.
        nullable: bool,
    },
    /// It is gone.
    Removed {
        /// The type it had.
        data_type: DataType,
        /// Whether it could be null.
        nullable: bool,
    },
    /// Its type is another one. Changes of fields inside a struct, list, map or union are reported
    /// there and not here.
    Type {
        /// The type before.
        before: DataType,
        /// The type after.
        after: DataType,
    },
    /// Whether it may be null changed.
    Nullability {
        /// Whether it may be null now.
        nullable: bool,
    },
    /// Whether the values of its dictionary are declared ordered changed.
    DictionaryOrder {
        /// Whether they are now.
        ordered: bool,
    },
    /// Its metadata changed.
    Metadata,
    /// The columns or fields that were there before stand in another order.
    Order,
}

/// Every change from `before` to `after`, outer levels first.
///
/// Columns and fields are found by name. Nothing is reported if, and only if, the two schemas have
/// one [`fingerprint`](crate::fingerprint).
pub fn diff(before: &Schema, after: &Schema) -> Vec<SchemaChange> {
    let mut found = Found::default();
    if before.metadata != after.metadata {
        found.push("", Change::Metadata);
    }
    found.fields(None, before.fields(), after.fields());
    while let Some((path, before, after)) = found.pending.pop_front() {
        found.field(&path, before, after);
    }
    found.changes
}

#[derive(Default)]
struct Found<'a> {
    changes: Vec<SchemaChange>,
    /// Fields that were matched and are still to be compared.
    pending: VecDeque<(String, &'a Field, &'a Field)>,
}

impl<'a> Found<'a> {
    fn push(&mut self, path: &str, change: Change) {
        self.changes.push(SchemaChange {
            path: path.to_owned(),
            change,
        });
    }

    /// Compares the columns of a schema, or the fields of the struct at `parent`.
    fn fields(&mut self, parent: Option<&str>, before: &'a Fields, after: &'a Fields) {
        let path = |field: &Field| match parent {
            None => path::segment(field.name()),
            Some(parent) => path::field(parent, field.name()),
        };
        let (before, after) = (numbered(before), numbered(after));
        let positions = |fields: &[(Key<'a>, &'a Field)]| -> BTreeMap<Key<'a>, usize> {
            let keys = fields.iter().enumerate();
            keys.map(|(position, (key, _))| (*key, position)).collect()
        };
        let (before_at, after_at) = (positions(&before), positions(&after));
        let mut last = None;
        let mut in_order = true;
        for (key, field) in &before {
            match after_at.get(key) {
                Some(&at) => {
                    in_order &= last < Some(at);
                    last = Some(at);
                    self.pending.push_back((path(field), field, after[at].1));
                }
                None => self.push(
                    &path(field),
                    Change::Removed {
                        data_type: field.data_type().clone(),
                        nullable: field.is_nullable(),
                    },
                ),
            }
        }
        for (key, field) in &after {
            if !before_at.contains_key(key) {
                self.push(
                    &path(field),
                    Change::Added {
                        data_type: field.data_type().clone(),
                        nullable: field.is_nullable(),
                    },
                );
            }
        }
        if !in_order {
            self.push(parent.unwrap_or_default(), Change::Order);
        }
    }

    fn field(&mut self, path: &str, before: &'a Field, after: &'a Field) {
        if before.is_nullable() != after.is_nullable() {
            self.push(
                path,
                Change::Nullability {
                    nullable: after.is_nullable(),
                },
            );
        }
        if let (Some(was), Some(ordered)) = (before.dict_is_ordered(), after.dict_is_ordered())
            && was != ordered
        {
            self.push(path, Change::DictionaryOrder { ordered });
        }
        if before.metadata() != after.metadata() {
            self.push(path, Change::Metadata);
        }
        self.types(path, before.data_type(), after.data_type());
    }

    fn types(&mut self, path: &str, before: &'a DataType, after: &'a DataType) {
        match (before, after) {
            (DataType::List(one), DataType::List(other))
            | (DataType::LargeList(one), DataType::LargeList(other))
            | (DataType::ListView(one), DataType::ListView(other))
            | (DataType::LargeListView(one), DataType::LargeListView(other))
                if one.name() == other.name() =>
            {
                self.pending.push_back((path::item(path), one, other));
            }
            (
                DataType::FixedSizeList(one, length),
                DataType::FixedSizeList(other, after_length),
            ) if one.name() == other.name() && length == after_length => {
                self.pending.push_back((path::item(path), one, other));
            }
            (DataType::Struct(one), DataType::Struct(other)) => {
                self.fields(Some(path), one, other);
            }
            (DataType::Map(one, sorted), DataType::Map(other, after_sorted))
                if sorted == after_sorted && same_entries(one, other) =>
            {
                if let (DataType::Struct(one), DataType::Struct(other)) =
                    (one.data_type(), other.data_type())
                {
                    let [key, value] = [path::key(path), path::value(path)];
                    self.pending.push_back((key, &one[0], &other[0]));
                    self.pending.push_back((value, &one[1], &other[1]));
                }
            }
            (DataType::Union(one, mode), DataType::Union(other, after_mode))
                if mode == after_mode && same_variants(one, other) =>
            {
                for ((type_id, one), (_, other)) in one.iter().zip(other.iter()) {
                    self.pending
                        .push_back((path::variant(path, type_id), one, other));
                }
            }
            _ => {
                if digest(before) != digest(after) {
                    self.push(
                        path,
                        Change::Type {
                            before: before.clone(),
                            after: after.clone(),
                        },
                    );
                }
            }
        }
    }
}

impl fmt::Display for SchemaChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_str() {
            "" => f.write_str("schema: ")?,
            path => write!(f, "{path}: ")?,
        }
        let null = |nullable: bool| if nullable { "nullable" } else { "not null" };
        match &self.change {
            Change::Added {
                data_type,
                nullable,
            } => write!(
                f,
                "added {} {}",
                types::describe(data_type),
                null(*nullable)
            ),
            Change::Removed {
                data_type,
                nullable,
            } => write!(
                f,
                "removed {} {}",
                types::describe(data_type),
                null(*nullable)
            ),
            Change::Type { before, after } => {
                let [before, after] = [before, after].map(types::describe);
                write!(f, "type {before} -> {after}")
            }
            Change::Nullability { nullable } => {
                write!(f, "{} -> {}", null(!nullable), null(*nullable))
            }
            Change::DictionaryOrder { ordered: true } => f.write_str("dictionary is ordered now"),
            Change::DictionaryOrder { ordered: false } => {
                f.write_str("dictionary is not ordered any more")
            }
            Change::Metadata => f.write_str("metadata changed"),
            Change::Order => f.write_str("order of columns changed"),
        }
    }
}

/// A name, and a number that tells fields of one name apart.
type Key<'a> = (&'a str, usize);

fn numbered(fields: &Fields) -> Vec<(Key<'_>, &Field)> {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    fields
        .iter()
        .map(|field| {
            let nth = seen.entry(field.name()).or_default();
            *nth += 1;
            ((field.name().as_str(), *nth), field.as_ref())
        })
        .collect()
}

/// Whether two fields that hold the entries of maps differ in their keys and values alone.
fn same_entries(one: &Field, other: &Field) -> bool {
    let names = |field: &Field| match field.data_type() {
        DataType::Struct(fields) if fields.len() == 2 => {
            Some([fields[0].name().clone(), fields[1].name().clone()])
        }
        _ => None,
    };
    one.name() == other.name()
        && one.is_nullable() == other.is_nullable()
        && one.metadata() == other.metadata()
        && names(one).is_some()
        && names(one) == names(other)
}

/// Whether two unions have variants of the same type ids and names, in the same order.
fn same_variants(one: &UnionFields, other: &UnionFields) -> bool {
    let pairs = || one.iter().zip(other.iter());
    one.len() == other.len()
        && pairs().all(|((one_id, one), (other_id, other))| {
            one_id == other_id && one.name() == other.name()
        })
}

/// Tells types apart that Arrow's own comparison does not, and does it without recursion.
fn digest(data_type: &DataType) -> Fingerprint {
    let mut encoder = Encoder::new("codeanatomy.schema.diff", 1);
    encode_data_type(&mut encoder, data_type);
    encoder.finish()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fingerprint;
    use crate::generate::{any_type, config, evolved};

    fn changes(before: &str, after: &str) -> Vec<String> {
        let [before, after] = [before, after].map(|text| {
            match format!("Struct({text})").parse::<DataType>().unwrap() {
                DataType::Struct(fields) => Schema::new(fields),
                other => panic!("{other} is no struct"),
            }
        });
        let changes = diff(&before, &after);
        changes.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn changes_are_named_by_the_path_of_the_column() {
        let before = r#"
            "id": Int32, "gone": Utf8, "place": Struct("zip": Utf8, "house no": Int8),
            "tags": List(Utf8), "codes": List(Utf8),
            "prices": Map("entries": non-null Struct("key": non-null Utf8, "value": Int8), unsorted),
            "either": Union(Dense, 0: ("a": Int8), 5: ("b": Utf8))
        "#
        .replace('\n', " ");
        let after = r#"
            "id": non-null Int64, "place": Struct("zip": Utf8, "house no": Int16, "new": Int8),
            "codes": List(Utf8, field: 'element'), "tags": List(non-null Utf8),
            "prices": Map("entries": non-null Struct("key": non-null Utf8, "value": Int16), unsorted),
            "either": Union(Dense, 0: ("a": Int8), 5: ("b": LargeUtf8))
        "#
        .replace('\n', " ");
        assert_eq!(
            changes(&before, &after),
            [
                "gone: removed Utf8 nullable",
                "schema: order of columns changed",
                "id: nullable -> not null",
                "id: type Int32 -> Int64",
                "place.new: added Int8 nullable",
                "codes: type List(Utf8) -> List(Utf8, field: 'element')",
                "place.\"house no\": type Int8 -> Int16",
                "tags[]: nullable -> not null",
                "prices{value}: type Int8 -> Int16",
                "either<5>: type Utf8 -> LargeUtf8",
            ]
        );
        assert!(changes(&before, &before).is_empty());
    }

    #[test]
    fn an_ordered_dictionary_and_metadata_are_changes() {
        let dictionary = DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8));
        let field = Field::new("d", dictionary, true);
        let metadata = std::iter::once(("k".to_owned(), "v".to_owned()));
        let before = Schema::new(vec![field.clone()]);
        let after = Schema::new(vec![
            field
                .with_dict_is_ordered(true)
                .with_metadata(metadata.clone().collect()),
        ])
        .with_metadata(metadata.collect());
        let changes: Vec<String> = diff(&before, &after)
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            changes,
            [
                "schema: metadata changed",
                "d: dictionary is ordered now",
                "d: metadata changed",
            ]
        );
    }

    #[test]
    fn a_thousand_levels_are_compared_on_a_small_stack() {
        let work = || {
            let deep = |leaf: DataType| {
                let inner = (0..1_000).fold(leaf, |inner, _| {
                    DataType::List(Field::new_list_field(inner, true).into())
                });
                Schema::new(vec![Field::new("deep", inner, true)])
            };
            let changes = diff(&deep(DataType::Int8), &deep(DataType::Int16));
            assert_eq!(changes.len(), 1);
            assert!(changes[0].to_string().ends_with("[]: type Int8 -> Int16"));
        };
        let thread = std::thread::Builder::new().stack_size(512 * 1024);
        thread.spawn(work).unwrap().join().unwrap();
    }

    proptest! {
        #![proptest_config(config(1_000))]

        #[test]
        fn there_is_a_difference_exactly_where_the_fingerprints_differ(
            first in any_type(),
            nullable in any::<bool>(),
            tagged in any::<bool>(),
            choices in proptest::collection::vec(any::<u8>(), 0..32),
        ) {
            let second = evolved(&first, &mut choices.into_iter());
            let schema = |data_type: &DataType, nullable, tagged: bool| {
                let metadata = tagged.then(|| ("k".to_owned(), "v".to_owned()));
                let field = Field::new("c", data_type.clone(), nullable)
                    .with_metadata(metadata.into_iter().collect());
                Schema::new(vec![field, Field::new("d", DataType::Int8, true)])
            };
            let before = schema(&first, true, false);
            let after = schema(&second, nullable, tagged);
            let changes = diff(&before, &after);
            prop_assert_eq!(
                changes.is_empty(),
                fingerprint(&before) == fingerprint(&after),
                "{:?}",
                changes
            );
        }
    }
}
