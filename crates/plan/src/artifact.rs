//! What is kept of a plan bundle.

use std::collections::BTreeSet;

use codeanatomy_vocab::{Error, Fingerprint, Result, ViewName};
use serde::{Deserialize, Serialize};

use crate::error::codes;
use crate::{
    Component, ComponentClass, Determinism, FINGERPRINT_FORMAT, PlanBundle, plan_dot, plan_text,
};

/// The version of [`PlanBundleArtifact`]'s shape.
pub const ARTIFACT_FORMAT: u32 = 1;

/// The kept form of a [`PlanBundle`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanBundleArtifact {
    /// The version of this shape: [`ARTIFACT_FORMAT`].
    pub format_version: u32,
    /// The version of the digests and keys: [`FINGERPRINT_FORMAT`].
    pub fingerprint_format: u32,
    /// The view.
    pub view: ViewName,
    /// The canonical digest of the optimized plan.
    pub plan_digest: Fingerprint,
    /// Is this the same plan, in the same environment, on the same inputs?
    pub plan_fingerprint: Fingerprint,
    /// Could the rows differ?
    pub result_key: Fingerprint,
    /// Nodes whose inside the engine does not show.
    pub opaque: Vec<String>,
    /// What makes two runs over the same inputs differ.
    pub volatile: Vec<String>,
    /// How far two runs over the same inputs agree, and why.
    pub determinism: DeterminismArtifact,
    /// The components of both keys, and those of none, sorted by name and subject.
    pub determinism_audit: Vec<ComponentArtifact>,
    /// The tables that the plan reads.
    pub tables: BTreeSet<String>,
    /// The functions that the plan calls.
    pub required_udfs: BTreeSet<String>,
    /// The output's columns, in order.
    pub schema: Vec<FieldArtifact>,
    /// The plan as the query says it, as text.
    pub logical_plan: String,
    /// The optimized plan as text.
    pub optimized_plan: String,
    /// The optimized plan as Graphviz DOT.
    pub optimized_plan_dot: String,
}

/// The kept form of a [`Component`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComponentArtifact {
    /// What it is.
    pub name: String,
    /// Which one, where there are several of a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Which keys it is in.
    pub class: ComponentClass,
    /// The digest that stands for it in a key.
    pub hash: Fingerprint,
    /// The same for people.
    pub detail: String,
}

/// The kept form of a determinism class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeterminismArtifact {
    /// The class.
    pub class: Determinism,
    /// The node that decides it.
    pub reason: String,
}

/// The kept form of an output column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldArtifact {
    /// The column's name.
    pub name: String,
    /// Its Arrow type as text.
    #[serde(rename = "type")]
    pub data_type: String,
    /// Whether it may hold nulls.
    pub nullable: bool,
}

impl PlanBundle {
    /// The form of this bundle that is kept: everything but the plans themselves, which are there
    /// as text.
    pub fn artifact(&self) -> PlanBundleArtifact {
        PlanBundleArtifact {
            format_version: ARTIFACT_FORMAT,
            fingerprint_format: FINGERPRINT_FORMAT,
            view: self.view.clone(),
            plan_digest: self.digest.digest,
            plan_fingerprint: self.plan_fingerprint,
            result_key: self.result_key,
            opaque: self.digest.opaque.clone(),
            volatile: self.digest.volatile.clone(),
            determinism: DeterminismArtifact {
                class: self.determinism,
                reason: self.determinism_reason.clone(),
            },
            determinism_audit: self.components.iter().map(Into::into).collect(),
            tables: self.digest.tables.clone(),
            required_udfs: self.required_udfs.clone(),
            schema: self
                .schema
                .fields()
                .iter()
                .map(|field| FieldArtifact {
                    name: field.name().clone(),
                    data_type: field.data_type().to_string(),
                    nullable: field.is_nullable(),
                })
                .collect(),
            logical_plan: plan_text(&self.logical),
            optimized_plan: plan_text(&self.optimized),
            optimized_plan_dot: plan_dot(&self.optimized),
        }
    }
}

impl PlanBundleArtifact {
    /// Reads a kept bundle.
    ///
    /// # Errors
    ///
    /// [`CA-PLAN-0005`](codes::DAMAGED_ARTIFACT) when the text is not such a bundle, and
    /// [`CA-PLAN-0006`](codes::UNKNOWN_ARTIFACT_FORMAT) when it is one of another format.
    pub fn from_json(text: &str) -> Result<Self> {
        #[derive(Deserialize)]
        struct Version {
            format_version: u32,
        }
        let damaged = |source: serde_json::Error| {
            Error::new(codes::DAMAGED_ARTIFACT, "the plan bundle is damaged")
                .with_help("build the view again to write a new one")
                .with_source(source)
        };
        let Version { format_version } = serde_json::from_str(text).map_err(damaged)?;
        if format_version != ARTIFACT_FORMAT {
            return Err(Error::new(
                codes::UNKNOWN_ARTIFACT_FORMAT,
                format!("the plan bundle has format {format_version}"),
            )
            .with_expected(format!("format {ARTIFACT_FORMAT}"))
            .with_help("read it with the version of the program that wrote it"));
        }
        serde_json::from_str(text).map_err(damaged)
    }
}

impl From<&Component> for ComponentArtifact {
    fn from(component: &Component) -> Self {
        Self {
            name: component.name.to_owned(),
            subject: component.subject.clone(),
            class: component.class,
            hash: component.hash,
            detail: component.detail.clone(),
        }
    }
}
