//! Schema contracts, evolution policies and schema fingerprints over Arrow schemas.
//!
//! Pure functions of Arrow schemas: nothing here sees a session, a table or a plan.
//!
//! # Example: are two schemas the same?
//!
//! ```
//! use arrow_schema::{DataType, Field, Schema};
//!
//! let one = Schema::new(vec![Field::new("price", DataType::Decimal128(15, 2), false)]);
//! let other = Schema::new(vec![Field::new("price", DataType::Decimal128(15, 4), false)]);
//! assert_ne!(codeanatomy_schema::fingerprint(&one), codeanatomy_schema::fingerprint(&other));
//! ```

// Identity.
pub mod encoding;

pub use self::encoding::{encode_data_type, encode_field, encode_schema, fingerprint};
