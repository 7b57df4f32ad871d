//! Damaged and hostile bytes: every decoder answers with a plan or an error, soon.

use codeanatomy_plan::forms::{FormKind, decode_form, restore_plan};
use codeanatomy_plan::{PlanBundleArtifact, codes};
use codeanatomy_testkit::queries::random_query;
use datafusion::logical_expr::LogicalPlan;

use crate::corpus::Corpus;

/// The same numbers in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end.max(1)
    }

    /// Half of the time one other bit or byte, which often leaves a message that can be read; else
    /// several changes: cuts, repetitions, parts of another file, huge lengths.
    fn mutate(&mut self, bytes: &[u8], other: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        if self.below(2) == 0 && !bytes.is_empty() {
            let place = self.below(bytes.len());
            bytes[place] = bytes[place].wrapping_add([1, 2, 0x80, 0xff][self.below(4)]);
            return bytes;
        }
        for _ in 0..=self.below(4) {
            let place = self.below(bytes.len());
            match self.below(7) {
                0 if !bytes.is_empty() => bytes[place] ^= 1 << self.below(8),
                1 if !bytes.is_empty() => bytes[place] = [0, 1, 0x7f, 0x80, 0xff][self.below(5)],
                2 => bytes.truncate(place),
                3 => {
                    let end = (place + self.below(32)).min(bytes.len());
                    bytes.drain(place..end);
                }
                4 => {
                    let end = (place + self.below(64)).min(bytes.len());
                    let part = bytes[place..end].to_vec();
                    bytes.splice(place..place, part);
                }
                5 => {
                    let start = self.below(other.len());
                    let end = (start + self.below(64)).min(other.len());
                    bytes.splice(place..place, other[start..end].iter().copied());
                }
                // A length of five bytes.
                _ => {
                    bytes.splice(place..place, [0xff, 0xff, 0xff, 0xff, 0x0f]);
                }
            }
        }
        bytes
    }
}

/// Runs the work on a stack for planning, and keeps the engine's panics out of the output.
fn on_planning_stack<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        std::thread::Builder::new()
            .stack_size(64 << 20)
            .spawn_scoped(scope, work)
            .unwrap()
            .join()
            .unwrap()
    })
}

/// Forms of one kind, of many sorts of plans.
fn seeds(corpus: &Corpus, kind: FormKind) -> Vec<Vec<u8>> {
    (0..60)
        .filter_map(|number| {
            let bundle = corpus.bundle(&random_query(5, number).sql)?;
            let forms = corpus.forms(&bundle);
            let form = match kind {
                FormKind::Substrait => forms.substrait,
                FormKind::Protobuf | FormKind::Plan => forms.protobuf,
            };
            Some(form.content?.bytes)
        })
        .collect()
}

fn fuzz_form(kind: FormKind, n_runs: usize) {
    on_planning_stack(move || {
        let corpus = Corpus::random(5);
        let seeds = seeds(&corpus, kind);
        assert!(seeds.len() > 20, "{}", seeds.len());
        let mut numbers = Numbers(11);
        let (mut n_plans, mut n_errors) = (0, 0);
        for _ in 0..n_runs {
            let one = &seeds[numbers.below(seeds.len())];
            let other = &seeds[numbers.below(seeds.len())];
            let bytes = numbers.mutate(one, other);
            match decode_form(kind, &bytes, &corpus.sources, &corpus.state) {
                Ok(plan) => {
                    n_plans += 1;
                    assert!(scans_only(&plan, &corpus), "{plan}");
                }
                Err(error) => {
                    n_errors += 1;
                    assert_eq!(error.code(), codes::UNREADABLE_FORM, "{error}");
                }
            }
        }
        // The mutants are worth something only while they get past the first bytes.
        assert!(
            n_plans > n_runs / 100 && n_errors > n_runs / 10,
            "{n_plans} {n_errors}"
        );
    });
}

/// Whether a plan reads nothing but the given tables.
fn scans_only(plan: &LogicalPlan, corpus: &Corpus) -> bool {
    use datafusion::common::tree_node::TreeNodeRecursion;
    let mut only = true;
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node {
            let name = scan.table_name.to_string();
            let given = corpus.sources.get(&name);
            only &= given.is_some_and(|given| std::sync::Arc::ptr_eq(given, &scan.source))
                || scan.source.table_type() == datafusion::logical_expr::TableType::Temporary;
        }
        Ok(TreeNodeRecursion::Continue)
    })
    .unwrap();
    only
}

#[test]
fn damaged_substrait_bytes_give_a_plan_or_an_error() {
    fuzz_form(FormKind::Substrait, 3_000);
}

#[test]
fn damaged_protobuf_bytes_give_a_plan_or_an_error() {
    fuzz_form(FormKind::Protobuf, 3_000);
}

#[test]
fn damaged_bundles_give_an_error() {
    let corpus = Corpus::random(5);
    let artifacts: Vec<PlanBundleArtifact> = (0..12)
        .filter_map(|number| {
            let bundle = corpus.bundle(&random_query(5, number).sql)?;
            let forms = on_planning_stack(|| corpus.forms(&bundle));
            Some(bundle.artifact(forms, Vec::new()))
        })
        .collect();
    let mut numbers = Numbers(3);
    for _ in 0..600 {
        let one = &artifacts[numbers.below(artifacts.len())];
        let other = &artifacts[numbers.below(artifacts.len())];
        let (one, other) = (one.to_msgpack().unwrap(), other.to_msgpack().unwrap());
        let bytes = numbers.mutate(&one, &other);
        assert!(bytes == one || PlanBundleArtifact::from_msgpack(&bytes).is_err());
    }
    for _ in 0..600 {
        let one = &artifacts[numbers.below(artifacts.len())];
        let other = &artifacts[numbers.below(artifacts.len())];
        let (one, other) = (one.to_json().unwrap(), other.to_json().unwrap());
        let bytes = numbers.mutate(one.as_bytes(), other.as_bytes());
        if let Ok(text) = std::str::from_utf8(&bytes) {
            assert!(text == one || PlanBundleArtifact::from_json(text).is_err());
        }
    }
}

#[test]
fn a_form_of_another_plan_is_refused() {
    on_planning_stack(|| {
        let corpus = Corpus::random(5);
        let one = corpus.bundle("SELECT a FROM t WHERE a > 1").unwrap();
        let other = corpus.bundle("SELECT a FROM t WHERE a > 2").unwrap();
        let bytes = corpus.forms(&other).substrait.content.unwrap().bytes;
        let digest = one.digest.digest;
        let restored = restore_plan(
            FormKind::Substrait,
            &bytes,
            &corpus.sources,
            &corpus.state,
            digest,
        );
        assert_eq!(restored.unwrap_err().code(), codes::OTHER_PLAN);
        let none = std::collections::BTreeMap::new();
        let error = decode_form(FormKind::Substrait, &bytes, &none, &corpus.state).unwrap_err();
        assert_eq!(error.code(), codes::UNREADABLE_FORM);
    });
}
