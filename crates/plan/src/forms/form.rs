//! What a form is, as plain data.

use std::fmt;

use codeanatomy_vocab::Fingerprint;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The ways in which a plan can be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FormKind {
    /// Substrait, which other engines read too.
    Substrait,
    /// The engine's own protobuf encoding, which holds more and belongs to one engine version.
    Protobuf,
    /// The plan itself, made again from the text of the view.
    Plan,
}

/// Which plan a form was made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FormSource {
    /// The optimized plan.
    Optimized,
    /// The plan as the query says it.
    Unoptimized,
}

/// The bytes of a form.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormContent {
    /// Which plan was encoded.
    pub source: FormSource,
    /// The SHA-256 of the bytes.
    pub sha256: Fingerprint,
    /// The encoded plan: base64 in JSON, binary in MessagePack.
    #[serde(with = "as_bytes")]
    pub bytes: Vec<u8>,
}

/// The outcome of decoding a form again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormValidation {
    /// Whether the decoded plan has the canonical digest of the original. The digest covers the
    /// names, types, nullability and metadata of the output.
    #[serde(rename = "match")]
    pub matches: bool,
    /// The outcome in words; of a missing form, why it is missing.
    pub reason: String,
}

/// A form of a plan, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    /// The encoding.
    pub kind: FormKind,
    /// The bytes; `None` where the plan cannot be encoded. A form that does not validate keeps
    /// its bytes, for people and other programs.
    pub content: Option<FormContent>,
    /// Whether the form may stand for the plan.
    pub validation: FormValidation,
}

/// Both encoded forms of one plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanForms {
    /// The plan as Substrait, the same bytes in every process.
    pub substrait: Form,
    /// The plan as the engine's protobuf.
    pub protobuf: Form,
}

impl FormKind {
    /// The kind in one lower-case word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Substrait => "substrait",
            Self::Protobuf => "protobuf",
            Self::Plan => "plan",
        }
    }
}

impl fmt::Display for FormKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for FormSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Optimized => "optimized plan",
            Self::Unoptimized => "unoptimized plan",
        })
    }
}

impl FormContent {
    /// The bytes with their hash.
    pub fn new(source: FormSource, bytes: Vec<u8>) -> Self {
        Self {
            source,
            sha256: sha256(&bytes),
            bytes,
        }
    }

    /// Whether the hash is that of the bytes.
    pub fn is_intact(&self) -> bool {
        self.sha256 == sha256(&self.bytes)
    }
}

impl fmt::Debug for FormContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FormContent")
            .field("source", &self.source)
            .field("sha256", &self.sha256)
            .field("bytes", &self.bytes.len())
            .finish()
    }
}

impl Form {
    /// A form that does not exist, and why.
    pub fn missing(kind: FormKind, reason: impl Into<String>) -> Self {
        Self {
            kind,
            content: None,
            validation: FormValidation {
                matches: false,
                reason: reason.into(),
            },
        }
    }
}

impl PlanForms {
    /// No forms, for one reason.
    pub fn missing(reason: &str) -> Self {
        Self {
            substrait: Form::missing(FormKind::Substrait, reason),
            protobuf: Form::missing(FormKind::Protobuf, reason),
        }
    }

    /// The form to run: Substrait if it validates, else protobuf if it does, else the plan. With
    /// the reason in words.
    ///
    /// # Example: which form runs when only protobuf validates?
    ///
    /// ```
    /// use codeanatomy_plan::forms::{Form, FormContent, FormKind, FormSource, PlanForms};
    ///
    /// let mut forms = PlanForms::missing("the plan is too deep");
    /// assert_eq!(forms.best().0, FormKind::Plan);
    /// forms.protobuf.content = Some(FormContent::new(FormSource::Optimized, vec![1]));
    /// forms.protobuf.validation.matches = true;
    /// let (kind, reason) = forms.best();
    /// assert_eq!(kind, FormKind::Protobuf);
    /// assert!(reason.contains("substrait: the plan is too deep"), "{reason}");
    /// ```
    pub fn best(&self) -> (FormKind, String) {
        let mut refused = Vec::new();
        for form in [&self.substrait, &self.protobuf] {
            let FormValidation { matches, reason } = &form.validation;
            match &form.content {
                Some(content) if *matches => {
                    let made = format!("made from the {}, {reason}", content.source);
                    refused.push(made);
                    return (form.kind, refused.join("; "));
                }
                _ => refused.push(format!("{}: {reason}", form.kind)),
            }
        }
        (FormKind::Plan, refused.join("; "))
    }
}

fn sha256(bytes: &[u8]) -> Fingerprint {
    Fingerprint::from_bytes(Sha256::digest(bytes).into())
}

/// Bytes as base64 where people read, and as they are where they do not.
mod as_bytes {
    use std::fmt;

    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use serde::de::{self, Visitor};
    use serde::{Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(
        bytes: &Vec<u8>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.serialize_str(&STANDARD.encode(bytes))
        } else {
            serializer.serialize_bytes(bytes)
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<u8>, D::Error> {
        if deserializer.is_human_readable() {
            deserializer.deserialize_str(Base64)
        } else {
            deserializer.deserialize_bytes(Binary)
        }
    }

    struct Base64;

    impl Visitor<'_> for Base64 {
        type Value = Vec<u8>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("bytes as base64")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
            STANDARD.decode(text).map_err(E::custom)
        }
    }

    struct Binary;

    impl Visitor<'_> for Binary {
        type Value = Vec<u8>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("bytes")
        }

        fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Self::Value, E> {
            Ok(bytes.to_vec())
        }
    }
}
