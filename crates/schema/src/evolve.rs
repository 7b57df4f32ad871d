//! Which change of a type a contract allows.
//!
//! # The relation
//!
//! A policy *accepts* an actual type in the place of a type that was promised. Each policy's
//! relation is reflexive and transitive: what was accepted step by step is accepted at once. A
//! type accepted by `STRICT` is accepted by `ADDITIVE`, and one accepted by `ADDITIVE` by
//! `RELAXED`.
//!
//! ## Under every policy: one logical type
//!
//! How values are stored is not part of a promise. These are the same:
//!
//! - `Utf8`, `LargeUtf8`, `Utf8View`; and `Binary`, `LargeBinary`, `BinaryView`;
//! - `List`, `LargeList`, `ListView`, `LargeListView`, whatever their item field is called;
//! - a dictionary or run-end encoding of a type, and the type;
//! - decimals of equal precision and scale, whatever their width in bits;
//! - maps of the same keys and values, whatever their fields are called and whether or not the keys
//!   are sorted; sparse and dense unions;
//! - timestamps in `UTC`, `Etc/UTC`, `Z` and `+00:00`.
//!
//! Units and other time zones are part of the promise. Metadata is not.
//!
//! ## Nullability
//!
//! What may not be null by contract must not be nullable. What may be null by contract need not be.
//! This holds for columns, fields of structs, items of lists and values of maps, under every policy.
//!
//! ## Fields of structs
//!
//! Fields are found by name; their order does not matter. A missing field is never accepted. A new
//! one is accepted by `ADDITIVE` and `RELAXED`. Variants of unions are found by type id, and none
//! may be missing or new.
//!
//! ## Under `RELAXED`: widening
//!
//! A type may have become one that holds every value of the promised type exactly:
//!
//! | promised | also accepted |
//! |---|---|
//! | `Null` | every type |
//! | integers | integers with at least the range; `Float16`, `Float32`, `Float64` with at least 11, 24, 53 bits for 8-, 16- and 32-bit integers; decimals with at least the digits before the point (3, 5, 10, 19; unsigned 3, 5, 10, 20) |
//! | floats | wider floats |
//! | decimals | decimals with at least the digits before and after the point |
//! | `Date32` | `Date64` |
//! | times | times in a finer unit |
//! | intervals of months, or of days and milliseconds | intervals of months, days and nanoseconds |
//! | `FixedSizeBinary` | binary of any length |
//! | `FixedSizeList` | lists of any length, with an accepted item |
//!
//! The other way round, from wide to narrow, is never accepted. Nor are dates to timestamps,
//! timestamps and durations to another unit (a finer unit has a shorter range), or anything to text.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use arrow_schema::{DataType, Field, Fields, IntervalUnit, TimeUnit, UnionFields};
use codeanatomy_vocab::{Error, Result, nearest};

use crate::check::ViolationCode;
use crate::{codes, path, types};

/// How far a schema may depart from its contract.
///
/// The relation behind it is written out in [the module](self).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EvolutionPolicy {
    /// `STRICT`: the columns of the contract and no others, of the same logical types.
    Strict,
    /// `ADDITIVE`: new columns and fields are allowed.
    Additive,
    /// `RELAXED`: new columns and fields are allowed, and types may widen.
    Relaxed,
}

impl EvolutionPolicy {
    const ALL: [Self; 3] = [Self::Strict, Self::Additive, Self::Relaxed];

    /// Takes `STRICT`, `ADDITIVE` or `RELAXED`, in capitals.
    ///
    /// # Errors
    ///
    /// [`CA-SCHEMA-0001`](codes::UNKNOWN_POLICY), with the nearest policy.
    pub fn parse(text: &str) -> Result<Self> {
        let known = Self::ALL.into_iter().find(|policy| policy.as_str() == text);
        known.ok_or_else(|| {
            Error::new(
                codes::UNKNOWN_POLICY,
                format!("`{text}` is not an evolution policy"),
            )
            .with_expected("STRICT, ADDITIVE or RELAXED")
            .with_nearest(nearest(text, Self::ALL.map(Self::as_str)))
            .with_help(
                "write STRICT for no change, ADDITIVE for new columns, RELAXED for wider types too",
            )
        })
    }

