//! The text of one view, parsed and checked.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use codeanatomy_vocab::{Error, Location, Position, Result, ViewName};
pub use datafusion_common::config::Dialect;
use datafusion_sql::parser::{DFParserBuilder, Statement};
use datafusion_sql::resolve::resolve_table_references;
use datafusion_sql::sqlparser::ast;
use datafusion_sql::sqlparser::dialect::dialect_from_str;
use datafusion_sql::sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};

use crate::survey::Survey;
use crate::{codes, sql_error};

/// Text beyond this is refused before it is parsed.
const MAX_SQL_BYTES: usize = 1 << 20;

/// Expressions nested deeper than this are refused. Every layer below recurses over expressions;
/// planning threads have the stack for this depth with room to spare.
const MAX_EXPR_DEPTH: usize = 2_500;

/// One view: its name, its text, its parsed query and the tables that the query refers to.
///
/// A clone shares text and query. Parse, and drop the last clone of, large views on a thread with a
/// large stack: a query of many chained operators is a deep tree.
#[derive(Debug, Clone)]
pub struct ViewSpec {
    name: ViewName,
    path: PathBuf,
    sql: Arc<str>,
    statement: Arc<Statement>,
    references: Arc<[Reference]>,
}

/// A table that a view's text refers to; names of common table expressions are none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The name as the engine resolves it: unquoted parts in lower case.
    pub table: String,
    /// Where the text first uses it.
    pub position: Option<Position>,
}

impl ViewSpec {
    /// Parses a view file: exactly one statement, and that a query.
    ///
    /// `path` is shown in errors and is never opened.
    ///
    /// # Errors
    ///
    /// [`SQL_SYNTAX`](codes::SQL_SYNTAX), [`NOT_ONE_STATEMENT`](codes::NOT_ONE_STATEMENT),
    /// [`NOT_A_QUERY`](codes::NOT_A_QUERY) or [`TOO_COMPLEX`](codes::TOO_COMPLEX), each with its
    /// place.
    pub fn parse(
        name: ViewName,
        path: PathBuf,
        sql: impl Into<Arc<str>>,
        dialect: Dialect,
    ) -> Result<Self> {
        let sql = sql.into();
        let (statement, survey) =
            parse_one(&path, &sql, dialect).map_err(|error| error.with("view", &name))?;
        let references = references(&statement, &survey)
            .map_err(|error| sql_error::parse_error(&error, &path, &sql).with("view", &name))?;
        Ok(Self {
            name,
            path,
            sql,
            statement: Arc::new(statement),
            references: references.into(),
        })
    }

    /// The view's name.
    pub fn name(&self) -> &ViewName {
        &self.name
    }

    /// The view's file, as errors show it.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The view's text.
    pub fn sql(&self) -> &Arc<str> {
        &self.sql
    }

    /// The parsed query.
    pub fn statement(&self) -> &Statement {
        &self.statement
    }

    /// The tables that the text refers to, sorted by name, each once.
    pub fn references(&self) -> &[Reference] {
        &self.references
    }

    /// The place where the text first refers to `table`, else the whole file.
    pub fn reference_location(&self, table: &str) -> Location {
        self.references
            .iter()
            .find(|reference| reference.table == table)
            .and_then(|reference| reference.position)
            .map_or_else(
                || Location::file(&self.path),
                |position| self.location(position),
            )
    }

    /// A place in the view's text.
    pub fn location(&self, position: Position) -> Location {
        Location::word(&self.path, Arc::clone(&self.sql), position)
    }
}

