//! From options and libraries to the functions of a session.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use codeanatomy_vocab::{Error, Result, nearest};
use datafusion_expr::registry::FunctionRegistry;
use serde::Serialize;

use crate::codes::{CONFLICT, NOT_REGISTERED, UNKNOWN_PLANNER};
use crate::{AsyncLimits, Entry, Implementation, Library, PlatformOptions, Rewrite};

/// Options, libraries and rewrites: everything that a session can be given.
///
/// The order in which libraries arrive cannot be seen, and registering twice is registering once.
///
/// # Example: how does a registry get the functions?
///
/// ```
/// use codeanatomy_udf::{Platform, PlatformOptions};
/// use datafusion_expr::registry::{FunctionRegistry, MemoryFunctionRegistry};
///
/// let platform = Platform::new(PlatformOptions::default());
/// let mut registry = MemoryFunctionRegistry::new();
/// assert!(platform.register(&mut registry)?.is_empty());
/// assert!(registry.udf("stable_hash64").is_ok());
/// # Ok::<(), codeanatomy_vocab::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Platform {
    options: PlatformOptions,
    libraries: BTreeMap<String, Library>,
    rewrites: BTreeMap<&'static str, Rewrite>,
}

/// Something about a registration that its owner should know, though it is no error.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Notice {
    /// The function that it is about.
    pub function: String,
    /// What was found and done, in lower case and without a final dot.
    pub message: String,
}

/// An entry with the name of its library.
#[derive(Debug, Clone)]
pub(crate) struct Chosen {
    pub(crate) library: String,
    pub(crate) entry: Entry,
}

impl Platform {
    /// The platform with the functions and planners of this crate.
    pub fn new(options: PlatformOptions) -> Self {
        let builtin = Library::builtin();
        let rewrites = crate::rewrite::rewrites();
        Self {
            options,
            libraries: BTreeMap::from([(builtin.name().to_owned(), builtin)]),
            rewrites: rewrites
                .into_iter()
                .map(|rewrite| (rewrite.tag(), rewrite))
                .collect(),
        }
    }

    /// The platform with one more library. One of the same name is replaced.
    #[must_use]
    pub fn with_library(mut self, library: Library) -> Self {
        self.libraries.insert(library.name().to_owned(), library);
        self
    }

    /// The platform with one more planner or rule. One of the same tag is replaced.
    #[must_use]
    pub fn with_rewrite(mut self, rewrite: Rewrite) -> Self {
        self.rewrites.insert(rewrite.tag(), rewrite);
        self
    }

    /// The options.
    pub fn options(&self) -> &PlatformOptions {
        &self.options
    }

    /// The libraries, by name.
    pub fn libraries(&self) -> impl Iterator<Item = &Library> {
        self.libraries.values()
    }

    /// The planners and rules that the options let in, by tag.
    ///
    /// # Errors
    ///
    /// `CA-UDF-0003`: the options name a planner that there is not.
    pub fn rewrites(&self) -> Result<Vec<&Rewrite>> {
        let names = &self.options.expr_planner_names;
        for name in names {
            let known = || {
                self.rewrites
                    .values()
                    .filter(|rewrite| rewrite.is_planner())
            };
            if !known().any(|rewrite| rewrite.tag() == name) {
                let message = format!("there is no expression planner `{name}`");
                let tags = known().map(Rewrite::tag);
                return Err(Error::new(UNKNOWN_PLANNER, message)
                    .with("planner", name)
                    .with_nearest(nearest(name, tags.clone()))
                    .with_expected(format!(
                        "one of `{}`",
                        tags.collect::<Vec<_>>().join("`, `")
                    ))
                    .with_help("correct the name in `expr_planner_names`, or remove it"));
            }
        }
        let wanted = |rewrite: &&Rewrite| {
            !rewrite.is_planner()
                || self.options.enable_expr_planners
                    && (names.is_empty() || names.iter().any(|name| name == rewrite.tag()))
        };
        Ok(self.rewrites.values().filter(wanted).collect())
    }

