//! What becomes of rows that break a contract.

use std::fmt;

use codeanatomy_vocab::{Encoder, Error, Fingerprint, Result, nearest};

use crate::{SchemaContract, codes};

/// What becomes of rows that break a contract, when they are about to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum OnInvalid {
    /// `fail`: nothing is written.
    #[default]
    Fail,
    /// `filter`: they are left out, and so are extra columns under `STRICT`.
    Filter,
    /// `coerce`: values are cast to the promised types; what is wrong after that lets nothing be
    /// written.
    Coerce,
    /// `record`: they are written and counted.
    Record,
}

impl OnInvalid {
    /// All modes.
    pub const ALL: [Self; 4] = [Self::Fail, Self::Filter, Self::Coerce, Self::Record];

    /// The mode of this name.
    ///
    /// # Errors
    ///
    /// [`CA-SCHEMA-0007`](codes::UNKNOWN_MODE), with the nearest name.
    pub fn parse(text: &str) -> Result<Self> {
        let known = Self::ALL.into_iter().find(|mode| mode.as_str() == text);
        known.ok_or_else(|| {
            Error::new(
                codes::UNKNOWN_MODE,
                format!("`{text}` does not say what becomes of invalid rows"),
            )
            .with_expected("fail, filter, coerce or record")
            .with_nearest(nearest(text, Self::ALL.map(Self::as_str)))
            .with_help("write one of the four, or remove `on_invalid`")
        })
    }

    /// The name, as it is written in a file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fail => "fail",
            Self::Filter => "filter",
            Self::Coerce => "coerce",
            Self::Record => "record",
        }
    }

    /// Whether other rows are written than the query gives.
    pub const fn alters_rows(self) -> bool {
        match self {
            Self::Filter | Self::Coerce => true,
            Self::Fail | Self::Record => false,
        }
    }

    /// The identity of a contract that is kept in this mode: domain `codeanatomy.contract-mode`,
    /// version 1.
    ///
    /// ```text
    /// fingerprint(contract)
    /// tag: 0 fail, 1 filter, 2 coerce, 3 record
    /// ```
    pub fn fingerprint(self, contract: &SchemaContract) -> Fingerprint {
        let mut encoder = Encoder::new("codeanatomy.contract-mode", 1);
        encoder.fingerprint(&contract.fingerprint());
        encoder.tag(match self {
            Self::Fail => 0,
            Self::Filter => 1,
            Self::Coerce => 2,
            Self::Record => 3,
        });
        encoder.finish()
    }
}

impl fmt::Display for OnInvalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::EvolutionPolicy;

    #[test]
    fn every_mode_is_read_by_its_name_and_has_an_identity_of_its_own() {
        let contract =
            SchemaContract::new(EvolutionPolicy::Strict, Vec::new(), Vec::new()).unwrap();
        let mut seen = std::collections::BTreeSet::from([contract.fingerprint()]);
        for mode in OnInvalid::ALL {
            assert_eq!(OnInvalid::parse(mode.as_str()).unwrap(), mode);
            assert!(seen.insert(mode.fingerprint(&contract)), "{mode}");
        }
        let error = OnInvalid::parse("filtr").unwrap_err();
        assert_eq!(
            (error.code(), error.nearest()),
            (codes::UNKNOWN_MODE, Some("filter"))
        );
    }
}
