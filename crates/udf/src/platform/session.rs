//! Registration on a DataFusion session, and the snapshot of one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use codeanatomy_vocab::{Encoder, Error, Result};
use datafusion::execution::{SessionState, SessionStateDefaults};
use datafusion::prelude::SessionContext;
use datafusion_expr::planner::ExprPlanner;
use datafusion_expr::registry::FunctionRegistry;
use datafusion_expr::{AggregateUDF, HigherOrderUDF, ScalarUDF, WindowUDF};

use super::planner::Rule;
use super::record::FunctionRecord;
use super::registration::{Chosen, Notice, conflict};
use super::snapshot::{RewriteRecord, Snapshot};
use crate::codes::NOT_REGISTERED;
use crate::factory::{MacroFactory, Macros, SqlMacro};
use crate::{Implementation, Kind, Platform, PlatformOptions, Rewrite};

/// What was registered on a session. It lives in the session's configuration and ends with it.
struct Installed {
    options: PlatformOptions,
    chosen: BTreeMap<String, Chosen>,
    rewrites: Vec<Rewrite>,
    last: Mutex<Option<(Functions, Arc<Snapshot>)>>,
}

/// The functions of a session by the address of their implementations. Holding them keeps an address
/// from being given to another function.
#[derive(Clone, Default)]
struct Functions {
    scalar: Vec<Arc<ScalarUDF>>,
    aggregate: Vec<Arc<AggregateUDF>>,
    window: Vec<Arc<WindowUDF>>,
    higher_order: Vec<Arc<HigherOrderUDF>>,
    table: Vec<String>,
}

impl Platform {
    /// Registers everything that the options let in on a session: functions of every kind, expression
    /// planners, rewrite rules, and the factory of macros, unless it has one. Tells what stood in their way.
    ///
    /// States that were made before do not see it; plans that are made afterwards do.
    ///
    /// # Errors
    ///
    /// `CA-UDF-0001` for two functions of one name, if the options are strict; `CA-UDF-0003` where the
    /// options name a planner that there is not; `CA-UDF-0004` when the session does not take a
    /// function.
    ///
    /// # Example: what does a session have afterwards?
    ///
    /// ```
    /// use codeanatomy_udf::{Platform, PlatformOptions, snapshot};
    /// use datafusion::prelude::SessionContext;
    ///
    /// let context = SessionContext::new();
    /// Platform::new(PlatformOptions::default()).register_context(&context)?;
    /// let snapshot = snapshot(&context.state());
    /// assert!(snapshot.get("stable_hash64").is_some());
    /// # Ok::<(), codeanatomy_vocab::Error>(())
    /// ```
    pub fn register_context(&self, context: &SessionContext) -> Result<Vec<Notice>> {
        self.register_session(&mut context.state_ref().write())
    }

    /// Like [`register_context`](Self::register_context), on a state.
    ///
    /// # Errors
    ///
    /// As [`register_context`](Self::register_context).
    pub fn register_session(&self, state: &mut SessionState) -> Result<Vec<Notice>> {
        let rewrites: Vec<Rewrite> = self.rewrites()?.into_iter().cloned().collect();
        let (chosen, _) = self.choose()?;
        let mut tables = Vec::new();
        let mut notices = Vec::new();
        for (name, Chosen { entry, library }) in &chosen {
            let Implementation::Table(function) = entry.implementation() else {
                continue;
            };
            let known = state.table_functions().get(name);
            if known.is_some_and(|known| Arc::ptr_eq(known.function(), function)) {
                continue;
            }
            if known.is_some() && !was_installed(state, name) {
                let (notice, error) = conflict(library, name, "the session's table function");
                if self.options().strict {
                    return Err(error);
                }
                notices.push(notice);
            }
            tables.push((name, function));
        }
        notices.extend(self.register(state)?);
        for (name, function) in tables {
            state.register_udtf(name, Arc::clone(function));
        }
        for rewrite in &rewrites {
            register_rewrite(state, rewrite)?;
        }
        if self.options().enable_function_factory && state.function_factory().is_none() {
            state.set_function_factory(Arc::new(MacroFactory));
        }
        // What another platform registered before stays known, unless this one has the same name.
        let before = state.config().get_extension::<Installed>();
        let (mut all, mut tags) = (chosen, rewrites);
        if let Some(before) = before {
            for (name, value) in &before.chosen {
                all.entry(name.clone()).or_insert_with(|| value.clone());
            }
            let known = |rewrite: &&Rewrite| !tags.iter().any(|tag| tag.tag() == rewrite.tag());
            let more: Vec<Rewrite> = before.rewrites.iter().filter(known).cloned().collect();
            tags.extend(more);
        }
        let installed = Installed {
            options: self.options().clone(),
            chosen: all,
            rewrites: tags,
            last: Mutex::new(None),
        };
        state.config_mut().set_extension(Arc::new(installed));
        notices.sort();
        Ok(notices)
    }
}