    /// Registers the scalar, aggregate and window functions, and tells what stood in their way.
    ///
    /// A function that is there already is left as it is.
    ///
    /// # Errors
    ///
    /// `CA-UDF-0001` for two functions of one name, if the options are strict; `CA-UDF-0004` when the
    /// registry does not take a function.
    pub fn register(&self, registry: &mut dyn FunctionRegistry) -> Result<Vec<Notice>> {
        let (chosen, mut notices) = self.choose()?;
        let taken = Taken::of(registry);
        let mut conflicts = Vec::new();
        for Chosen { entry, library } in chosen.values() {
            if is_registered(registry, entry) {
                continue;
            }
            for name in entry.names() {
                if let Some(kind) = taken.kind(name) {
                    conflicts.push(conflict(
                        library,
                        name,
                        &format!("the session's {kind} function"),
                    ));
                }
            }
        }
        for (notice, error) in conflicts {
            if self.options.strict {
                return Err(error);
            }
            notices.push(notice);
        }
        for Chosen { entry, .. } in chosen.values() {
            if !is_registered(registry, entry) {
                let registered = match entry.implementation() {
                    Implementation::Scalar(function) => {
                        registry.register_udf(Arc::clone(function)).map(drop)
                    }
                    Implementation::Aggregate(function) => {
                        registry.register_udaf(Arc::clone(function)).map(drop)
                    }
                    Implementation::Window(function) => {
                        registry.register_udwf(Arc::clone(function)).map(drop)
                    }
                    Implementation::Table(_) => Ok(()),
                };
                registered.map_err(|source| not_registered(entry.name(), source))?;
            }
        }
        notices.sort();
        Ok(notices)
    }

    /// One function for each name, and what was decided between libraries that have the same.
    pub(crate) fn choose(&self) -> Result<(BTreeMap<String, Chosen>, Vec<Notice>)> {
        let mut chosen: BTreeMap<String, Chosen> = BTreeMap::new();
        let mut notices = Vec::new();
        if !self.options.enable_udfs {
            return Ok((chosen, notices));
        }
        let mut names: BTreeMap<String, String> = BTreeMap::new();
        // What others bring wins over what is built in; among others the first by name does.
        let builtin = |library: &&Library| library.name() == Library::BUILTIN;
        let mut libraries: Vec<&Library> = self.libraries.values().collect();
        libraries.sort_by_key(builtin);
        for library in libraries {
            for entry in library.entries() {
                if entry.is_async() && !self.options.enable_async_udfs {
                    continue;
                }
                let other = entry
                    .names()
                    .find_map(|name| Some((name, names.get(name)?)));
                if let Some((name, other)) = other {
                    let (notice, error) = conflict(
                        library.name(),
                        name,
                        &format!("that of the library `{other}`"),
                    );
                    if self.options.strict {
                        return Err(error);
                    }
                    notices.push(notice);
                    continue;
                }
                for name in entry.names() {
                    names.insert(name.to_owned(), library.name().to_owned());
                }
                let value = Chosen {
                    library: library.name().to_owned(),
                    entry: entry.clone().limited(AsyncLimits {
                        timeout_ms: self.options.async_udf_timeout_ms,
                        batch_size: self.options.async_udf_batch_size,
                        ..AsyncLimits::default()
                    }),
                };
                chosen.insert(entry.name().to_owned(), value);
            }
        }
        Ok((chosen, notices))
    }
}

/// The names of a registry by kind, as they are before anything is registered.
struct Taken {
    kinds: [(&'static str, BTreeSet<String>); 4],
}

impl Taken {
    fn of(registry: &dyn FunctionRegistry) -> Self {
        Self {
            kinds: [
                ("scalar", registry.udfs().into_iter().collect()),
                ("aggregate", registry.udafs().into_iter().collect()),
                ("window", registry.udwfs().into_iter().collect()),
                (
                    "higher-order",
                    registry.higher_order_function_names().into_iter().collect(),
                ),
            ],
        }
    }

    fn kind(&self, name: &str) -> Option<&'static str> {
        let found = self.kinds.iter().find(|(_, names)| names.contains(name));
        found.map(|(kind, _)| *kind)
    }
}

/// Whether this very function is registered, and no other under one of its other names. A registry
/// need not know aliases.
fn is_registered(registry: &dyn FunctionRegistry, entry: &Entry) -> bool {
    let known = |name: &str| match entry.implementation() {
        Implementation::Scalar(function) => registry.udf(name).ok().map(|known| known == *function),
        Implementation::Aggregate(function) => {
            registry.udaf(name).ok().map(|known| known == *function)
        }
        Implementation::Window(function) => {
            registry.udwf(name).ok().map(|known| known == *function)
        }
        Implementation::Table(_) => Some(true),
    };
    let aliases = entry.aliases().iter();
    known(entry.name()) == Some(true)
        && aliases
            .map(|alias| known(alias))
            .all(|is| is != Some(false))
}

pub(crate) fn conflict(library: &str, name: &str, other: &str) -> (Notice, Error) {
    let notice = Notice {
        function: name.to_owned(),
        message: format!("`{name}` of the library `{library}` meets {other}"),
    };
    let error = Error::new(CONFLICT, notice.message.clone())
        .with("function", name)
        .with_help("give one of the two another name, or set `strict_udfs = false` to let one win");
    (notice, error)
}

fn not_registered(name: &str, source: datafusion_common::DataFusionError) -> Error {
    Error::new(
        NOT_REGISTERED,
        format!("the registry did not take the function `{name}`"),
    )
    .with("function", name)
    .with_source(source)
    .with_help("register on a registry that takes functions, for example a session")
}