fn parse_one(path: &Path, sql: &Arc<str>, dialect: Dialect) -> Result<(Statement, Survey)> {
    if sql.len() > MAX_SQL_BYTES {
        return Err(Error::new(
            codes::TOO_COMPLEX,
            format!(
                "the view has {} bytes of SQL; at most {MAX_SQL_BYTES} are taken",
                sql.len()
            ),
        )
        .at(Location::file(path))
        .with_help("split the view, or read long lists of values from a dataset"));
    }
    let name: &str = dialect.as_ref();
    let parser_dialect = dialect_from_str(name).ok_or_else(|| {
        Error::new(
            codes::NOT_SUPPORTED,
            format!("the SQL dialect `{name}` has no parser"),
        )
        .with_help("set `datafusion.sql_parser.dialect` to a dialect such as `generic`")
    })?;
    let tokens = Tokenizer::new(parser_dialect.as_ref(), sql)
        .tokenize_with_location()
        .map_err(|error| {
            let position = Position {
                line: usize::try_from(error.location.line).unwrap_or(1).max(1),
                column: usize::try_from(error.location.column).unwrap_or(1).max(1),
            };
            sql_error::syntax(&error.message, Some(position), path, sql)
        })?;
    let (first, second) = statement_starts(&tokens);
    let one = |message: &str, position: Option<Position>| {
        let location = position.map_or_else(
            || Location::file(path),
            |position| Location::word(path, Arc::clone(sql), position),
        );
        Error::new(codes::NOT_ONE_STATEMENT, message)
            .at(location)
            .with_expected("one query, with or without a final semicolon")
    };
    if first.is_none() {
        return Err(one("the view holds no statement", None)
            .with_help("write the view's query, or delete the file"));
    }
    if second.is_some() {
        return Err(one("the view holds a second statement", second)
            .with_label("the second statement starts here")
            .with_help("keep one query in a file; give the other a file of its own"));
    }
    let mut statements = DFParserBuilder::new(tokens)
        .with_dialect(parser_dialect.as_ref())
        .build()
        .and_then(|mut parser| parser.parse_statements())
        .map_err(|error| sql_error::parse_error(&error, path, sql))?;
    let Some(statement) = statements.pop_front() else {
        return Err(one("the view holds no statement", first)
            .with_help("write the view's query, or delete the file"));
    };
    let survey = Survey::of(&statement);
    check_is_query(&statement, &survey, path, sql, first)?;
    if survey.depth > MAX_EXPR_DEPTH {
        return Err(Error::new(
            codes::TOO_COMPLEX,
            format!("the view nests expressions deeper than {MAX_EXPR_DEPTH} levels"),
        )
        .at(Location::file(path))
        .with_help("replace a long chain of OR by IN, or by a join with a dataset of values"));
    }
    Ok((statement, survey))
}

/// Where the first and the second statement start.
fn statement_starts(tokens: &[TokenWithSpan]) -> (Option<Position>, Option<Position>) {
    let mut first = None;
    let mut ended = false;
    for token in tokens {
        match token.token {
            Token::Whitespace(_) | Token::EOF => {}
            Token::SemiColon => ended = first.is_some(),
            _ => {
                let start = token.span.start;
                let position = Position {
                    line: usize::try_from(start.line).unwrap_or(1).max(1),
                    column: usize::try_from(start.column).unwrap_or(1).max(1),
                };
                if first.is_none() {
                    first = Some(position);
                } else if ended {
                    return (first, Some(position));
                }
            }
        }
    }
    (first, None)
}

fn check_is_query(
    statement: &Statement,
    survey: &Survey,
    path: &Path,
    sql: &Arc<str>,
    start: Option<Position>,
) -> Result<()> {
    if let Statement::Statement(statement) = statement
        && matches!(statement.as_ref(), ast::Statement::Query(_))
    {
        // `SELECT ... INTO` and `WITH x AS (INSERT ...)` are queries by form only.
        return match survey.write {
            None => Ok(()),
            Some(what) => Err(not_a_query(what, path, sql, start)),
        };
    }
    let text = statement.to_string();
    let verb = text
        .split_whitespace()
        .next()
        .unwrap_or_default()
        .to_uppercase();
    Err(not_a_query(&verb, path, sql, start))
}

fn not_a_query(what: &str, path: &Path, sql: &Arc<str>, start: Option<Position>) -> Error {
    let location = start.map_or_else(
        || Location::file(path),
        |position| Location::word(path, Arc::clone(sql), position),
    );
    Error::new(
        codes::NOT_A_QUERY,
        format!("a view is a query, and this is {what}"),
    )
    .at(location)
    .with_expected("SELECT, VALUES, or WITH ... SELECT")
    .with_help("a view only reads: set its output with `cache` in the .toml beside it")
}