/// The options with which the platform was registered on a session, if it was.
pub fn platform_options(state: &SessionState) -> Option<PlatformOptions> {
    let installed = state.config().get_extension::<Installed>()?;
    Some(installed.options.clone())
}

/// The rewrites that take part in the planning of a session.
pub fn rewrites(state: &SessionState) -> Vec<Rewrite> {
    let installed = state.config().get_extension::<Installed>();
    installed.map_or_else(Vec::new, |installed| installed.rewrites.clone())
}

/// All functions of a session. Made once, and again only after a function was added or removed.
pub fn snapshot(state: &SessionState) -> Arc<Snapshot> {
    let Some(installed) = state.config().get_extension::<Installed>() else {
        return Arc::new(take(state, None));
    };
    let functions = Functions::of(state);
    let mut last = installed
        .last
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    if let Some((known, snapshot)) = last.as_ref()
        && known.is(&functions)
    {
        return Arc::clone(snapshot);
    }
    let snapshot = Arc::new(take(state, Some(&installed)));
    *last = Some((functions, Arc::clone(&snapshot)));
    snapshot
}

impl Snapshot {
    /// The snapshot with SQL macros among its functions.
    #[must_use]
    pub fn with_macros(&self, macros: &Macros) -> Self {
        let mut functions = self.functions.clone();
        for function in macros.functions() {
            let mut record = FunctionRecord::of_scalar(function);
            record.kind = Kind::Macro;
            "macros".clone_into(&mut record.library);
            if let Some(file) = macros.definitions().get(function.name()) {
                let mut encoder = Encoder::new("codeanatomy.udf.macro", 1);
                encoder.str(&file.sql);
                record.implementation_digest = Some(encoder.finish());
                record.documentation.summary = file.sql.trim().to_owned();
                record.documentation.section = "macro".to_owned();
                record.documentation.syntax = macro_syntax(function);
            }
            functions.push(record);
        }
        Self::new(functions, self.rewrites.clone())
    }
}

/// How a macro is called.
fn macro_syntax(function: &ScalarUDF) -> String {
    let inner: &dyn std::any::Any = function.inner().as_ref();
    let Some(sql_macro) = inner.downcast_ref::<SqlMacro>() else {
        return format!("{}(...)", function.name());
    };
    let arguments: Vec<String> = sql_macro
        .arguments()
        .iter()
        .map(|argument| match argument.default {
            Some(_) => format!("[{} {}]", argument.name, argument.data_type),
            None => format!("{} {}", argument.name, argument.data_type),
        })
        .collect();
    format!("{}({})", function.name(), arguments.join(", "))
}

/// The functions that the engine brings along, by kind and name.
static ENGINE_FUNCTIONS: LazyLock<BTreeSet<(Kind, String)>> = LazyLock::new(|| {
    let mut names = BTreeSet::new();
    for function in SessionStateDefaults::default_scalar_functions() {
        names.insert((Kind::Scalar, function.name().to_owned()));
    }
    for function in SessionStateDefaults::default_aggregate_functions() {
        names.insert((Kind::Aggregate, function.name().to_owned()));
    }
    for function in SessionStateDefaults::default_window_functions() {
        names.insert((Kind::Window, function.name().to_owned()));
    }
    for function in SessionStateDefaults::default_higher_order_functions() {
        names.insert((Kind::HigherOrder, function.name().to_owned()));
    }
    for function in SessionStateDefaults::default_table_functions() {
        names.insert((Kind::Table, function.name().to_owned()));
    }
    names
});

