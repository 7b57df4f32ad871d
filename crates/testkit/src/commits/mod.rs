//! Random sequences of commits to a Delta table, with a plain table in memory as its model.
//!
//! A [`Table`] makes commits of many [`Kind`]s with the Delta library, and the same changes to its
//! [`Model`]. So a test can ask whether what was said of a commit is true of the rows.

#![expect(
    clippy::unwrap_used,
    reason = "a fixture that cannot be made fails its test"
)]

mod kinds;
mod model;
mod random;
mod vector;

pub use self::kinds::{Kind, PARTITIONS, Table, Touch};
pub use self::model::{Model, Row};
pub use self::random::Random;
