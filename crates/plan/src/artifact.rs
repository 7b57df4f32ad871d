//! What is kept of a plan bundle. `docs/specs/plan-bundle.md` is the normative description.

mod sealed;

use std::collections::BTreeSet;

use codeanatomy_vocab::{Fingerprint, ViewName};
use serde::{Deserialize, Serialize};

use crate::forms::{Form, FormContent, FormKind, FormValidation, PlanForms};
use crate::{
    Component, ComponentClass, Determinism, FINGERPRINT_FORMAT, PlanBundle, plan_dot, plan_text,
};

/// The version of [`PlanBundleArtifact`]'s shape and of the files that hold one.
pub const ARTIFACT_FORMAT: u32 = 2;

/// The kept form of a [`PlanBundle`].
///
/// [`to_json`](Self::to_json) and [`to_msgpack`](Self::to_msgpack) write it with its format and a
/// checksum; what they wrote is read back by [`from_json`](Self::from_json) and
/// [`from_msgpack`](Self::from_msgpack), and nothing else is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanBundleArtifact {
    /// The version of the digests and keys: [`FINGERPRINT_FORMAT`]. Those of two versions are not
    /// comparable.
    pub fingerprint_format: u32,
    /// The view.
    pub view: ViewName,
    /// The canonical digest of the optimized plan.
    pub plan_digest: Fingerprint,
    /// The canonical digest of the plan that the forms hold: the optimized plan, where need be with
    /// the plans of ephemeral upstream views in the place of their scans.
    pub executed_digest: Fingerprint,
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
    /// The rewrites that took part in making the plan from its text, and those that its functions need.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub required_rewrite_tags: BTreeSet<String>,
    /// The output's columns, in order.
    pub schema: Vec<FieldArtifact>,
    /// The versions of the Delta tables that the plan reads, sorted by table.
    pub delta_inputs: Vec<DeltaInput>,
    /// The plan as Substrait, if it can be encoded.
    pub substrait: Option<FormContent>,
    /// Whether the Substrait form may stand for the plan, and why.
    pub substrait_validation: FormValidation,
    /// The plan as the engine's protobuf, if it can be encoded.
    pub protobuf: Option<FormContent>,
    /// Whether the protobuf form may stand for the plan, and why.
    pub protobuf_validation: FormValidation,
    /// The plans for people.
    pub plan_details: PlanDetails,
}

/// A Delta table of which a plan reads one version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeltaInput {
    /// The table, as the plan names it.
    pub table: String,
    /// Where it is, as the project says it; without anything secret.
    pub location: String,
    /// The version that was read.
    pub version: u64,
    /// When that version was written, in milliseconds since 1970 in UTC, if the log says it.
    pub committed_at: Option<i64>,
    /// Which rows the plan can see of it.
    pub footprint: Fingerprint,
}

/// Plans as text. For reading: they hold names that the engine makes up, so they are no identity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanDetails {
    /// The plan as the query says it.
    pub logical_plan: String,
    /// The optimized plan.
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
    /// What is kept of this bundle, with the forms of its plan and the Delta tables behind it.
    pub fn artifact(&self, forms: PlanForms, delta_inputs: Vec<DeltaInput>) -> PlanBundleArtifact {
        let PlanForms {
            substrait,
            protobuf,
        } = forms;
        let mut delta_inputs = delta_inputs;
        delta_inputs.sort_by(|one, other| one.table.cmp(&other.table));
        PlanBundleArtifact {
            fingerprint_format: FINGERPRINT_FORMAT,
            view: self.view.clone(),
            plan_digest: self.digest.digest,
            executed_digest: self.digest.digest,
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
            required_rewrite_tags: self.required_rewrite_tags.clone(),
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
            delta_inputs,
            substrait: substrait.content,
            substrait_validation: substrait.validation,
            protobuf: protobuf.content,
            protobuf_validation: protobuf.validation,
            plan_details: PlanDetails {
                logical_plan: plan_text(&self.logical),
                optimized_plan: plan_text(&self.optimized),
                optimized_plan_dot: plan_dot(&self.optimized),
            },
        }
    }
}

impl PlanBundleArtifact {
    /// The forms, for choosing the one to run.
    pub fn forms(&self) -> PlanForms {
        PlanForms {
            substrait: Form {
                kind: FormKind::Substrait,
                content: self.substrait.clone(),
                validation: self.substrait_validation.clone(),
            },
            protobuf: Form {
                kind: FormKind::Protobuf,
                content: self.protobuf.clone(),
                validation: self.protobuf_validation.clone(),
            },
        }
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
