//! Names of views and datasets, and ids of runs.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, codes};
use crate::{Result, UnixMillis};

const MAX_NAME_BYTES: usize = 128;

/// Device names that Windows reserves in every folder; a checkout there could not hold the file.
const RESERVED: [&str; 4] = ["con", "prn", "aux", "nul"];

macro_rules! name_type {
    ($(#[$doc:meta])* $name:ident, $noun:literal) => {
        $(#[$doc])*
        ///
        /// One to 128 ASCII letters, digits, `_` or `-`, starting with a letter or `_`, and no
        /// device name of Windows. A name is therefore always a safe file name. Case counts, but
        /// a project refuses two names that differ in case alone.
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Checks and takes a name.
            ///
            /// # Errors
            ///
            /// [`CA-VOCAB-0001`](codes::INVALID_NAME) when `name` breaks the rule above.
            pub fn new(name: impl Into<String>) -> Result<Self> {
                let name = name.into();
                match name_problem(&name) {
                    None => Ok(Self(name)),
                    Some(problem) => Err(Error::new(
                        codes::INVALID_NAME,
                        format!(concat!("{:?} is not a ", $noun, " name: {}"), name, problem),
                    )
                    .with_help(
                        "use one to 128 ASCII letters, digits, `_` or `-`, starting with a letter or `_`",
                    )),
                }
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = Error;

            fn from_str(name: &str) -> Result<Self> {
                Self::new(name)
            }
        }

        impl TryFrom<String> for $name {
            type Error = Error;

            fn try_from(name: String) -> Result<Self> {
                Self::new(name)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

name_type!(
    /// The name of a view: the stem of its file.
    ViewName,
    "view"
);
name_type!(
    /// The name of a dataset: its key under `[datasets]`.
    DatasetName,
    "dataset"
);

/// The id of one run: a UUID of version 7, so that ids sort by the time the run began.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RunId(String);

impl RunId {
    /// A new id for a run that begins at `now`. The rest of the id is random.
    pub fn generate(now: UnixMillis) -> Self {
        let millis = u64::try_from(now.0).unwrap_or(0);
        let timestamp = uuid::Timestamp::from_unix(
            uuid::NoContext,
            millis / 1_000,
            u32::try_from(millis % 1_000).unwrap_or(0) * 1_000_000,
        );
        Self(uuid::Uuid::new_v7(timestamp).to_string())
    }

    /// The id as text: 36 lower-case characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RunId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match uuid::Uuid::try_parse(text) {
            Ok(uuid) if uuid.get_version_num() == 7 => Ok(Self(uuid.to_string())),
            _ => Err(
                Error::new(codes::INVALID_RUN_ID, format!("{text:?} is not a run id"))
                    .with_help("`codeanatomy runs list` shows the ids"),
            ),
        }
    }
}

impl TryFrom<String> for RunId {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<RunId> for String {
    fn from(id: RunId) -> Self {
        id.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn name_problem(name: &str) -> Option<&'static str> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let folded = name.to_ascii_lowercase();
    let numbered_device = |stem: &str| {
        folded
            .strip_prefix(stem)
            .is_some_and(|rest| matches!(rest.as_bytes(), [b'1'..=b'9']))
    };
    if name.is_empty() {
        Some("it is empty")
    } else if name.len() > MAX_NAME_BYTES {
        Some("it is longer than 128 bytes")
    } else if name.contains(['/', '\\']) || name.contains("..") {
        Some("it would leave its folder")
    } else if !name.chars().all(allowed) {
        Some("it has a character that is not allowed")
    } else if !name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        Some("it does not start with a letter or `_`")
    } else if RESERVED.contains(&folded.as_str())
        || numbered_device("com")
        || numbered_device("lpt")
    {
        Some("Windows reserves it for a device")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_leave_a_folder_are_refused() {
        for bad in [
            "", "../x", "a/b", "a\\b", "/etc", "..", "a b", "é", "1a", "CON", "lpt1", "a\0",
        ] {
            assert!(ViewName::new(bad).is_err(), "{bad:?}");
        }
        for good in ["a", "_x", "By_Region-2", "console", "lpt"] {
            assert!(ViewName::new(good).is_ok(), "{good:?}");
        }
        assert!(DatasetName::new("x".repeat(129)).is_err());
    }

    #[test]
    fn run_ids_sort_by_time() {
        let early = RunId::generate(UnixMillis(1_700_000_000_000));
        let late = RunId::generate(UnixMillis(1_700_000_000_001));
        assert!(early < late);
        assert_eq!(early.as_str().parse::<RunId>().ok(), Some(early));
        assert!("not-a-run".parse::<RunId>().is_err());
    }
}
