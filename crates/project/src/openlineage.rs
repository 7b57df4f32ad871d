//! The section `[openlineage]`.

use std::collections::BTreeMap;

use codeanatomy_vocab::{Error, SecretRef};

use crate::codes;
use crate::dataset::secret_ref;
use crate::source::{SettingValue, Source, Sourced};
use crate::toml::{Findings, Section};

const KEYS: [&str; 4] = ["url", "file", "namespace", "api_key"];

/// The section `[openlineage]`: where events about runs go.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OpenLineageSection {
    /// The endpoint that takes events.
    pub url: Option<Sourced<String>>,
    /// The file to which events are added, one to a line.
    pub file: Option<Sourced<String>>,
    /// The namespace of jobs; the project's name when absent.
    pub namespace: Option<Sourced<String>>,
    /// The key that the endpoint asks for.
    pub api_key: Option<SecretRef>,
}

impl OpenLineageSection {
    /// The settings as a layer of [`Layers`](crate::Layers), without the key.
    pub fn entries(&self) -> BTreeMap<String, Sourced<SettingValue>> {
        let all = [
            ("url", &self.url),
            ("file", &self.file),
            ("namespace", &self.namespace),
        ];
        let present = all.into_iter().filter_map(|(key, value)| {
            let value = value.clone()?.map(SettingValue::Text);
            Some((key.to_owned(), value))
        });
        present.collect()
    }

    pub(crate) fn read(parent: &Section<'_>, findings: &mut Findings) -> Self {
        let section = parent
            .get("openlineage")
            .and_then(|entry| findings.take(entry.section()));
        let Some(section) = section else {
            return Self::default();
        };
        section.check_keys(&KEYS, findings);
        let mut text = |key: &str| {
            let entry = section.get(key)?;
            let text = findings.take(entry.filled_text())?;
            Some(Sourced::new(text, Source::File(entry.at())))
        };
        let (url, file, namespace) = (text("url"), text("file"), text("namespace"));
        if let (Some(_), Some(file)) = (&url, section.get("file")) {
            findings.push(
                Error::new(
                    codes::CONFLICTING_KEYS,
                    "`openlineage.url` and `openlineage.file` exclude each other",
                )
                .at(file.key_at())
                .with_help("remove one of the two"),
            );
        }
        let api_key = section
            .get("api_key")
            .and_then(|entry| findings.take(secret_ref(&entry)));
        Self {
            url,
            file,
            namespace,
            api_key,
        }
    }
}
