//! Names made from whatever files are called.

use std::collections::BTreeSet;

/// Room for a number behind a name, below the limit for names.
const MAX_BYTES: usize = 100;

/// Words that SQL may read as its own, in alphabetical order.
const SQL_WORDS: [&str; 79] = [
    "all",
    "alter",
    "and",
    "anti",
    "any",
    "array",
    "as",
    "asc",
    "between",
    "by",
    "case",
    "cast",
    "column",
    "create",
    "cross",
    "current_date",
    "current_time",
    "current_timestamp",
    "date",
    "delete",
    "desc",
    "describe",
    "distinct",
    "drop",
    "else",
    "end",
    "except",
    "exists",
    "explain",
    "extract",
    "false",
    "fetch",
    "for",
    "from",
    "full",
    "group",
    "having",
    "in",
    "inner",
    "insert",
    "intersect",
    "interval",
    "into",
    "is",
    "join",
    "lateral",
    "left",
    "like",
    "limit",
    "natural",
    "not",
    "null",
    "offset",
    "on",
    "or",
    "order",
    "outer",
    "over",
    "partition",
    "qualify",
    "right",
    "select",
    "semi",
    "set",
    "show",
    "some",
    "table",
    "then",
    "time",
    "timestamp",
    "true",
    "union",
    "unnest",
    "update",
    "using",
    "values",
    "when",
    "where",
    "with",
];

/// Device names of Windows, which no file may have.
const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "com", "lpt"];

/// Names that are taken, in lower case.
#[derive(Debug, Default)]
pub(super) struct Names(BTreeSet<String>);

impl Names {
    /// A name like `text` that is valid, in lower case, and not taken yet; takes it.
    pub(super) fn take(&mut self, text: &str, fallback: &str) -> String {
        let name = valid(text, fallback);
        let numbered = |number: u64| match number {
            1 => name.clone(),
            _ => format!("{name}_{number}"),
        };
        let free = (1..).map(numbered).find(|name| !self.0.contains(name));
        let free = free.unwrap_or(name);
        self.0.insert(free.clone());
        free
    }
}

/// `name` as SQL reads it: quoted where it is a word of SQL.
pub(super) fn quoted(name: &str) -> String {
    if SQL_WORDS.binary_search(&name).is_ok() {
        format!("\"{name}\"")
    } else {
        name.to_owned()
    }
}

/// `text` on one line, for the name of a project.
pub(super) fn display_name(text: &str) -> String {
    let name = text.replace(char::is_control, " ");
    match name.trim() {
        "" => "project".to_owned(),
        name => name.to_owned(),
    }
}

/// Lower-case ASCII letters and digits of `text`, with one `_` for every run of other characters.
fn valid(text: &str, fallback: &str) -> String {
    let mut name = String::new();
    for c in text.chars() {
        if c.is_ascii_alphanumeric() {
            name.push(c.to_ascii_lowercase());
        } else if !name.ends_with('_') {
            name.push('_');
        }
    }
    let mut name: String = name.trim_matches('_').chars().take(MAX_BYTES).collect();
    let is_device = DEVICES.iter().any(|device| {
        name.strip_prefix(device)
            .is_some_and(|rest| rest.len() <= 1)
    });
    if name.is_empty() {
        name = fallback.to_owned();
    } else if is_device || name.starts_with(|c: char| c.is_ascii_digit()) {
        name = format!("{fallback}_{name}");
    }
    name
}

#[cfg(test)]
mod tests {
    use codeanatomy_vocab::DatasetName;

    use super::*;

    #[test]
    fn any_text_becomes_a_valid_name_that_is_not_taken() {
        let mut names = Names::default();
        let mut take = |text| names.take(text, "data");
        assert_eq!(take("COVID-19_NYT"), "covid_19_nyt");
        assert_eq!(take("covid 19 nyt"), "covid_19_nyt_2");
        assert_eq!(take("2024.sales"), "data_2024_sales");
        assert_eq!(take("naïve"), "na_ve");
        assert_eq!(take("---"), "data");
        assert_eq!(take(""), "data_2");
        for text in ["con", "LPT1", "..", "a/b", &"x".repeat(300), "日本"] {
            let name = take(text);
            assert!(
                DatasetName::new(name.clone()).is_ok(),
                "{text} became {name}"
            );
        }
    }

    #[test]
    fn words_of_sql_are_quoted() {
        assert!(SQL_WORDS.is_sorted());
        assert_eq!(quoted("order"), "\"order\"");
        assert_eq!(quoted("orders"), "orders");
    }
}