fn take(state: &SessionState, installed: Option<&Installed>) -> Snapshot {
    let functions = Functions::of(state);
    // A function that is not the one that was installed was put there by somebody else.
    let of_library = |name: &str, is: &dyn Fn(&Implementation) -> bool| {
        let chosen = installed?.chosen.get(name)?;
        is(chosen.entry.implementation())
            .then(|| FunctionRecord::of_entry(&chosen.library, &chosen.entry))
    };
    let foreign = |mut record: FunctionRecord| {
        if !ENGINE_FUNCTIONS.contains(&(record.kind, record.name.clone())) {
            "session".clone_into(&mut record.library);
        }
        record
    };
    let mut records = Vec::new();
    for function in &functions.scalar {
        let is = |known: &Implementation| matches!(known, Implementation::Scalar(known) if known == function);
        records.push(
            of_library(function.name(), &is)
                .unwrap_or_else(|| foreign(FunctionRecord::of_scalar(function))),
        );
    }
    for function in &functions.aggregate {
        let is = |known: &Implementation| matches!(known, Implementation::Aggregate(known) if known == function);
        records.push(
            of_library(function.name(), &is)
                .unwrap_or_else(|| foreign(FunctionRecord::of_aggregate(function))),
        );
    }
    for function in &functions.window {
        let is = |known: &Implementation| matches!(known, Implementation::Window(known) if known == function);
        records.push(
            of_library(function.name(), &is)
                .unwrap_or_else(|| foreign(FunctionRecord::of_window(function))),
        );
    }
    for function in &functions.higher_order {
        let record = FunctionRecord::new(
            function.name(),
            Kind::HigherOrder,
            function.aliases(),
            None,
            function.documentation(),
        );
        records.push(foreign(record));
    }
    for name in &functions.table {
        let is = |known: &Implementation| matches!(known, Implementation::Table(_));
        records
            .push(of_library(name, &is).unwrap_or_else(|| foreign(FunctionRecord::of_table(name))));
    }
    let rewrites = installed.map_or_else(Vec::new, |installed| {
        let rewrites = installed.rewrites.iter();
        rewrites
            .map(|rewrite| RewriteRecord {
                tag: rewrite.tag().to_owned(),
                digest: rewrite.digest(),
                summary: rewrite.summary().to_owned(),
            })
            .collect()
    });
    Snapshot::new(records, rewrites)
}

impl Functions {
    fn of(state: &SessionState) -> Self {
        // A map has an entry for each alias too; under its own name a function is one. Two names may
        // lead to functions of one name where an alias was taken over.
        let mut functions = Self {
            scalar: own(state.scalar_functions(), |function| function.name()),
            aggregate: own(state.aggregate_functions(), |function| function.name()),
            window: own(state.window_functions(), |function| function.name()),
            higher_order: own(state.higher_order_functions(), |function| function.name()),
            table: state.table_functions().keys().cloned().collect(),
        };
        functions.table.sort_unstable();
        functions
    }

    fn is(&self, other: &Self) -> bool {
        fn same<T>(one: &[Arc<T>], other: &[Arc<T>]) -> bool {
            one.len() == other.len()
                && one
                    .iter()
                    .zip(other)
                    .all(|(one, other)| Arc::ptr_eq(one, other))
        }
        same(&self.scalar, &other.scalar)
            && same(&self.aggregate, &other.aggregate)
            && same(&self.window, &other.window)
            && same(&self.higher_order, &other.higher_order)
            && self.table == other.table
    }
}

fn own<'a, T: 'a>(
    map: impl IntoIterator<Item = (&'a String, &'a Arc<T>)>,
    name: impl Fn(&T) -> &str,
) -> Vec<Arc<T>> {
    let mut functions: Vec<(&String, &Arc<T>)> = map
        .into_iter()
        .filter(|(key, function)| key.as_str() == name(function))
        .collect();
    functions.sort_unstable_by_key(|(key, _)| *key);
    functions
        .into_iter()
        .map(|(_, function)| Arc::clone(function))
        .collect()
}

fn was_installed(state: &SessionState, name: &str) -> bool {
    let installed = state.config().get_extension::<Installed>();
    installed.is_some_and(|installed| installed.chosen.contains_key(name))
}

fn register_rewrite(state: &mut SessionState, rewrite: &Rewrite) -> Result<()> {
    let registered = match rewrite.rule() {
        Rule::Planner(planner) => {
            let known = |known: &Arc<dyn ExprPlanner>| Arc::ptr_eq(known, planner);
            if state.expr_planners().iter().any(known) {
                return Ok(());
            }
            state.register_expr_planner(Arc::clone(planner))
        }
        Rule::Function(rule) => {
            let mut known = state.analyzer().function_rewrites().iter();
            if known.any(|known| known.name() == rule.name()) {
                return Ok(());
            }
            state.register_function_rewrite(Arc::clone(rule))
        }
    };
    registered.map_err(|source| {
        let message = format!("the session did not take the rewrite `{}`", rewrite.tag());
        Error::new(NOT_REGISTERED, message)
            .with("rewrite", rewrite.tag())
            .with_source(source)
            .with_help("report this with the version of the engine")
    })
}
