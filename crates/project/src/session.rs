//! The section `[session]`.

use std::collections::BTreeMap;

use codeanatomy_vocab::Error;

use crate::codes;
use crate::secrecy::looks_secret;
use crate::source::{SettingValue, Source, Sourced};
use crate::toml::{Entry, Findings, Section};

/// The section `[session]`: a preset, and settings that go beyond it.
///
/// Which settings there are is the session's business; here any key may stand.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SessionSection {
    /// The name of the preset, if the file names one.
    pub preset: Option<Sourced<String>>,
    /// Settings by name, without the preset. Names of nested tables are dotted, so that
    /// `"datafusion.execution.batch_size" = 1` and `[session.datafusion.execution] batch_size = 1`
    /// are the same.
    pub settings: BTreeMap<String, Sourced<SettingValue>>,
}

impl SessionSection {
    /// The settings as a layer of [`Layers`](crate::Layers), with the preset as `preset`.
    pub fn entries(&self) -> BTreeMap<String, Sourced<SettingValue>> {
        let preset = self
            .preset
            .clone()
            .map(|preset| ("preset".to_owned(), preset.map(SettingValue::Text)));
        self.settings.clone().into_iter().chain(preset).collect()
    }

    pub(crate) fn read(parent: &Section<'_>, findings: &mut Findings) -> Self {
        let mut read = Self::default();
        let section = parent
            .get("session")
            .and_then(|entry| findings.take(entry.section()));
        let Some(section) = section else {
            return read;
        };
        for entry in section.entries() {
            if entry.key() == "preset" {
                read.preset = findings
                    .take(entry.filled_text())
                    .map(|text| Sourced::new(text, Source::File(entry.at())));
            } else {
                read.add(entry.key().to_owned(), &entry, findings);
            }
        }
        read
    }

    fn add(&mut self, name: String, entry: &Entry<'_>, findings: &mut Findings) {
        if entry.is_table() {
            if let Some(section) = findings.take(entry.section()) {
                for entry in section.entries() {
                    self.add(format!("{name}.{}", entry.key()), &entry, findings);
                }
            }
            return;
        }
        let Some(value) = findings.take(entry.scalar()) else {
            return;
        };
        if looks_secret(&name) && !matches!(value, SettingValue::Bool(_)) {
            findings.push(
                Error::new(
                    codes::PLAIN_SECRET,
                    format!("the setting `{name}` holds a secret"),
                )
                .at(entry.key_at())
                .with_help("remove it; a session takes no secrets, a dataset takes references in its `options`"),
            );
        } else if let Some(first) = self.settings.get(&name) {
            let place = first
                .location()
                .map(ToString::to_string)
                .unwrap_or_default();
            findings.push(
                Error::new(
                    codes::CONFLICTING_KEYS,
                    format!("the setting `{name}` is given twice, first at {place}"),
                )
                .at(entry.key_at())
                .with_help("keep one of the two"),
            );
        } else {
            let source = Source::File(entry.at());
            self.settings.insert(name, Sourced::new(value, source));
        }
    }
}
