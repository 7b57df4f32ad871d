//! The named parts of an identity, and the keys made of them.

use codeanatomy_vocab::{Encoder, Fingerprint};
use serde::{Deserialize, Serialize};

use crate::FINGERPRINT_FORMAT;

/// One named part of an identity.
///
/// A bundle lists all of its components, so that whoever compares two bundles can name what
/// differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    /// What it is, for example `input_footprint`. Part of a stable vocabulary.
    pub name: &'static str,
    /// Which one, where there are several of a name: a table, a function.
    pub subject: Option<String>,
    /// Which keys it is in.
    pub class: ComponentClass,
    /// The digest that stands for it in a key.
    pub hash: Fingerprint,
    /// The same for people. May be long, and may say more than the hash covers.
    pub detail: String,
}

/// Which keys a component is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ComponentClass {
    /// Another value can give other rows: in the result key and the plan fingerprint.
    Semantic,
    /// Another value is another plan or environment, with the same rows: in the plan fingerprint.
    Identity,
    /// Another value gives the same plan and rows: in no key, recorded for diagnosis.
    Performance,
}

impl Component {
    /// A component without a subject.
    pub(crate) fn new(
        name: &'static str,
        class: ComponentClass,
        hash: Fingerprint,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            name,
            subject: None,
            class,
            hash,
            detail: detail.into(),
        }
    }

    /// The same component for one subject of several.
    pub(crate) fn of(mut self, subject: &str) -> Self {
        self.subject = Some(subject.to_owned());
        self
    }
}

/// The key over the semantic components.
pub(crate) fn result_key(components: &[Component]) -> Fingerprint {
    key("codeanatomy.result_key", components, |class| match class {
        ComponentClass::Semantic => true,
        ComponentClass::Identity | ComponentClass::Performance => false,
    })
}

/// The key over the semantic and identity components.
pub(crate) fn plan_fingerprint(components: &[Component]) -> Fingerprint {
    key(
        "codeanatomy.plan_fingerprint",
        components,
        |class| match class {
            ComponentClass::Semantic | ComponentClass::Identity => true,
            ComponentClass::Performance => false,
        },
    )
}

fn key(
    domain: &str,
    components: &[Component],
    counts: impl Fn(ComponentClass) -> bool,
) -> Fingerprint {
    let mut counted: Vec<&Component> = components
        .iter()
        .filter(|component| counts(component.class))
        .collect();
    counted.sort_by_key(|component| (component.name, component.subject.as_deref()));
    let mut encoder = Encoder::new(domain, FINGERPRINT_FORMAT);
    encoder.seq(counted.into_iter(), |encoder, component| {
        encoder.str(component.name);
        encoder.option(component.subject.as_deref(), Encoder::str);
        encoder.fingerprint(&component.hash);
    });
    encoder.finish()
}