    /// The policy as it is written in a contract.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Strict => "STRICT",
            Self::Additive => "ADDITIVE",
            Self::Relaxed => "RELAXED",
        }
    }

    /// Whether `actual` may stand where `promised` was promised.
    ///
    /// # Example: may a column become wider?
    ///
    /// ```
    /// use arrow_schema::DataType::{Int32, Int64, LargeUtf8, Utf8};
    /// use codeanatomy_schema::EvolutionPolicy::{Additive, Relaxed, Strict};
    ///
    /// assert!(Relaxed.accepts(&Int32, &Int64));
    /// assert!(!Relaxed.accepts(&Int64, &Int32));
    /// assert!(!Additive.accepts(&Int32, &Int64));
    /// assert!(Strict.accepts(&Utf8, &LargeUtf8));
    /// ```
    pub fn accepts(self, promised: &DataType, actual: &DataType) -> bool {
        mismatches(self, "", promised, actual).is_empty()
    }
}

impl fmt::Display for EvolutionPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One place where a type is not accepted.
pub(crate) struct Mismatch {
    pub(crate) path: String,
    pub(crate) code: ViolationCode,
    pub(crate) expected: String,
    pub(crate) actual: String,
}

/// Every place in `actual` that `policy` does not accept, in the order of `promised`; `path` is
/// where the two types stand.
pub(crate) fn mismatches(
    policy: EvolutionPolicy,
    path: &str,
    promised: &DataType,
    actual: &DataType,
) -> Vec<Mismatch> {
    let mut found = Found {
        policy,
        mismatches: Vec::new(),
        pending: vec![(path.to_owned(), promised, actual)],
    };
    while let Some((path, promised, actual)) = found.pending.pop() {
        let first = found.pending.len();
        found.compare(&path, promised, actual);
        found.pending[first..].reverse();
    }
    found.mismatches
}

