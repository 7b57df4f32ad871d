//! Options of a store, and their hash.

use std::collections::BTreeMap;

use codeanatomy_vocab::{Encoder, Fingerprint, Secret};

/// How a store is reached: keys and values as the store's driver names them.
///
/// Values may be secrets, so they have no `Display` and `Debug` hides them. The local file system
/// takes no options; they are kept for the stores of later versions and enter the pin as a hash.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoreOptions {
    options: BTreeMap<String, Secret>,
}

impl StoreOptions {
    /// No options.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an option, in place of one of the same key.
    #[must_use]
    pub fn with(mut self, key: impl Into<String>, value: Secret) -> Self {
        self.options.insert(key.into(), value);
        self
    }

    /// The keys, sorted.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.options.keys().map(String::as_str)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.options.is_empty()
    }

    /// Keys and values, secrets and all.
    pub(crate) fn expose(&self) -> impl Iterator<Item = (String, String)> {
        self.options
            .iter()
            .map(|(key, value)| (key.clone(), value.expose().to_owned()))
    }

    /// A hash of all keys and of the values that are no secrets.
    ///
    /// A value counts as a secret unless its key is on a short list of keys that name a place (a
    /// region, an endpoint, a bucket). The hash can be stored; no secret can be found by guessing.
    ///
    /// # Example: does a new password change the hash?
    ///
    /// ```
    /// use codeanatomy_delta::StoreOptions;
    /// use codeanatomy_vocab::Secret;
    ///
    /// let options = |password: &str, region: &str| {
    ///     StoreOptions::new()
    ///         .with("aws_secret_access_key", Secret::new(password))
    ///         .with("aws_region", Secret::new(region))
    /// };
    /// let hash = options("one", "eu-central-1").hash();
    /// assert_eq!(hash, options("two", "eu-central-1").hash());
    /// assert_ne!(hash, options("one", "us-east-1").hash());
    /// ```
    pub fn hash(&self) -> Fingerprint {
        let mut encoder = Encoder::new("delta.store_options", 1);
        encoder.seq(self.options.iter(), |encoder, (key, value)| {
            encoder.str(key);
            let value = Some(value.expose())
                .filter(|value| names_a_place(key) && !value.contains(['@', '?']));
            encoder.option(value, Encoder::str);
        });
        encoder.finish()
    }
}

/// Keys whose values say where, never who.
fn names_a_place(key: &str) -> bool {
    const PLACES: [&str; 4] = ["region", "endpoint", "bucket", "bucket_name"];
    let key = key.to_ascii_lowercase();
    PLACES.iter().any(|place| {
        key.strip_suffix(place)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('_'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_name_of_a_place_is_hashed_with_its_value() {
        for key in ["region", "AWS_REGION", "aws_endpoint", "aws_bucket_name"] {
            assert!(names_a_place(key), "{key}");
        }
        for key in ["aws_secret_access_key", "token", "myregion", "region_token"] {
            assert!(!names_a_place(key), "{key}");
        }
    }

    #[test]
    fn debug_text_hides_every_value() {
        let options = StoreOptions::new().with("token", Secret::new("hunter2"));
        assert!(!format!("{options:?}").contains("hunter2"));
    }
}
