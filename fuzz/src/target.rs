//! What is fuzzed, and what must hold of every answer.

use std::path::Path;
use std::sync::Arc;

use codeanatomy_plan::forms::{FormKind, decode_form};
use codeanatomy_plan::{PlanBundleArtifact, codes, plan_digest};
use codeanatomy_session::on_planning_stack;
use codeanatomy_testkit::queries::random_query;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::logical_expr::{LogicalPlan, TableType};

use crate::corpus::Corpus;

/// Random queries of this number are the seeds.
const N_SEEDS: u64 = 60;

/// The seed of the queries.
const QUERIES: u64 = 5;

/// One decoder with the session that it decodes in.
pub(crate) struct Target {
    kind: Kind,
    corpus: Corpus,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Substrait,
    Protobuf,
    Msgpack,
    Json,
}

impl Target {
    /// The target that the environment names.
    pub(crate) fn from_environment() -> Self {
        let name = std::env::var("CODEANATOMY_FUZZ_TARGET").unwrap_or_default();
        let kind = match name.as_str() {
            "substrait" => Kind::Substrait,
            "protobuf" => Kind::Protobuf,
            "bundle_msgpack" => Kind::Msgpack,
            "bundle_json" => Kind::Json,
            other => {
                eprintln!("CODEANATOMY_FUZZ_TARGET={other:?} names no target");
                std::process::exit(2);
            }
        };
        Self {
            kind,
            corpus: Corpus::random(QUERIES),
        }
    }

    /// Writes what the target decodes into a folder, a file for each seed.
    pub(crate) fn write_seeds(&self, folder: &Path) {
        let written = on_planning_stack(|| {
            (0..N_SEEDS)
                .filter_map(|number| Some((number, self.seed(number)?)))
                .try_for_each(|(number, bytes)| {
                    std::fs::write(folder.join(format!("seed-{number}")), bytes)
                })
        });
        if let Err(error) = written {
            eprintln!("cannot write seeds into {}: {error}", folder.display());
            std::process::exit(2);
        }
    }

    fn seed(&self, number: u64) -> Option<Vec<u8>> {
        let bundle = self.corpus.bundle(&random_query(QUERIES, number).sql)?;
        let forms = self.corpus.forms(&bundle);
        match self.kind {
            Kind::Substrait => Some(forms.substrait.content?.bytes),
            Kind::Protobuf => Some(forms.protobuf.content?.bytes),
            Kind::Msgpack => bundle.artifact(forms, Vec::new()).to_msgpack().ok(),
            Kind::Json => {
                let text = bundle.artifact(forms, Vec::new()).to_json().ok()?;
                Some(text.into_bytes())
            }
        }
    }

    /// Decodes `bytes` and checks the answer.
    pub(crate) fn run(&self, bytes: &[u8]) {
        match self.kind {
            Kind::Substrait => on_planning_stack(|| self.form(FormKind::Substrait, bytes)),
            Kind::Protobuf => on_planning_stack(|| self.form(FormKind::Protobuf, bytes)),
            Kind::Msgpack => {
                // What is accepted is whole: written again and read again, it is the same.
                if let Ok(artifact) = PlanBundleArtifact::from_msgpack(bytes) {
                    let again = artifact
                        .to_msgpack()
                        .expect("an accepted bundle is written");
                    let again = PlanBundleArtifact::from_msgpack(&again);
                    assert_eq!(again.expect("and read again"), artifact);
                }
            }
            Kind::Json => {
                if let Ok(text) = std::str::from_utf8(bytes)
                    && let Ok(artifact) = PlanBundleArtifact::from_json(text)
                {
                    let again = artifact.to_json().expect("an accepted bundle is written");
                    let again = PlanBundleArtifact::from_json(&again);
                    assert_eq!(again.expect("and read again"), artifact);
                }
            }
        }
    }

    fn form(&self, kind: FormKind, bytes: &[u8]) {
        let corpus = &self.corpus;
        match decode_form(kind, bytes, &corpus.sources, &corpus.state) {
            Ok(plan) => {
                assert!(self.scans_only_what_is_given(&plan), "{plan}");
                // A digest or an error, never a panic.
                let _ = plan_digest(&plan);
            }
            Err(error) => assert_eq!(error.code(), codes::UNREADABLE_FORM, "{error}"),
        }
    }

    /// Whether a plan reads nothing but the tables of the corpus.
    fn scans_only_what_is_given(&self, plan: &LogicalPlan) -> bool {
        let mut only = true;
        let walked = plan.apply_with_subqueries(|node| {
            if let LogicalPlan::TableScan(scan) = node {
                let given = self.corpus.sources.get(&scan.table_name.to_string());
                only &= given.is_some_and(|given| Arc::ptr_eq(given, &scan.source))
                    || scan.source.table_type() == TableType::Temporary;
            }
            Ok(TreeNodeRecursion::Continue)
        });
        walked.is_ok() && only
    }
}
