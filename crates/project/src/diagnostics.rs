//! The section `[diagnostics]`.

use std::collections::BTreeMap;
use std::fmt;

use crate::source::{SettingValue, Source, Sourced};
use crate::toml::{Findings, Section};

const KEYS: [&str; 1] = ["profile"];

/// How much a run says about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum DiagnosticsProfile {
    /// Everything, for finding a defect.
    Debug,
    /// What a developer wants to see.
    #[default]
    Dev,
    /// Warnings and errors.
    Prod,
}

/// The section `[diagnostics]`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DiagnosticsSection {
    /// The profile, if the file names one. It sets the log level.
    pub profile: Option<Sourced<DiagnosticsProfile>>,
}

impl DiagnosticsProfile {
    /// The profiles with their names.
    pub const ALL: [(&'static str, Self); 3] = [
        ("debug", Self::Debug),
        ("dev", Self::Dev),
        ("prod", Self::Prod),
    ];

    /// The profile of this name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find_map(|(known, profile)| (known == name).then_some(profile))
    }

    /// The name as it is written in a file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Dev => "dev",
            Self::Prod => "prod",
        }
    }
}

impl fmt::Display for DiagnosticsProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl DiagnosticsSection {
    /// The settings as a layer of [`Layers`](crate::Layers): `profile`.
    pub fn entries(&self) -> BTreeMap<String, Sourced<SettingValue>> {
        let profile = self.profile.clone();
        profile
            .map(|profile| {
                let value = profile.map(|profile| SettingValue::from(profile.as_str()));
                ("profile".to_owned(), value)
            })
            .into_iter()
            .collect()
    }

    pub(crate) fn read(parent: &Section<'_>, findings: &mut Findings) -> Self {
        let section = parent
            .get("diagnostics")
            .and_then(|entry| findings.take(entry.section()));
        let Some(section) = section else {
            return Self::default();
        };
        section.check_keys(&KEYS, findings);
        let profile = section.get("profile").and_then(|entry| {
            let profile = findings.take(entry.choice(&DiagnosticsProfile::ALL))?;
            Some(Sourced::new(profile, Source::File(entry.at())))
        });
        Self { profile }
    }
}
