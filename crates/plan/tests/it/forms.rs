//! The forms of plans: which validate, that those which do are the plan, and why the others do not.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, OnceLock};

use codeanatomy_plan::forms::{Form, FormKind, FormSource, PlanForms};
use codeanatomy_plan::{Determinism, codes};
use codeanatomy_testkit::queries::random_query;
use datafusion::arrow::datatypes::DataType;
use datafusion::logical_expr::{ColumnarValue, Volatility, create_udf};

use crate::corpus::{Corpus, Rows};

const SEED: u64 = 20_260_101;
const N_QUERIES: u64 = 2_150;

/// What a corpus showed.
#[derive(Debug, Default)]
struct Findings {
    n_planned: usize,
    n_run: usize,
    features: BTreeMap<&'static str, usize>,
    /// By form: how many validate.
    valid: BTreeMap<FormKind, usize>,
    /// By form and reason: how many do not, and the text of one query.
    reasons: BTreeMap<(FormKind, String), (usize, String)>,
    /// By digest: the rows, whether they are sure, and the text of one query.
    rows: BTreeMap<String, (Rows, String)>,
    /// What must not be.
    exceptions: Vec<String>,
}

impl Findings {
    fn note_form(&mut self, form: &Form, name: &str) {
        if form.validation.matches {
            *self.valid.entry(form.kind).or_default() += 1;
        } else {
            let reason = general(&form.validation.reason);
            let entry = self
                .reasons
                .entry((form.kind, reason))
                .or_insert_with(|| (0, name.to_owned()));
            entry.0 += 1;
        }
    }

    fn merge(&mut self, other: Self) {
        self.n_planned += other.n_planned;
        self.n_run += other.n_run;
        for (feature, count) in other.features {
            *self.features.entry(feature).or_default() += count;
        }
        for (kind, count) in other.valid {
            *self.valid.entry(kind).or_default() += count;
        }
        for (reason, (count, query)) in other.reasons {
            self.reasons.entry(reason).or_insert((0, query)).0 += count;
        }
        for (digest, (rows, sql)) in other.rows {
            self.note_rows(digest, rows, sql);
        }
        self.exceptions.extend(other.exceptions);
    }

    fn note_rows(&mut self, digest: String, rows: Rows, sql: String) {
        match self.rows.get(&digest) {
            Some((other, first)) if *other != rows => self.exceptions.push(format!(
                "two results for one digest:\n{first}\n{other:?}\n{sql}\n{rows:?}"
            )),
            Some(_) => {}
            None => {
                self.rows.insert(digest, (rows, sql));
            }
        }
    }

    fn share(&self, kind: FormKind) -> f64 {
        let valid = self.valid.get(&kind).copied().unwrap_or(0);
        valid as f64 / self.n_planned.max(1) as f64
    }

    fn report(&self) -> String {
        let mut text = format!("{} planned, {} run\n", self.n_planned, self.n_run);
        for kind in [FormKind::Substrait, FormKind::Protobuf] {
            let _ = writeln!(text, "\n{kind}: {:.1} % validate", 100.0 * self.share(kind));
            let mut reasons: Vec<_> = self
                .reasons
                .iter()
                .filter(|((of, _), _)| *of == kind)
                .collect();
            reasons.sort_by_key(|(_, (count, _))| std::cmp::Reverse(*count));
            for ((_, reason), (count, query)) in reasons.into_iter().take(60) {
                let _ = writeln!(text, "{count:6}  {reason}\n        {query:.300}");
            }
        }
        text
    }
}

/// A reason without the names and numbers of one plan.
fn general(reason: &str) -> String {
    let short: String = reason.chars().take(120).collect();
    let mut general = String::new();
    for part in short.split_inclusive(|c: char| !c.is_ascii_digit()) {
        general.push_str(part.trim_start_matches(|c: char| c.is_ascii_digit()));
    }
    general
}

