//! The macros of many files, in the order in which they can be planned.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use codeanatomy_vocab::{Error, Errors, Location, Result, nearest};
use datafusion::common::DataFusionError;
use datafusion::common::config::Dialect;
use datafusion::execution::{FunctionRegistry, SessionState};
use datafusion::logical_expr::ScalarUDF;
use datafusion::prelude::SessionContext;

use super::text::{Declaration, MacroFile, lower_first, place, read, refusal};
use crate::codes::{MACRO_BODY, MACRO_NAME, MACRO_RING};

/// Macros as their files declare them: parsed, and known to be free of rings.
#[derive(Debug, Clone, Default)]
pub struct MacroSet {
    files: Vec<MacroFile>,
    /// A macro comes after those that it calls.
    declarations: Vec<Declaration>,
}

/// Macros that are planned. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Macros {
    functions: Vec<Arc<ScalarUDF>>,
    definitions: Arc<BTreeMap<String, MacroFile>>,
}

impl MacroSet {
    /// Reads files of `CREATE FUNCTION` statements. Their order does not matter, nor does that of the
    /// statements: a macro may call one that is declared later.
    ///
    /// The SQL is PostgreSQL's where `dialect` is, and the engine's own otherwise.
    ///
    /// # Errors
    ///
    /// All at once:
    ///
    /// - `CA-UDF-0030`: a text that does not parse.
    /// - `CA-UDF-0031`: a statement that is no macro, or has a clause that macros do not have.
    /// - `CA-UDF-0032`: macros that call each other in a ring, which is named.
    /// - `CA-UDF-0033`: two macros of one name.
    ///
    /// # Example: may macros call each other?
    ///
    /// ```
    /// use codeanatomy_udf::factory::{MacroFile, MacroSet};
    ///
    /// let file = |sql: &str| MacroFile { path: "macros/m.sql".into(), sql: sql.into() };
    /// let nested = "create function twice(n bigint) return plus(n, n);
    ///               create function plus(a bigint, b bigint) return a + b;";
    /// assert!(MacroSet::parse(vec![file(nested)], Default::default()).is_ok());
    ///
    /// let ring = "create function a(n bigint) return b(n); create function b(n bigint) return a(n)";
    /// let errors = MacroSet::parse(vec![file(ring)], Default::default()).unwrap_err();
    /// assert_eq!(errors.first().code().id(), "CA-UDF-0032");
    /// assert!(errors.first().to_string().contains("a -> b -> a"));
    /// ```
    pub fn parse(files: Vec<MacroFile>, dialect: Dialect) -> Result<Self, Errors> {
        let mut errors = Vec::new();
        let mut by_name: BTreeMap<String, Declaration> = BTreeMap::new();
        for file in &files {
            let (declarations, found) = read(file, dialect);
            errors.extend(found);
            for declaration in declarations {
                if let Some(first) = by_name.get(&declaration.name) {
                    errors.push(twice(&declaration, &first.location));
                    continue;
                }
                by_name.insert(declaration.name.clone(), declaration);
            }
        }
        let order = order(&by_name, &mut errors);
        let declarations = order
            .into_iter()
            .filter_map(|name| by_name.remove(&name))
            .collect();
        let set = Self {
            files,
            declarations,
        };
        Errors::check(errors, set)
    }

    /// The files that the macros come from.
    pub fn files(&self) -> &[MacroFile] {
        &self.files
    }

    /// The names of the macros with their places, a macro after those that it calls.
    pub fn names(&self) -> impl Iterator<Item = (&str, &Location)> {
        self.declarations
            .iter()
            .map(|declaration| (declaration.name.as_str(), &declaration.location))
    }

    /// Plans the macros with the functions of a session, which is left as it is.
    ///
    /// # Errors
    ///
    /// All at once:
    ///
    /// - `CA-UDF-0033`: a macro has the name of a function of the session.
    /// - `CA-UDF-0034`: a body that does not plan, is no scalar expression over the arguments, or does
    ///   not give what the macro says it returns.
    pub fn plan(&self, state: &SessionState) -> Result<Macros, Errors> {
        let mut state = state.clone();
        let mut errors = Vec::new();
        let mut failed: BTreeSet<&str> = BTreeSet::new();
        let mut functions = Vec::with_capacity(self.declarations.len());
        let mut definitions = BTreeMap::new();
        for declared in &self.declarations {
            let name = declared.name.as_str();
            if is_function(&state, name) {
                errors.push(taken(declared));
                failed.insert(name);
                continue;
            }
            // What is wrong with a macro is told once, not again for each that calls it.
            if declared
                .calls
                .iter()
                .any(|called| failed.contains(called.as_str()))
            {
                failed.insert(name);
                continue;
            }
            match super::plan::plan(declared, &state) {
                Ok(planned) => {
                    let function = Arc::new(ScalarUDF::new_from_impl(planned));
                    if let Err(error) = state.register_udf(Arc::clone(&function)) {
                        errors.push(body_error(&error, declared, self, &state));
                        continue;
                    }
                    functions.push(function);
                    definitions.insert(declared.name.clone(), declared.file());
                }
                Err(error) => {
                    errors.push(body_error(&error, declared, self, &state));
                    failed.insert(name);
                }
            }
        }
        let definitions = Arc::new(definitions);
        Errors::check(
            errors,
            Macros {
                functions,
                definitions,
            },
        )
    }
}

