//! All functions that a session has, as one value with a hash.

use std::collections::{BTreeMap, BTreeSet};

use codeanatomy_vocab::{Encoder, Error, Fingerprint, nearest};
use serde::{Deserialize, Serialize};

use super::record::{ENGINE, FunctionRecord};
use crate::Kind;
use crate::codes::{FUNCTION_NOT_FOUND, REWRITE_NOT_FOUND};

/// The format of a kept snapshot.
pub const SNAPSHOT_FORMAT: u32 = 1;

/// The functions and rewrites of a session.
///
/// Functions are sorted by name and kind, so that the order of registration cannot be seen. The hash
/// covers everything but the documentation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The format of this value.
    pub format_version: u32,
    /// The digest of the functions and rewrites.
    pub hash: Fingerprint,
    /// The functions.
    pub functions: Vec<FunctionRecord>,
    /// The rewrites that take part in planning.
    pub rewrites: Vec<RewriteRecord>,
}

/// One rewrite of a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RewriteRecord {
    /// Its name.
    pub tag: String,
    /// What stands for it in identities.
    pub digest: Fingerprint,
    /// What it does.
    pub summary: String,
}

/// What a view needs and what the session has: the artifact `view_udf_parity_v1`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parity {
    /// The format of this value.
    pub format_version: u32,
    /// The view.
    pub view: String,
    /// The functions that its plan calls.
    pub required: BTreeSet<String>,
    /// The rewrites that its plan needs.
    pub required_rewrite_tags: BTreeSet<String>,
    /// Those of the functions that the session does not have, with the nearest name that it has.
    pub missing: BTreeMap<String, Option<String>>,
    /// Those of the rewrites that the session does not have.
    pub missing_rewrite_tags: BTreeSet<String>,
    /// Whether nothing is missing.
    pub parity: bool,
}

impl Snapshot {
    /// The snapshot of functions and rewrites in any order.
    pub fn new(mut functions: Vec<FunctionRecord>, mut rewrites: Vec<RewriteRecord>) -> Self {
        functions.sort_by(|one, other| (&one.name, one.kind).cmp(&(&other.name, other.kind)));
        rewrites.sort_by(|one, other| one.tag.cmp(&other.tag));
        let mut encoder = Encoder::new("codeanatomy.udf_snapshot", 1);
        encoder.seq(functions.iter(), |encoder, function| {
            function.encode(encoder)
        });
        encoder.seq(rewrites.iter(), |encoder, rewrite| {
            encoder.str(&rewrite.tag);
            encoder.fingerprint(&rewrite.digest);
        });
        Self {
            format_version: SNAPSHOT_FORMAT,
            hash: encoder.finish(),
            functions,
            rewrites,
        }
    }

    /// A function by its name or an alias.
    pub fn get(&self, name: &str) -> Option<&FunctionRecord> {
        let by_name = self.functions.iter().find(|function| function.name == name);
        by_name.or_else(|| {
            self.functions
                .iter()
                .find(|function| function.aliases.iter().any(|alias| alias == name))
        })
    }

    /// The functions of a kind.
    pub fn of_kind(&self, kind: Kind) -> impl Iterator<Item = &FunctionRecord> {
        let functions = self.functions.iter();
        functions.filter(move |function| function.kind == kind)
    }

    /// Every name under which something can be called, with the name of its function.
    pub fn names(&self) -> BTreeMap<&str, &str> {
        let mut names = BTreeMap::new();
        for function in &self.functions {
            for alias in &function.aliases {
                names.insert(alias.as_str(), function.name.as_str());
            }
        }
        for function in &self.functions {
            names.insert(function.name.as_str(), function.name.as_str());
        }
        names
    }

    /// What stands for the implementations of functions that are not the engine's own, by name.
    pub fn implementation_digests(&self) -> BTreeMap<String, Fingerprint> {
        let functions = self.functions.iter();
        functions
            .filter_map(|function| Some((function.name.clone(), function.implementation_digest?)))
            .collect()
    }

    /// The rewrites that functions need, by the function's name; those that need none are left out.
    pub fn rewrite_tags(&self) -> BTreeMap<String, BTreeSet<String>> {
        let functions = self.functions.iter();
        functions
            .filter(|function| !function.rewrite_tags.is_empty())
            .map(|function| {
                let tags = function.rewrite_tags.iter().cloned().collect();
                (function.name.clone(), tags)
            })
            .collect()
    }

    /// The same without the functions of the engine, which its version tells: the artifact
    /// `rust_udf_snapshot_v1`. The hash is that of all functions.
    #[must_use]
    pub fn without_engine(&self) -> Self {
        let functions = self.functions.iter();
        Self {
            format_version: self.format_version,
            hash: self.hash,
            functions: functions
                .filter(|function| function.library != ENGINE)
                .cloned()
                .collect(),
            rewrites: self.rewrites.clone(),
        }
    }

    /// Compares what a view needs with what there is.
    pub fn parity(
        &self,
        view: &str,
        required: &BTreeSet<String>,
        required_rewrite_tags: &BTreeSet<String>,
    ) -> Parity {
        self.parity_among(&self.names(), view, required, required_rewrite_tags)
    }

    /// As [`parity`](Self::parity), for many views: each with the functions and the rewrites that it
    /// needs.
    pub fn parities<'a>(
        &self,
        views: impl IntoIterator<Item = (&'a str, &'a BTreeSet<String>, &'a BTreeSet<String>)>,
    ) -> Vec<Parity> {
        let names = self.names();
        let views = views.into_iter();
        views
            .map(|(view, required, tags)| self.parity_among(&names, view, required, tags))
            .collect()
    }

    fn parity_among(
        &self,
        names: &BTreeMap<&str, &str>,
        view: &str,
        required: &BTreeSet<String>,
        required_rewrite_tags: &BTreeSet<String>,
    ) -> Parity {
        let missing: BTreeMap<String, Option<String>> = required
            .iter()
            .filter(|name| !names.contains_key(name.as_str()))
            .map(|name| {
                let nearest = nearest(name, names.keys().copied());
                (name.clone(), nearest.map(str::to_owned))
            })
            .collect();
        let has = |tag: &&String| self.rewrites.iter().any(|rewrite| rewrite.tag == **tag);
        let missing_rewrite_tags: BTreeSet<String> = required_rewrite_tags
            .iter()
            .filter(|tag| !has(tag))
            .cloned()
            .collect();
        Parity {
            format_version: 1,
            view: view.to_owned(),
            required: required.clone(),
            required_rewrite_tags: required_rewrite_tags.clone(),
            parity: missing.is_empty() && missing_rewrite_tags.is_empty(),
            missing,
            missing_rewrite_tags,
        }
    }
}

impl Parity {
    /// What is missing, each as an error that names the view.
    pub fn errors(&self) -> Vec<Error> {
        let functions = self.missing.iter().map(|(name, nearest)| {
            let message = format!("the view `{}` needs the function `{name}`", self.view);
            Error::new(FUNCTION_NOT_FOUND, message)
                .with("view", &self.view)
                .with("function", name)
                .with_nearest(nearest.as_deref())
                .with_help("correct the name, or register the library that has the function; `codeanatomy udf list` lists what there is")
        });
        let rewrites = self.missing_rewrite_tags.iter().map(|tag| {
            let message = format!("the view `{}` needs the rewrite `{tag}`", self.view);
            Error::new(REWRITE_NOT_FOUND, message)
                .with("view", &self.view)
                .with("rewrite", tag)
                .with_help("set `enable_expr_planners = true`, and name it in `expr_planner_names` if that lists any")
        });
        functions.chain(rewrites).collect()
    }
}
