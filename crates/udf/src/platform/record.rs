//! What is known of one function, as data that can be kept.

use std::collections::BTreeSet;

use arrow::datatypes::{DataType, Field, FieldRef};
use codeanatomy_vocab::{Encoder, Fingerprint};
use datafusion_expr::{
    AggregateUDF, Documentation, ReturnFieldArgs, ScalarUDF, Signature, TypeSignature, Volatility,
    WindowUDF,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

use crate::{Docs, Entry, Implementation, Kind};

/// One function of a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FunctionRecord {
    /// The name under which plans call it.
    pub name: String,
    /// How it is called.
    pub kind: Kind,
    /// Other names, sorted.
    pub aliases: Vec<String>,
    /// The library that it comes from; `datafusion` for the engine's own, `session` for what somebody
    /// else registered.
    pub library: String,
    /// The version of the implementation, where the library states one.
    pub version: Option<u32>,
    /// What stands for the implementation in identities, where the library states it.
    pub implementation_digest: Option<Fingerprint>,
    /// The lists of arguments that it takes.
    pub signature_inputs: Vec<String>,
    /// What it returns for them, sorted, as far as that is known without a call.
    pub return_types: Vec<String>,
    /// Whether equal arguments give equal results.
    pub volatility: FunctionVolatility,
    /// Whether it waits for something outside of the engine.
    pub is_async: bool,
    /// The rewrites that plans with it need.
    pub rewrite_tags: Vec<String>,
    /// What a reader wants to know.
    pub documentation: FunctionDocumentation,
}

/// Whether equal arguments give equal results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FunctionVolatility {
    /// Always.
    Immutable,
    /// Within one query.
    Stable,
    /// Not even there.
    Volatile,
}

/// What a reader wants to know of a function, as Markdown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FunctionDocumentation {
    /// The family.
    pub section: String,
    /// What it does.
    pub summary: String,
    /// How it is called.
    pub syntax: String,
    /// The arguments in order.
    pub arguments: Vec<ArgumentDocumentation>,
    /// What comes out, where that is written down.
    pub returns: String,
    /// What must be known to rely on it.
    pub notes: Vec<String>,
    /// Queries with the rows that they give.
    pub examples: Vec<ExampleDocumentation>,
}

/// One argument.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArgumentDocumentation {
    /// Its name.
    pub name: String,
    /// Its meaning.
    pub meaning: String,
}

/// A query and its rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExampleDocumentation {
    /// The query, or for functions of the engine query and rows as it prints them.
    pub sql: String,
    /// The rows, columns separated by ` | `.
    pub rows: Vec<String>,
}

/// The library name of the engine's own functions.
pub(crate) const ENGINE: &str = "datafusion";

impl FunctionRecord {
    /// The record of an entry of a library.
    pub fn of_entry(library: &str, entry: &Entry) -> Self {
        let mut record = match entry.implementation() {
            Implementation::Scalar(function) => Self::of_scalar(function),
            Implementation::Aggregate(function) => Self::of_aggregate(function),
            Implementation::Window(function) => Self::of_window(function),
            Implementation::Table(_) => Self::of_table(entry.name()),
        };
        record.kind = entry.kind();
        record.library = match entry.version() {
            Some(_) => library.to_owned(),
            None => ENGINE.to_owned(),
        };
        record.version = entry.version();
        record.implementation_digest = entry.implementation_digest(library);
        record.is_async = entry.is_async();
        record.rewrite_tags = entry.rewrite_tags().to_vec();
        record.documentation = FunctionDocumentation::of_docs(entry.docs());
        record
    }

    /// The record of a scalar function of the session.
    pub(crate) fn of_scalar(function: &ScalarUDF) -> Self {
        let signature = function.signature();
        let return_types = examples(signature, |fields| {
            let args = ReturnFieldArgs {
                arg_fields: fields,
                scalar_arguments: &vec![None; fields.len()],
            };
            function.return_field_from_args(args).ok()
        });
        Self {
            is_async: function.as_async().is_some(),
            return_types,
            ..Self::new(
                function.name(),
                Kind::Scalar,
                function.aliases(),
                Some(signature),
                function.documentation(),
            )
        }
    }

    /// The record of an aggregate function of the session.
    pub(crate) fn of_aggregate(function: &AggregateUDF) -> Self {
        let signature = function.signature();
        Self {
            return_types: examples(signature, |fields| function.return_field(fields).ok()),
            ..Self::new(
                function.name(),
                Kind::Aggregate,
                function.aliases(),
                Some(signature),
                function.documentation(),
            )
        }
    }

    /// The record of a window function of the session.
    pub(crate) fn of_window(function: &WindowUDF) -> Self {
        let signature = function.signature();
        Self {
            return_types: examples(signature, |fields| {
                let args = datafusion_expr::function::WindowUDFFieldArgs::new(fields, "value");
                function.field(args).ok()
            }),
            ..Self::new(
                function.name(),
                Kind::Window,
                function.aliases(),
                Some(signature),
                function.documentation(),
            )
        }
    }

