//! Schema contracts, evolution policies and schema fingerprints over Arrow schemas.
//!
//! Pure functions of Arrow schemas: nothing here sees a session or a table. What was promised is a
//! [`SchemaContract`]; [`check`] holds it against a schema; [`diff`] says what changed between two
//! schemas; [`fingerprint`] is a schema's identity, and [`stamp_abi`] keeps it in the schema.
//!
//! With the feature `validate`, plans go in and plans come out: those that find the rows which break
//! a contract (`validate`), and those that cast rows to a schema (`align_to_schema`). Whoever has a
//! session runs them.
//!
//! # Example: what changed, and is it allowed?
//!
//! ```
//! use arrow_schema::{DataType, Field, Schema};
//! use codeanatomy_schema::{EvolutionPolicy, SchemaContract, check, diff, fingerprint};
//!
//! let before = Schema::new(vec![Field::new("units", DataType::Int32, false)]);
//! let after = Schema::new(vec![Field::new("units", DataType::Int64, false)]);
//! assert_ne!(fingerprint(&before), fingerprint(&after));
//! assert_eq!(diff(&before, &after)[0].to_string(), "units: type Int32 -> Int64");
//!
//! let contract = SchemaContract::of_schema(&before, EvolutionPolicy::Additive);
//! assert_eq!(check(&contract, &after).len(), 1);
//! let contract = SchemaContract::of_schema(&before, EvolutionPolicy::Relaxed);
//! assert!(check(&contract, &after).is_empty());
//! ```

// Identity.
mod abi;
pub mod encoding;

// Promises, and whether they are kept.
mod check;
mod contract;
pub mod evolve;
mod mode;

// What changed.
mod diff;

// Whether rows keep a promise, as plans.
#[cfg(feature = "validate")]
mod align;
#[cfg(feature = "validate")]
mod prove;
#[cfg(feature = "validate")]
mod range;
#[cfg(feature = "validate")]
mod statistics;
#[cfg(feature = "validate")]
pub mod validate;

// Types and places as text.
mod path;
mod types;

pub mod codes;

#[cfg(test)]
mod generate;

pub use self::abi::{ABI_FINGERPRINT_KEY, Abi, abi_fingerprint, check_abi, stamp_abi};
#[cfg(feature = "validate")]
pub use self::align::{CastPolicy, align_to_schema};
pub use self::check::{Violation, ViolationCode, check};
pub use self::contract::{ColumnContract, OrderColumn, SchemaContract};
pub use self::diff::{Change, SchemaChange, diff};
pub use self::encoding::{encode_data_type, encode_field, encode_schema, fingerprint};
pub use self::evolve::EvolutionPolicy;
pub use self::mode::OnInvalid;
#[cfg(feature = "validate")]
pub use self::prove::{Facts, proves_not_null, proves_unique};
#[cfg(feature = "validate")]
pub use self::statistics::{ColumnStatistics, column_statistics, value_counts};
pub use self::types::parse_data_type;