/// Looks at every query of a corpus whose number has this remainder.
fn examine(remainder: u64, threads: u64) -> Findings {
    let corpus = Corpus::random(SEED);
    let again = Corpus::random(SEED);
    let mut findings = Findings::default();
    for number in (0..N_QUERIES).filter(|number| number % threads == remainder) {
        let query = random_query(SEED, number);
        let Some((analyzed, optimized)) = corpus.plan(&query.sql) else {
            continue;
        };
        let bundle = match corpus.bundle_of(analyzed, optimized.clone()) {
            Ok(bundle) => bundle,
            Err(error) => {
                // The optimizer moves a subquery below an alias and leaves the alias in it.
                if error.code() != codes::UNRESOLVED || corpus.run(&optimized).is_ok() {
                    findings.exceptions.push(format!("{error}:\n{}", query.sql));
                }
                continue;
            }
        };
        findings.n_planned += 1;
        for feature in &query.features {
            *findings.features.entry(feature).or_default() += 1;
        }
        let twice = again.bundle(&query.sql).unwrap();
        if twice.digest != bundle.digest {
            findings
                .exceptions
                .push(format!("another digest in another session:\n{}", query.sql));
        }
        let PlanForms {
            substrait,
            protobuf,
        } = corpus.forms(&bundle);
        findings.note_form(&substrait, &query.sql);
        findings.note_form(&protobuf, &query.sql);
        if again.forms(&twice).substrait.content != substrait.content {
            findings.exceptions.push(format!(
                "other Substrait bytes in another session:\n{}",
                query.sql
            ));
        }
        // Rows that the plan itself does not settle cannot be compared.
        if bundle.determinism > Determinism::D2 {
            continue;
        }
        let Ok(rows) = corpus.run(&bundle.optimized) else {
            continue;
        };
        findings.n_run += 1;
        for form in [substrait, protobuf] {
            let Some(content) = form.content.filter(|_| form.validation.matches) else {
                continue;
            };
            let restored = corpus.restore(form.kind, &content.bytes, bundle.digest.digest);
            let Ok(plan) = restored else {
                findings.exceptions.push(format!(
                    "{} comes back otherwise:\n{}",
                    form.kind, query.sql
                ));
                continue;
            };
            let again = corpus.run(&plan);
            if again.as_ref() != Ok(&rows) {
                findings.exceptions.push(format!(
                    "other rows through {}:\n{}\n{rows:?}\n{again:?}",
                    form.kind, query.sql
                ));
            }
        }
        findings.note_rows(bundle.digest.digest.to_hex(), rows, query.sql);
    }
    findings
}

/// The findings of all random queries, which several tests ask for.
fn examine_all() -> &'static Findings {
    static FINDINGS: OnceLock<Findings> = OnceLock::new();
    FINDINGS.get_or_init(examine_on_all_threads)
}

fn examine_on_all_threads() -> Findings {
    let threads = 2;
    let mut findings = Findings::default();
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|remainder| {
                std::thread::Builder::new()
                    .stack_size(64 << 20)
                    .spawn_scoped(scope, move || examine(remainder, threads))
                    .unwrap()
            })
            .collect();
        for worker in workers {
            findings.merge(worker.join().unwrap());
        }
    });
    findings
}

#[test]
fn a_form_that_validates_gives_the_same_rows_and_one_digest_gives_one_result() {
    let findings = examine_all();
    let exceptions = &findings.exceptions;
    assert!(exceptions.is_empty(), "{}", exceptions.join("\n\n"));
    assert!(findings.n_planned >= 2_000, "{}", findings.n_planned);
    assert!(findings.n_run >= 1_200, "{}", findings.n_run);
    for (kind, floor) in [(FormKind::Substrait, 0.74), (FormKind::Protobuf, 0.99)] {
        let share = findings.share(kind);
        assert!(share >= floor, "{kind}: {share}\n{}", findings.report());
    }
    let rare: Vec<_> = findings
        .features
        .iter()
        .filter(|(_, count)| **count < 3)
        .collect();
    assert!(rare.is_empty(), "hardly ever used: {rare:?}");
    assert!(findings.features.len() >= 90, "{}", findings.features.len());
}

/// `cargo test -p codeanatomy-plan --features forms -- --ignored --nocapture report`
#[test]
#[ignore = "prints a table for people"]
fn report_on_the_random_queries() {
    println!("{}", examine_all().report());
}

#[test]
fn the_tpch_views_validate() {
    let (corpus, views) = Corpus::tpch();
    let mut findings = Findings::default();
    for view in &views {
        findings.n_planned += 1;
        let PlanForms {
            substrait,
            protobuf,
        } = corpus.forms(&view.bundle);
        let name = format!("{} {:.40}", view.name, view.sql);
        findings.note_form(&substrait, &name);
        findings.note_form(&protobuf, &name);
    }
    for kind in [FormKind::Substrait, FormKind::Protobuf] {
        let valid = findings.valid.get(&kind);
        assert_eq!(valid, Some(&views.len()), "{}", findings.report());
    }
    assert!(views.len() >= 30);
}

