//! The fingerprint of a schema, kept in the schema itself.

use arrow_schema::Schema;
use codeanatomy_vocab::Fingerprint;

use crate::fingerprint;

/// The one key of a schema's metadata under which its fingerprint is kept.
pub const ABI_FINGERPRINT_KEY: &str = "codeanatomy.abi_fingerprint";

/// What a schema says about its own fingerprint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Abi {
    /// Nothing.
    Unstamped,
    /// That which it has.
    Intact,
    /// Another one: the schema was changed after it was stamped.
    Changed {
        /// The text that is kept under the key.
        stamped: String,
        /// The fingerprint that the schema has.
        actual: Fingerprint,
    },
}

/// The fingerprint of a schema without regard to the one that it keeps.
pub fn abi_fingerprint(schema: &Schema) -> Fingerprint {
    if schema.metadata.contains_key(ABI_FINGERPRINT_KEY) {
        fingerprint(&unstamped(schema))
    } else {
        fingerprint(schema)
    }
}

/// The schema with its fingerprint in its metadata, in the place of any that was there.
///
/// # Example: was a schema changed on its way?
///
/// ```
/// use arrow_schema::{DataType, Field, Schema};
/// use codeanatomy_schema::{Abi, check_abi, stamp_abi};
///
/// let schema = Schema::new(vec![Field::new("id", DataType::Int64, false)]);
/// let stamped = stamp_abi(&schema);
/// assert_eq!(check_abi(&stamped), Abi::Intact);
///
/// let other = Schema::new(vec![Field::new("id", DataType::Int32, false)]);
/// let changed = other.with_metadata(stamped.metadata.clone());
/// assert!(matches!(check_abi(&changed), Abi::Changed { .. }));
/// ```
pub fn stamp_abi(schema: &Schema) -> Schema {
    let mut stamped = schema.clone();
    let fingerprint = abi_fingerprint(schema).to_string();
    stamped
        .metadata
        .insert(ABI_FINGERPRINT_KEY.to_owned(), fingerprint);
    stamped
}

/// Holds the fingerprint that a schema keeps against the one that it has.
pub fn check_abi(schema: &Schema) -> Abi {
    let Some(stamped) = schema.metadata.get(ABI_FINGERPRINT_KEY) else {
        return Abi::Unstamped;
    };
    let actual = abi_fingerprint(schema);
    if *stamped == actual.to_string() {
        Abi::Intact
    } else {
        Abi::Changed {
            stamped: stamped.clone(),
            actual,
        }
    }
}

fn unstamped(schema: &Schema) -> Schema {
    let mut unstamped = schema.clone();
    unstamped.metadata.remove(ABI_FINGERPRINT_KEY);
    unstamped
}

#[cfg(test)]
mod tests {
    use arrow_schema::{DataType, Field};

    use super::*;

    #[test]
    fn a_stamp_is_no_part_of_what_it_stamps() {
        let fields = vec![Field::new("a", DataType::Utf8, true)];
        let metadata = std::iter::once(("owner".to_owned(), "me".to_owned()));
        let schema = Schema::new(fields).with_metadata(metadata.collect());
        let stamped = stamp_abi(&schema);
        assert_eq!(abi_fingerprint(&stamped), fingerprint(&schema));
        assert_eq!(stamp_abi(&stamped), stamped);
        assert_eq!(check_abi(&schema), Abi::Unstamped);
    }

    #[test]
    fn every_change_shows_also_one_of_other_metadata() {
        let schema = Schema::new(vec![Field::new("a", DataType::Utf8, true)]);
        let mut stamped = stamp_abi(&schema);
        stamped.metadata.insert("owner".to_owned(), "me".to_owned());
        assert!(matches!(check_abi(&stamped), Abi::Changed { .. }));
        let mut forged = stamp_abi(&schema);
        forged
            .metadata
            .insert(ABI_FINGERPRINT_KEY.to_owned(), "?".to_owned());
        assert!(matches!(check_abi(&forged), Abi::Changed { .. }));
    }
}
