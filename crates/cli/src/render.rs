//! From values to text.

// One error, all errors, and their JSON form.
mod errors;

// Building blocks.
mod paint;
mod paths;
mod table;
mod units;

pub(crate) use self::errors::{ErrorDocument, JsonError, errors, usage, warning};
pub(crate) use self::paint::Paint;
pub(crate) use self::paths::{Paths, quoted};
pub(crate) use self::table::{Align, Table, facts, plain};
pub(crate) use self::units::{bytes, count, duration, outcomes, plural, timestamp};
