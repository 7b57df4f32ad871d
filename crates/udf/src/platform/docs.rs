//! What a reader wants to know of a function.

use datafusion_expr::{DocSection, Documentation};

/// The documentation of a function, as constant data.
///
/// All text is Markdown in full sentences. `docs/functions.md` is made of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Docs {
    /// The family, one lower-case word: `hash`, `span`, `text`.
    pub section: &'static str,
    /// What it does, in one sentence.
    pub summary: &'static str,
    /// How it is called: `span_make(start, end)`.
    pub syntax: &'static str,
    /// The arguments in order: name and meaning, with unit and default.
    pub arguments: &'static [(&'static str, &'static str)],
    /// What comes out, of which type, and when it is null.
    pub returns: &'static str,
    /// What must be known to rely on it: algorithm, encoding, unit, version of Unicode, limits.
    pub notes: &'static [&'static str],
    /// Queries that are run as tests, at least one.
    pub examples: &'static [Example],
}

/// A query and the rows that it gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Example {
    /// One query that needs no table.
    pub sql: &'static str,
    /// Its rows as the engine prints them, columns separated by ` | `, nulls as `NULL`.
    pub rows: &'static [&'static str],
}

impl Example {
    /// A query and its rows.
    pub const fn new(sql: &'static str, rows: &'static [&'static str]) -> Self {
        Self { sql, rows }
    }
}

impl Docs {
    /// The same in the form of the engine, which answers `SHOW FUNCTIONS` with it.
    pub fn documentation(&self) -> Documentation {
        let section = DocSection {
            include: true,
            label: self.section,
            description: None,
        };
        let mut description = self.summary.to_owned();
        for paragraph in [self.returns].iter().chain(self.notes) {
            description.push_str("\n\n");
            description.push_str(paragraph);
        }
        let mut builder = Documentation::builder(section, description, self.syntax);
        for (name, meaning) in self.arguments {
            builder = builder.with_argument(*name, *meaning);
        }
        if let Some(example) = self.examples.first() {
            builder = builder.with_sql_example(format!(
                "```sql\n{}\n```\n```text\n{}\n```",
                example.sql,
                example.rows.join("\n")
            ));
        }
        builder.build()
    }
}

/// The body of a `documentation` method: the engine's form of a constant [`Docs`].
#[macro_export]
macro_rules! documentation {
    ($docs:expr) => {{
        static DOCUMENTATION: ::std::sync::LazyLock<$crate::platform::Documentation> =
            ::std::sync::LazyLock::new(|| $docs.documentation());
        Some(&*DOCUMENTATION)
    }};
}
