//! The named starting points of a profile.

use std::fmt;
use std::str::FromStr;

use codeanatomy_vocab::{Error, nearest};
use serde::{Deserialize, Serialize};

use crate::codes::UNKNOWN_SETTING;
use crate::units::GIB;

/// A named starting point: a memory limit and a degree of concurrency.
///
/// | preset | memory | concurrency | for |
/// |---|---|---|---|
/// | `default` | 8 GiB | 8 | general use |
/// | `dev` | 4 GiB | 4 | development |
/// | `prod` | 16 GiB | 16 | production |
/// | `cst_autoload` | 8 GiB | 8 | extraction of syntax trees |
/// | `symtable` | 4 GiB | 4 | extraction of symbol tables |
///
/// The concurrency of a preset is both the number of views that run at once and the number of
/// partitions of each query. Fitting a profile to a machine may lower it, see
/// [`ProfileBuilder::build`](crate::ProfileBuilder::build).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// General use.
    #[default]
    Default,
    /// Development.
    Dev,
    /// Production.
    Prod,
    /// Extraction of syntax trees.
    CstAutoload,
    /// Extraction of symbol tables.
    Symtable,
}

impl Preset {
    /// All presets, in the order of the table above.
    pub const ALL: [Self; 5] = [
        Self::Default,
        Self::Dev,
        Self::Prod,
        Self::CstAutoload,
        Self::Symtable,
    ];

    /// The name that users write.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Dev => "dev",
            Self::Prod => "prod",
            Self::CstAutoload => "cst_autoload",
            Self::Symtable => "symtable",
        }
    }

    /// The limit of the memory pool, in bytes, before it is fitted to a machine.
    pub const fn memory_limit_bytes(self) -> u64 {
        match self {
            Self::Default | Self::CstAutoload => 8 * GIB,
            Self::Dev | Self::Symtable => 4 * GIB,
            Self::Prod => 16 * GIB,
        }
    }

    /// The number of views at once and of partitions per query, before it is fitted to a machine.
    pub const fn concurrency(self) -> usize {
        match self {
            Self::Default | Self::CstAutoload => 8,
            Self::Dev | Self::Symtable => 4,
            Self::Prod => 16,
        }
    }
}

impl fmt::Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Preset {
    type Err = Error;

    /// Reads the name of a preset.
    ///
    /// # Errors
    ///
    /// `CA-SESSION-0001` with the nearest name when there is no such preset.
    fn from_str(text: &str) -> Result<Self, Error> {
        let names = Self::ALL.map(Self::name);
        Self::ALL
            .into_iter()
            .find(|preset| preset.name() == text)
            .ok_or_else(|| {
                Error::new(UNKNOWN_SETTING, format!("there is no preset `{text}`"))
                    .with_expected(format!("one of `{}`", names.join("`, `")))
                    .with_nearest(nearest(text, names))
                    .with_help("set `preset` to one of these names")
            })
    }
}