fn references(statement: &Statement, survey: &Survey) -> datafusion_common::Result<Vec<Reference>> {
    let (tables, _) = resolve_table_references(statement, true)?;
    let tables: BTreeSet<String> = tables.iter().map(ToString::to_string).collect();
    Ok(tables
        .into_iter()
        // A call of a table function reads no table of its name; planning says what it is.
        .filter(|table| survey.read.contains(table) || !survey.called.contains(table))
        .map(|table| {
            let position = survey.positions.get(&table).copied();
            Reference { table, position }
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(sql: &str) -> Result<ViewSpec> {
        ViewSpec::parse("v".parse()?, "views/v.sql".into(), sql, Dialect::Generic)
    }

    fn check_error(sql: &str, code: codeanatomy_vocab::Code, place: &str) {
        let error = parse(sql).expect_err(sql);
        assert_eq!(error.code(), code, "{error:?}");
        assert_eq!(
            error.location().map(ToString::to_string).as_deref(),
            Some(place),
            "{error:?}"
        );
        assert!(error.help().is_some(), "{error:?}");
    }

    #[test]
    fn references_are_the_tables_and_not_the_common_table_expressions() {
        let view = parse(
            "with a as (select * from Orders)\n\
             select * from a join \"Items\" i on true where exists (select 1 from a, s.parts)",
        )
        .unwrap();
        let tables: Vec<_> = view.references().iter().map(|r| r.table.as_str()).collect();
        assert_eq!(tables, ["Items", "orders", "s.parts"]);
        assert_eq!(
            view.reference_location("orders").to_string(),
            "views/v.sql:1:26"
        );
        assert_eq!(
            view.reference_location("Items").to_string(),
            "views/v.sql:2:22"
        );
    }

    #[test]
    fn a_call_of_a_table_function_refers_to_no_table() {
        let view = parse("select * from series(1, 2), orders, items, items(3)").unwrap();
        let tables: Vec<_> = view.references().iter().map(|r| r.table.as_str()).collect();
        assert_eq!(tables, ["items", "orders"]);
    }

    #[test]
    fn a_view_is_exactly_one_query() {
        check_error("-- nothing\n;", codes::NOT_ONE_STATEMENT, "views/v.sql");
        check_error(
            "select 1;\n-- and\n select 2",
            codes::NOT_ONE_STATEMENT,
            "views/v.sql:3:2",
        );
        for sql in [
            "create table t (a int)",
            "drop table t",
            "insert into t values (1)",
            "copy (select 1) to 'x.parquet'",
            "explain select 1",
            "set a = 1",
            "create external table t stored as csv location 'x'",
            "select * into t from u",
            "with x as (delete from t) select 1",
        ] {
            let error = parse(sql).expect_err(sql);
            assert!(
                matches!(error.code(), codes::NOT_A_QUERY | codes::SQL_SYNTAX),
                "{sql}: {error:?}"
            );
            assert!(error.location().is_some(), "{sql}");
        }
        assert!(parse("select 1;;  -- fine\n").is_ok());
        assert!(parse("values (1), (2)").is_ok());
    }

    #[test]
    fn a_syntax_error_names_its_place() {
        check_error(
            "select a\nfrom t\nwhere = 1",
            codes::SQL_SYNTAX,
            "views/v.sql:3:7",
        );
        check_error("select 'open\nfrom t", codes::SQL_SYNTAX, "views/v.sql:1:8");
        check_error("select a from", codes::SQL_SYNTAX, "views/v.sql:1:14");
    }

    #[test]
    fn text_that_is_too_deep_or_too_long_is_refused() {
        let build = || {
            let deep = format!("select {}", vec!["a"; 5_000].join(" or "));
            check_error(&deep, codes::TOO_COMPLEX, "views/v.sql");
            let fine = format!("select {}", vec!["a"; 2_000].join(" or "));
            assert!(parse(&fine).is_ok());
        };
        std::thread::Builder::new()
            .stack_size(64 << 20)
            .spawn(build)
            .unwrap()
            .join()
            .unwrap();
        check_error(
            &format!("select '{}'", "x".repeat(1 << 20)),
            codes::TOO_COMPLEX,
            "views/v.sql",
        );
        let nested = format!("select {}1{}", "(".repeat(500), ")".repeat(500));
        assert_eq!(
            parse(&nested).expect_err("nested").code(),
            codes::TOO_COMPLEX
        );
    }
}
