//! Schema contracts, evolution policies and schema fingerprints over Arrow schemas.
//!
//! Pure functions of Arrow schemas: nothing here sees a session, a table or a plan. What was
//! promised is a [`SchemaContract`]; [`check`] holds it against a schema; [`diff`] says what
//! changed between two schemas; [`fingerprint`] is a schema's identity.
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
pub mod encoding;

// Promises, and whether they are kept.
mod check;
mod contract;
pub mod evolve;

// What changed.
mod diff;

// Types and places as text.
mod path;
mod types;

pub mod codes;

#[cfg(test)]
mod generate;

pub use self::check::{Violation, ViolationCode, check};
pub use self::contract::{ColumnContract, SchemaContract};
pub use self::diff::{Change, SchemaChange, diff};
pub use self::encoding::{encode_data_type, encode_field, encode_schema, fingerprint};
pub use self::evolve::EvolutionPolicy;
pub use self::types::parse_data_type;