#[test]
fn functions_of_the_session_are_found_again_by_their_names() {
    let int = DataType::Int64;
    let same = Arc::new(|args: &[ColumnarValue]| Ok(args[0].clone()));
    let double = create_udf(
        "double_it",
        vec![int.clone()],
        int,
        Volatility::Immutable,
        same,
    );
    let mut corpus = Corpus::random(SEED);
    corpus.register(double);
    let sql = "SELECT double_it(a) AS x FROM t WHERE double_it(b) > 1";
    let bundle = corpus.bundle(sql).unwrap();
    let PlanForms {
        substrait,
        protobuf,
    } = corpus.forms(&bundle);
    let without = Corpus::random(SEED);
    for form in [substrait, protobuf] {
        assert!(form.validation.matches, "{:?}", form.validation);
        let bytes = form.content.unwrap().bytes;
        let digest = bundle.digest.digest;
        let plan = corpus.restore(form.kind, &bytes, digest).unwrap();
        assert_eq!(corpus.run(&plan), corpus.run(&bundle.optimized));
        let error = without.restore(form.kind, &bytes, digest).unwrap_err();
        assert_eq!(error.code(), codes::UNREADABLE_FORM);
        assert!(error.to_string().contains("double_it"), "{error}");
    }
}

#[test]
fn what_substrait_lacks_is_named_and_protobuf_runs_instead() {
    let corpus = Corpus::random(SEED);
    for (sql, lost) in [
        (
            "SELECT sum(a) FILTER (WHERE b > 1) OVER (ORDER BY k) AS x FROM t",
            "FILTER of a window function",
        ),
        ("SELECT unnest(list) AS x FROM t", "Unnest"),
        (
            "SELECT sum(a) OVER (ORDER BY k GROUPS 1 PRECEDING) AS x FROM t",
            "Groups",
        ),
    ] {
        let forms = corpus.forms(&corpus.bundle(sql).unwrap());
        assert!(!forms.substrait.validation.matches, "{sql}");
        let (kind, reason) = forms.best();
        assert_eq!(kind, FormKind::Protobuf, "{sql}: {reason}");
        assert!(reason.contains(lost), "{sql}: {reason}");
    }
}

/// The optimizer makes an anti join of it that knows about nulls, and Substrait has none.
#[test]
fn not_in_is_kept_as_the_query_says_it() {
    let corpus = Corpus::random(SEED);
    let sql = "SELECT a FROM t WHERE a NOT IN (SELECT parent FROM v)";
    let bundle = corpus.bundle(sql).unwrap();
    let form = corpus.forms(&bundle).substrait;
    assert!(form.validation.matches, "{:?}", form.validation);
    let content = form.content.unwrap();
    assert_eq!(content.source, FormSource::Unoptimized);
    let plan = corpus
        .restore(form.kind, &content.bytes, bundle.digest.digest)
        .unwrap();
    assert_eq!(corpus.run(&plan), corpus.run(&bundle.optimized));
}

#[test]
fn what_substrait_has_a_place_for_is_kept() {
    let corpus = Corpus::random(SEED);
    for sql in [
        "SELECT first_value(a) IGNORE NULLS OVER (ORDER BY k) AS x FROM t",
        "SELECT last_value(a ORDER BY k) IGNORE NULLS AS x FROM t",
        "SELECT count(DISTINCT a) OVER (PARTITION BY b) AS x FROM t",
        "SELECT sum(a) OVER (ORDER BY k RANGE BETWEEN 2 PRECEDING AND 1 FOLLOWING) AS x FROM t",
        "SELECT sum(a) OVER (ORDER BY k ROWS 2 PRECEDING) AS x, rank() OVER (ORDER BY b) AS y FROM t",
        "SELECT CAST(ts AS TIMESTAMPTZ) AS x, tz AT TIME ZONE 'Europe/Brussels' AS y FROM t",
        "SELECT named_struct('x', 1, 'y', 'z') AS x FROM t",
        "SELECT a FROM t WHERE a IN (SELECT a FROM u) OR b IN (SELECT b FROM u)",
        "SELECT a, b FROM t INTERSECT SELECT a, b + 1 FROM u",
        "SELECT a, count(*) AS n FROM t GROUP BY CUBE (a, b)",
        "SELECT t.a FROM t LEFT JOIN u ON TRUE",
    ] {
        let bundle = corpus.bundle(sql).unwrap();
        let form = corpus.forms(&bundle).substrait;
        assert!(form.validation.matches, "{sql}: {:?}", form.validation);
        let bytes = form.content.unwrap().bytes;
        let plan = corpus
            .restore(form.kind, &bytes, bundle.digest.digest)
            .unwrap();
        assert_eq!(corpus.run(&plan), corpus.run(&bundle.optimized), "{sql}");
    }
}