impl Macros {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.functions.is_empty()
    }

    /// The macros as functions, each after those that it calls.
    pub fn functions(&self) -> &[Arc<ScalarUDF>] {
        &self.functions
    }

    /// The statement that declares each, by name: written anew, with the path of its file. A set of
    /// these files declares the same macros.
    pub fn definitions(&self) -> &BTreeMap<String, MacroFile> {
        &self.definitions
    }

    /// Makes them functions of a planning state.
    ///
    /// # Errors
    ///
    /// When the state refuses one.
    pub fn register(&self, state: &mut SessionState) -> datafusion::common::Result<()> {
        for function in &self.functions {
            state.register_udf(Arc::clone(function))?;
        }
        Ok(())
    }

    /// Makes them functions of a session.
    pub fn register_in(&self, context: &SessionContext) {
        for function in &self.functions {
            context.register_udf(function.as_ref().clone());
        }
    }
}

pub(super) fn is_function(state: &SessionState, name: &str) -> bool {
    state.scalar_functions().contains_key(name)
        || state.aggregate_functions().contains_key(name)
        || state.window_functions().contains_key(name)
        || state.higher_order_functions().contains_key(name)
}

fn twice(declaration: &Declaration, first: &Location) -> Error {
    let name = &declaration.name;
    let message = format!("there are two macros `{name}`, the other at {first}");
    refusal(MACRO_NAME, name, message, &declaration.location)
        .with_help("rename or remove one of them")
}

fn taken(declared: &Declaration) -> Error {
    let name = &declared.name;
    let message = format!("`{name}` is the name of a function, which a macro does not replace");
    refusal(MACRO_NAME, name, message, &declared.location).with_help("rename the macro")
}

fn body_error(
    error: &DataFusionError,
    declared: &Declaration,
    set: &MacroSet,
    state: &SessionState,
) -> Error {
    let path = declared.location.path();
    let span = error.diagnostic().and_then(|diagnostic| diagnostic.span);
    let sql = set
        .files
        .iter()
        .find(|file| file.path == path)
        .map(|file| &file.sql);
    let location = match (span, sql) {
        (Some(span), Some(sql)) => {
            let start = datafusion::sql::sqlparser::tokenizer::Location {
                line: span.start.line,
                column: span.start.column,
            };
            place(
                path,
                sql,
                datafusion::sql::sqlparser::tokenizer::Span::new(start, start),
            )
        }
        _ => declared.location.clone(),
    };
    let root = error.find_root();
    let message = match root {
        DataFusionError::SchemaError(..) => {
            let column = root.message();
            let column = column.lines().next().unwrap_or_default();
            format!("{}; a macro sees its arguments alone", lower_first(column))
        }
        other => lower_first(&other.message()),
    };
    // What the engine adds below is said better by the help.
    let message = message
        .lines()
        .next()
        .unwrap_or_default()
        .trim_end_matches('.');
    let message = format!("the macro `{}` does not plan: {message}", declared.name);
    let refused = refusal(MACRO_BODY, &declared.name, message, &location);
    let unknown = match root {
        DataFusionError::Plan(text) if text.starts_with("Invalid function") => {
            text.split('\'').nth(1).map(str::to_owned)
        }
        _ => None,
    };
    match unknown {
        Some(name) => {
            let names = state.scalar_functions().keys().map(String::as_str);
            let near = nearest(&name, names.collect::<BTreeSet<_>>());
            refused
                .with_nearest(near)
                .with_help("call a scalar function, or another macro")
        }
        None => {
            let arguments: Vec<&str> = declared
                .arguments
                .iter()
                .map(|argument| argument.name.as_str())
                .collect();
            let help = if arguments.is_empty() {
                "correct the body; the macro has no arguments".to_owned()
            } else {
                format!(
                    "correct the body; its arguments are {}",
                    arguments.join(", ")
                )
            };
            refused.with_help(help)
        }
    }
}

/// The macros, each after those that it calls; a ring is an error, and its macros are left out.
fn order(macros: &BTreeMap<String, Declaration>, errors: &mut Vec<Error>) -> Vec<String> {
    let mut walk = Walk {
        macros,
        path: Vec::new(),
        done: BTreeSet::new(),
        order: Vec::new(),
        errors,
    };
    for name in macros.keys() {
        walk.visit(name);
    }
    walk.order
}

struct Walk<'a> {
    macros: &'a BTreeMap<String, Declaration>,
    path: Vec<&'a str>,
    done: BTreeSet<&'a str>,
    order: Vec<String>,
    errors: &'a mut Vec<Error>,
}

impl<'a> Walk<'a> {
    fn visit(&mut self, name: &'a str) {
        if let Some(start) = self.path.iter().position(|open| *open == name) {
            self.ring(start);
            return;
        }
        let macros = self.macros;
        let Some(declared) = macros.get(name) else {
            return;
        };
        if self.done.contains(name) {
            return;
        }
        self.path.push(name);
        for called in &declared.calls {
            self.visit(called);
        }
        self.path.pop();
        self.done.insert(name);
        self.order.push(name.to_owned());
    }

    fn ring(&mut self, start: usize) {
        let ring = &self.path[start..];
        let mut names = ring.to_vec();
        names.push(ring[0]);
        let first = ring[0];
        let Some(declared) = self.macros.get(first) else {
            return;
        };
        let message = if ring.len() == 1 {
            format!("the macro `{first}` calls itself: {}", names.join(" -> "))
        } else {
            format!("macros call each other in a ring: {}", names.join(" -> "))
        };
        let error = refusal(MACRO_RING, first, message, &declared.location).with_help(
            "a call stands for the body, so a macro cannot come back to itself: break the ring",
        );
        self.errors.push(error);
    }
}