    /// The record of a table function of the session.
    pub(crate) fn of_table(name: &str) -> Self {
        Self::new(name, Kind::Table, &[], None, None)
    }

    pub(crate) fn new(
        name: &str,
        kind: Kind,
        aliases: &[String],
        signature: Option<&Signature>,
        documentation: Option<&Documentation>,
    ) -> Self {
        let mut aliases = aliases.to_vec();
        aliases.sort_unstable();
        Self {
            name: name.to_owned(),
            kind,
            aliases,
            library: ENGINE.to_owned(),
            version: None,
            implementation_digest: None,
            signature_inputs: signature.map_or_else(Vec::new, inputs),
            return_types: Vec::new(),
            volatility: signature.map_or(FunctionVolatility::Volatile, |signature| {
                signature.volatility.into()
            }),
            is_async: false,
            rewrite_tags: Vec::new(),
            documentation: documentation
                .map(FunctionDocumentation::of_engine)
                .unwrap_or_default(),
        }
    }

    /// Writes what can matter to a plan: all but the documentation.
    pub(crate) fn encode(&self, encoder: &mut Encoder) {
        let texts = |encoder: &mut Encoder, texts: &[String]| {
            encoder.seq(texts.iter(), |encoder, text| encoder.str(text));
        };
        encoder.str(&self.name);
        encoder.str(self.kind.as_str());
        texts(encoder, &self.aliases);
        encoder.str(&self.library);
        encoder.option(self.implementation_digest.as_ref(), Encoder::fingerprint);
        texts(encoder, &self.signature_inputs);
        texts(encoder, &self.return_types);
        encoder.str(self.volatility.as_str());
        encoder.bool(self.is_async);
        texts(encoder, &self.rewrite_tags);
    }
}

impl FunctionVolatility {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Immutable => "immutable",
            Self::Stable => "stable",
            Self::Volatile => "volatile",
        }
    }
}

impl From<Volatility> for FunctionVolatility {
    fn from(volatility: Volatility) -> Self {
        match volatility {
            Volatility::Immutable => Self::Immutable,
            Volatility::Stable => Self::Stable,
            Volatility::Volatile => Self::Volatile,
        }
    }
}

impl FunctionDocumentation {
    fn of_docs(docs: &Docs) -> Self {
        let arguments = docs.arguments.iter();
        let examples = docs.examples.iter();
        Self {
            section: docs.section.to_owned(),
            summary: docs.summary.to_owned(),
            syntax: docs.syntax.to_owned(),
            arguments: arguments
                .map(|(name, meaning)| ArgumentDocumentation {
                    name: (*name).to_owned(),
                    meaning: (*meaning).to_owned(),
                })
                .collect(),
            returns: docs.returns.to_owned(),
            notes: docs.notes.iter().map(|note| (*note).to_owned()).collect(),
            examples: examples
                .map(|example| ExampleDocumentation {
                    sql: example.sql.to_owned(),
                    rows: example.rows.iter().map(|row| (*row).to_owned()).collect(),
                })
                .collect(),
        }
    }

    fn of_engine(documentation: &Documentation) -> Self {
        let arguments = documentation.arguments.iter().flatten();
        Self {
            section: documentation.doc_section.label.to_owned(),
            summary: documentation.description.clone(),
            syntax: documentation.syntax_example.clone(),
            arguments: arguments
                .map(|(name, meaning)| ArgumentDocumentation {
                    name: name.clone(),
                    meaning: meaning.clone(),
                })
                .collect(),
            returns: String::new(),
            notes: Vec::new(),
            examples: documentation
                .sql_example
                .iter()
                .map(|sql| ExampleDocumentation {
                    sql: sql.clone(),
                    rows: Vec::new(),
                })
                .collect(),
        }
    }
}

/// The lists of arguments of a signature as text.
fn inputs(signature: &Signature) -> Vec<String> {
    fn of(signature: &TypeSignature) -> Vec<String> {
        match signature {
            TypeSignature::OneOf(signatures) => signatures.iter().flat_map(of).collect(),
            // The engine's text for these names the variant.
            TypeSignature::UserDefined => vec!["checked by the function".to_owned()],
            other => vec![other.to_string_repr().join(", ")],
        }
    }
    of(&signature.type_signature)
}

/// The types that a function returns for the engine's examples of its arguments.
fn examples(
    signature: &Signature,
    returns: impl Fn(&[FieldRef]) -> Option<FieldRef>,
) -> Vec<String> {
    let types: BTreeSet<String> = signature
        .type_signature
        .get_example_types()
        .iter()
        .filter_map(|types: &Vec<DataType>| {
            let fields: Vec<FieldRef> = types
                .iter()
                .map(|data_type| Arc::new(Field::new("value", data_type.clone(), true)))
                .collect();
            returns(&fields).map(|field| field.data_type().to_string())
        })
        .collect();
    types.into_iter().collect()
}
