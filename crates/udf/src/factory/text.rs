//! From the text of a file to the functions that it declares.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use codeanatomy_vocab::{Code, Error, Location, Position, Result};
use datafusion::common::config::Dialect;
use datafusion::common::{DataFusionError, internal_datafusion_err};
use datafusion::sql::parser::{DFParserBuilder, Statement as DFStatement};
use datafusion::sql::sqlparser::ast::{
    self, ArgMode, CreateFunctionBody, Ident, ObjectName, Statement, visit_expressions_mut,
};
use datafusion::sql::sqlparser::dialect::dialect_from_str;
use datafusion::sql::sqlparser::parser::ParserError;
use datafusion::sql::sqlparser::tokenizer::Span;

use crate::codes::{MACRO_SHAPE, MACRO_SYNTAX};

/// A file of `CREATE FUNCTION` statements.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct MacroFile {
    /// Its path, for messages.
    pub path: PathBuf,
    /// Its text.
    pub sql: Arc<str>,
}

/// A function as its text says.
#[derive(Debug, Clone)]
pub(super) struct Declaration {
    pub(super) name: String,
    pub(super) location: Location,
    pub(super) arguments: Vec<Argument>,
    pub(super) return_type: Option<ast::DataType>,
    /// Arguments are plain names in it, whichever way they were written.
    pub(super) body: ast::Expr,
    /// What it declares of its volatility.
    pub(super) behavior: Option<ast::FunctionBehavior>,
    /// The names of all functions that the body and the defaults call.
    pub(super) calls: BTreeSet<String>,
    /// The statement, written anew.
    pub(super) definition: String,
}

#[derive(Debug, Clone)]
pub(super) struct Argument {
    pub(super) name: String,
    pub(super) data_type: ast::DataType,
    pub(super) default: Option<ast::Expr>,
}

impl Declaration {
    /// A file with this statement alone.
    pub(super) fn file(&self) -> MacroFile {
        MacroFile {
            path: self.location.path().to_path_buf(),
            sql: format!("{};", self.definition).into(),
        }
    }
}

/// The dialects that have `CREATE FUNCTION name(argument type) RETURN expression`.
fn usable(dialect: Dialect) -> Dialect {
    match dialect {
        Dialect::PostgreSQL => Dialect::PostgreSQL,
        _ => Dialect::Generic,
    }
}

/// Reads the functions of a file. All that is wrong is told at once.
pub(super) fn read(file: &MacroFile, dialect: Dialect) -> (Vec<Declaration>, Vec<Error>) {
    let statements = match parse(file, dialect) {
        Ok(statements) => statements,
        Err(error) => return (Vec::new(), vec![error]),
    };
    let (mut declarations, mut errors) = (Vec::new(), Vec::new());
    for statement in statements {
        match declaration(file, statement) {
            Ok(declaration) => declarations.push(declaration),
            Err(error) => errors.push(error),
        }
    }
    (declarations, errors)
}

fn parse(file: &MacroFile, dialect: Dialect) -> Result<Vec<DFStatement>> {
    let parsed = || {
        let dialect = dialect_from_str(usable(dialect))
            .ok_or_else(|| internal_datafusion_err!("a dialect has no parser"))?;
        DFParserBuilder::new(file.sql.as_ref())
            .with_dialect(dialect.as_ref())
            .build()?
            .parse_statements()
    };
    match parsed() {
        Ok(statements) => Ok(statements.into_iter().collect()),
        Err(error) => Err(syntax(&error, file)),
    }
}

/// A parse error with its place.
fn syntax(error: &DataFusionError, file: &MacroFile) -> Error {
    let (message, position) = match error.find_root() {
        DataFusionError::SQL(error, _) => match error.as_ref() {
            ParserError::TokenizerError(text) | ParserError::ParserError(text) => {
                let (message, position) = split_position(text);
                (message.to_owned(), position)
            }
            ParserError::RecursionLimitExceeded => ("the text nests too deeply".to_owned(), None),
        },
        other => (other.message().into_owned(), None),
    };
    let location = match position {
        Some(position) => Location::word(&file.path, Arc::clone(&file.sql), position),
        None => Location::file(&file.path),
    };
    Error::new(MACRO_SYNTAX, lower_first(&message))
        .at(location)
        .with_help(FORM)
}