/// A type without regard to how its values are stored.
enum Logical<'a> {
    Leaf(Leaf<'a>),
    List(&'a Field),
    FixedSizeList(&'a Field, i32),
    Struct(&'a Fields),
    Map(&'a Field, &'a Field),
    Union(&'a UnionFields),
}

#[derive(Clone, Copy, PartialEq)]
enum Leaf<'a> {
    Null,
    Boolean,
    Int {
        signed: bool,
        bits: u8,
    },
    Float {
        bits: u8,
    },
    Decimal {
        precision: i16,
        scale: i16,
    },
    Date {
        bits: u8,
    },
    Time(TimeUnit),
    Timestamp(TimeUnit, Option<&'a str>),
    Duration(TimeUnit),
    Interval(IntervalUnit),
    Text,
    Bytes,
    FixedSizeBytes(i32),
    /// A type that no array can have.
    Malformed(&'a DataType),
}

struct Found<'a> {
    policy: EvolutionPolicy,
    mismatches: Vec<Mismatch>,
    /// Types still to be compared, and where they stand.
    pending: Vec<(String, &'a DataType, &'a DataType)>,
}

impl<'a> Found<'a> {
    fn compare(&mut self, path: &str, promised: &'a DataType, actual: &'a DataType) {
        match (logical(promised), logical(actual)) {
            (Logical::Leaf(one), Logical::Leaf(other)) if one == other => {}
            (Logical::Leaf(one), Logical::Leaf(other)) if self.widens() && one.fits(other) => {}
            (Logical::Leaf(Leaf::Null), _) if self.widens() => {}
            (Logical::List(one), Logical::List(other)) => self.field(path::item(path), one, other),
            (Logical::FixedSizeList(one, length), Logical::FixedSizeList(other, actual_length))
                if length == actual_length =>
            {
                self.field(path::item(path), one, other);
            }
            (Logical::FixedSizeList(one, _), Logical::List(other)) if self.widens() => {
                self.field(path::item(path), one, other);
            }
            (Logical::Struct(one), Logical::Struct(other)) => self.structs(path, one, other),
            (Logical::Map(key, value), Logical::Map(actual_key, actual_value)) => {
                self.field(path::key(path), key, actual_key);
                self.field(path::value(path), value, actual_value);
            }
            (Logical::Union(one), Logical::Union(other)) if same_variants(one, other) => {
                let actual: BTreeMap<i8, &Field> = other
                    .iter()
                    .map(|(id, field)| (id, field.as_ref()))
                    .collect();
                for (type_id, field) in one.iter() {
                    if let Some(actual) = actual.get(&type_id) {
                        self.field(path::variant(path, type_id), field, actual);
                    }
                }
            }
            (
                Logical::Leaf(_)
                | Logical::List(_)
                | Logical::FixedSizeList(_, _)
                | Logical::Struct(_)
                | Logical::Map(_, _)
                | Logical::Union(_),
                _,
            ) => self.mismatches.push(Mismatch {
                path: path.to_owned(),
                code: ViolationCode::TypeMismatch,
                expected: types::describe(promised),
                actual: types::describe(actual),
            }),
        }
    }

    fn field(&mut self, path: String, promised: &'a Field, actual: &'a Field) {
        if !promised.is_nullable() && actual.is_nullable() {
            self.mismatches.push(Mismatch {
                path: path.clone(),
                code: ViolationCode::NullabilityMismatch,
                expected: "not null".to_owned(),
                actual: "nullable".to_owned(),
            });
        }
        self.pending
            .push((path, promised.data_type(), actual.data_type()));
    }

    fn structs(&mut self, path: &str, promised: &'a Fields, actual: &'a Fields) {
        let by_name: BTreeMap<(&str, usize), &Field> = named(actual).collect();
        for (name, field) in named(promised) {
            let path = path::field(path, field.name());
            match by_name.get(&name) {
                Some(actual) => self.field(path, field, actual),
                None => self.mismatches.push(Mismatch {
                    path,
                    code: ViolationCode::MissingColumn,
                    expected: types::describe(field.data_type()),
                    actual: "nothing".to_owned(),
                }),
            }
        }
        if self.policy == EvolutionPolicy::Strict {
            let known: BTreeSet<(&str, usize)> = named(promised).map(|(name, _)| name).collect();
            for (name, field) in named(actual) {
                if !known.contains(&name) {
                    self.mismatches.push(Mismatch {
                        path: path::field(path, field.name()),
                        code: ViolationCode::ExtraColumn,
                        expected: "nothing".to_owned(),
                        actual: types::describe(field.data_type()),
                    });
                }
            }
        }
    }

    fn widens(&self) -> bool {
        self.policy == EvolutionPolicy::Relaxed
    }
}

impl Leaf<'_> {
    /// Whether `other` holds every value of `self` exactly.
    fn fits(self, other: Leaf<'_>) -> bool {
        match (self, other) {
            (Leaf::Null, _) => true,
            (
                Leaf::Int { signed, bits },
                Leaf::Int {
                    signed: wide_signed,
                    bits: wide_bits,
                },
            ) => {
                if signed == wide_signed {
                    bits <= wide_bits
                } else {
                    wide_signed && bits < wide_bits
                }
            }
            (Leaf::Int { bits, .. }, Leaf::Float { bits: float_bits }) => bits < float_bits,
            (Leaf::Int { signed, bits }, Leaf::Decimal { precision, scale }) => {
                scale >= 0 && precision - scale >= digits(signed, bits)
            }
            (Leaf::Float { bits }, Leaf::Float { bits: wide_bits }) => bits <= wide_bits,
            (
                Leaf::Decimal { precision, scale },
                Leaf::Decimal {
                    precision: wide_precision,
                    scale: wide_scale,
                },
            ) => scale <= wide_scale && precision - scale <= wide_precision - wide_scale,
            (Leaf::Date { bits }, Leaf::Date { bits: wide_bits }) => bits <= wide_bits,
            (Leaf::Time(unit), Leaf::Time(fine_unit)) => unit <= fine_unit,
            (Leaf::Interval(_), Leaf::Interval(IntervalUnit::MonthDayNano)) => true,
            (Leaf::FixedSizeBytes(_), Leaf::Bytes) => true,
            (
                Leaf::Boolean
                | Leaf::Int { .. }
                | Leaf::Float { .. }
                | Leaf::Decimal { .. }
                | Leaf::Date { .. }
                | Leaf::Time(_)
                | Leaf::Timestamp(_, _)
                | Leaf::Duration(_)
                | Leaf::Interval(_)
                | Leaf::Text
                | Leaf::Bytes
                | Leaf::FixedSizeBytes(_)
                | Leaf::Malformed(_),
                _,
            ) => false,
        }
    }
}

/// The most digits that an integer can have.
fn digits(signed: bool, bits: u8) -> i16 {
    match bits {
        8 => 3,
        16 => 5,
        32 => 10,
        _ if signed => 19,
        _ => 20,
    }
}

fn logical(data_type: &DataType) -> Logical<'_> {
    let mut stored = data_type;
    loop {
        stored = match stored {
            DataType::Dictionary(_, values) => values,
            DataType::RunEndEncoded(_, values) => values.data_type(),
            _ => break,
        };
    }
    let int = |signed, bits| Logical::Leaf(Leaf::Int { signed, bits });
    let decimal = |precision: &u8, scale: &i8| {
        Logical::Leaf(Leaf::Decimal {
            precision: i16::from(*precision),
            scale: i16::from(*scale),
        })
    };
    match stored {
        DataType::Null => Logical::Leaf(Leaf::Null),
        DataType::Boolean => Logical::Leaf(Leaf::Boolean),
        DataType::Int8 => int(true, 8),
        DataType::Int16 => int(true, 16),
        DataType::Int32 => int(true, 32),
        DataType::Int64 => int(true, 64),
        DataType::UInt8 => int(false, 8),
        DataType::UInt16 => int(false, 16),
        DataType::UInt32 => int(false, 32),
        DataType::UInt64 => int(false, 64),
        DataType::Float16 => Logical::Leaf(Leaf::Float { bits: 16 }),
        DataType::Float32 => Logical::Leaf(Leaf::Float { bits: 32 }),
        DataType::Float64 => Logical::Leaf(Leaf::Float { bits: 64 }),
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale)
        | DataType::Decimal256(precision, scale) => decimal(precision, scale),
        DataType::Date32 => Logical::Leaf(Leaf::Date { bits: 32 }),
        DataType::Date64 => Logical::Leaf(Leaf::Date { bits: 64 }),
        DataType::Time32(unit) | DataType::Time64(unit) => Logical::Leaf(Leaf::Time(*unit)),
        DataType::Timestamp(unit, time_zone) => Logical::Leaf(Leaf::Timestamp(
            *unit,
            time_zone.as_deref().map(canonical_time_zone),
        )),
        DataType::Duration(unit) => Logical::Leaf(Leaf::Duration(*unit)),
        DataType::Interval(unit) => Logical::Leaf(Leaf::Interval(*unit)),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Logical::Leaf(Leaf::Text),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => {
            Logical::Leaf(Leaf::Bytes)
        }
        DataType::FixedSizeBinary(size) => Logical::Leaf(Leaf::FixedSizeBytes(*size)),
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item) => Logical::List(item),
        DataType::FixedSizeList(item, length) => Logical::FixedSizeList(item, *length),
        DataType::Struct(fields) => Logical::Struct(fields),
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) if fields.len() == 2 => Logical::Map(&fields[0], &fields[1]),
            _ => Logical::Leaf(Leaf::Malformed(stored)),
        },
        DataType::Union(fields, _) => Logical::Union(fields),
        // The loop above ends at neither.
        DataType::Dictionary(_, _) | DataType::RunEndEncoded(_, _) => {
            Logical::Leaf(Leaf::Malformed(stored))
        }
    }
}

fn canonical_time_zone(time_zone: &str) -> &str {
    match time_zone {
        "UTC" | "Etc/UTC" | "Z" | "+00:00" => "UTC",
        other => other,
    }
}

/// Fields with their names, each with a number that tells fields of one name apart.
fn named(fields: &Fields) -> impl Iterator<Item = ((&str, usize), &Field)> {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    fields.iter().map(move |field| {
        let nth = seen.entry(field.name()).or_default();
        *nth += 1;
        ((field.name().as_str(), *nth), field.as_ref())
    })
}

fn same_variants(one: &UnionFields, other: &UnionFields) -> bool {
    let names = |fields: &UnionFields| -> BTreeMap<i8, String> {
        let pairs = fields.iter();
        pairs
            .map(|(id, field)| (id, field.name().clone()))
            .collect()
    };
    names(one) == names(other)
}

#[cfg(test)]
mod tests;