const FORM: &str =
    "write `CREATE FUNCTION name(argument type, ...) RETURNS type RETURN expression;`";

/// Splits `... at Line: 3, Column: 7` off a parser's message.
fn split_position(text: &str) -> (&str, Option<Position>) {
    let Some((message, place)) = text.rsplit_once(" at Line: ") else {
        return (text, None);
    };
    let position = place.split_once(", Column: ").and_then(|(line, column)| {
        Some(Position {
            line: line.trim().parse().ok()?,
            column: column.trim().parse().ok()?,
        })
    });
    (message, position.filter(|position| position.line > 0))
}

pub(super) fn lower_first(text: &str) -> String {
    let text = text.trim().trim_end_matches('.');
    let mut chars = text.chars();
    match (chars.next(), chars.clone().next()) {
        (Some(first), Some(second)) if first.is_uppercase() && !second.is_uppercase() => {
            first.to_lowercase().chain(chars).collect()
        }
        _ => text.to_owned(),
    }
}

/// The place of a word of the text.
pub(super) fn place(path: &Path, sql: &Arc<str>, span: Span) -> Location {
    match (
        usize::try_from(span.start.line),
        usize::try_from(span.start.column),
    ) {
        (Ok(line), Ok(column)) if line > 0 => {
            Location::word(path, Arc::clone(sql), Position { line, column })
        }
        _ => Location::file(path),
    }
}

fn declaration(file: &MacroFile, statement: DFStatement) -> Result<Declaration> {
    let at_file = |message: &str| {
        Error::new(MACRO_SHAPE, message)
            .at(Location::file(&file.path))
            .with_help(FORM)
    };
    let statement = match statement {
        DFStatement::Statement(statement) => *statement,
        _ => return Err(at_file("a file of macros holds `CREATE FUNCTION` alone")),
    };
    let text = statement.to_string();
    let create = match statement {
        Statement::CreateFunction(create) => create,
        Statement::DropFunction(_) => {
            let message = "a file of macros holds `CREATE FUNCTION` alone, not `DROP FUNCTION`";
            return Err(
                at_file(message).with_help("remove the function's own statement to drop it")
            );
        }
        other => {
            let start: String = other.to_string().chars().take(40).collect();
            let message = format!("a file of macros holds `CREATE FUNCTION` alone, not `{start}`");
            return Err(at_file(&message));
        }
    };
    let ident = single(&create.name).ok_or_else(|| {
        at_file(&format!(
            "the name of a macro has no schema, but it is `{}`",
            create.name
        ))
    })?;
    let location = place(&file.path, &file.sql, ident.span);
    let name = normalized(ident);
    let refuse = |message: String| refusal(MACRO_SHAPE, &name, message, &location).with_help(FORM);
    refuse_clauses(&create).map_err(refuse)?;
    let arguments = arguments(create.args.unwrap_or_default()).map_err(refuse)?;
    let return_type = match create.return_type {
        None => None,
        Some(ast::FunctionReturnType::DataType(data_type)) => Some(data_type),
        Some(ast::FunctionReturnType::SetOf(_)) => {
            return Err(refuse("a macro returns one value, not a set".to_owned()));
        }
    };
    let mut body = match create.function_body {
        Some(
            CreateFunctionBody::Return(body)
            | CreateFunctionBody::AsAfterOptions(body)
            | CreateFunctionBody::AsBeforeOptions { body, .. },
        ) => body,
        Some(_) => {
            return Err(refuse("the body of a macro is one expression".to_owned()));
        }
        None => return Err(refuse("a macro needs a body".to_owned())),
    };
    if matches!(&body, ast::Expr::Value(value) if value.value.clone().into_string().is_some())
        && create.language.is_some()
    {
        let message = "the body of a macro is an expression and not a text".to_owned();
        return Err(refuse(message));
    }
    let names: Vec<&str> = arguments
        .iter()
        .map(|argument| argument.name.as_str())
        .collect();
    name_arguments(&mut body, &names);
    let mut calls = BTreeSet::new();
    collect_calls(&body, &mut calls);
    for default in arguments
        .iter()
        .filter_map(|argument| argument.default.as_ref())
    {
        collect_calls(default, &mut calls);
    }
    Ok(Declaration {
        name,
        location,
        arguments,
        return_type,
        body,
        behavior: create.behavior,
        calls,
        definition: text,
    })
}

/// An error about one macro.
pub(super) fn refusal(code: Code, name: &str, message: String, location: &Location) -> Error {
    Error::new(code, message)
        .at(location.clone())
        .with("function", name)
}

/// The only part of a name.
fn single(name: &ObjectName) -> Option<&Ident> {
    match name.0.as_slice() {
        [part] => part.as_ident(),
        _ => None,
    }
}

/// A name as SQL reads it: in lower case unless it is in quotes.
fn normalized(ident: &Ident) -> String {
    match ident.quote_style {
        Some(_) => ident.value.clone(),
        None => ident.value.to_ascii_lowercase(),
    }
}

fn refuse_clauses(create: &ast::CreateFunction) -> std::result::Result<(), String> {
    let language = create
        .language
        .as_ref()
        .map(|language| language.value.to_ascii_lowercase());
    let unknown = [
        (create.or_alter, "`OR ALTER`"),
        (create.temporary, "`TEMPORARY`"),
        (create.if_not_exists, "`IF NOT EXISTS`"),
        (create.called_on_null.is_some(), "a clause on null input"),
        (create.parallel.is_some(), "`PARALLEL`"),
        (create.security.is_some(), "`SECURITY`"),
        (!create.set_params.is_empty(), "`SET`"),
        (create.using.is_some(), "`USING`"),
        (create.determinism_specifier.is_some(), "`DETERMINISTIC`"),
        (create.options.is_some(), "`OPTIONS`"),
        (create.remote_connection.is_some(), "`REMOTE`"),
        (
            language.is_some_and(|language| language != "sql"),
            "a language other than SQL",
        ),
    ];
    match unknown.into_iter().find(|(found, _)| *found) {
        Some((_, what)) => Err(format!("a macro does not have {what}")),
        None => Ok(()),
    }
}

fn arguments(
    arguments: Vec<ast::OperateFunctionArg>,
) -> std::result::Result<Vec<Argument>, String> {
    let mut read: Vec<Argument> = Vec::new();
    for argument in arguments {
        if let Some(ArgMode::Out | ArgMode::InOut) = argument.mode {
            return Err("a macro takes arguments and returns a value, it has no `OUT`".to_owned());
        }
        let Some(name) = argument.name.as_ref().map(normalized) else {
            return Err(format!(
                "an argument of type {} has no name",
                argument.data_type
            ));
        };
        if read.iter().any(|known| known.name == name) {
            return Err(format!("there are two arguments `{name}`"));
        }
        let previous = read.last().filter(|known| known.default.is_some());
        if let (Some(previous), None) = (previous, &argument.default_expr) {
            return Err(format!(
                "the argument `{name}` has no default, but `{}` before it has",
                previous.name
            ));
        }
        read.push(Argument {
            name,
            data_type: argument.data_type,
            default: argument.default_expr,
        });
    }
    Ok(read)
}

/// Writes `$price` and `$1` as the name of the argument.
fn name_arguments(body: &mut ast::Expr, names: &[&str]) {
    each_expression(body, &mut |expr| {
        if let ast::Expr::Value(value) = expr
            && let ast::Value::Placeholder(text) = &value.value
            && let Some(asked) = text.strip_prefix('$')
        {
            let named = asked.parse::<usize>().ok().and_then(|at| at.checked_sub(1));
            let name = match named {
                Some(at) => names.get(at).copied(),
                None => names.iter().copied().find(|name| *name == asked),
            };
            if let Some(name) = name {
                let mut ident = Ident::with_quote('"', name);
                ident.span = value.span;
                *expr = ast::Expr::Identifier(ident);
            }
        }
    });
}

fn collect_calls(expr: &ast::Expr, calls: &mut BTreeSet<String>) {
    each_expression(&mut expr.clone(), &mut |expr| {
        if let ast::Expr::Function(function) = expr
            && let Some(ident) = single(&function.name)
        {
            calls.insert(normalized(ident));
        }
    });
}

/// Every kind of visitor makes the compiler write the walk over all of SQL anew, so there is one.
fn each_expression(expr: &mut ast::Expr, look: &mut dyn FnMut(&mut ast::Expr)) {
    let _: ControlFlow<()> = visit_expressions_mut(expr, |expr| {
        look(expr);
        ControlFlow::Continue(())
    });
}
