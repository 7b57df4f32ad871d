//! A key of a TOML file with its value.

use codeanatomy_vocab::{Error, Location, Result, nearest};
use toml_edit::{Item, Key, TableLike, Value};

use super::{Findings, Section, Snippets, list};
use crate::codes;
use crate::source::SettingValue;

/// A key and its value, which may be a table.
pub(crate) struct Entry<'a> {
    snippets: &'a Snippets,
    path: String,
    key: &'a Key,
    item: &'a Item,
}

impl<'a> Entry<'a> {
    pub(super) fn new(snippets: &'a Snippets, path: String, key: &'a Key, item: &'a Item) -> Self {
        Self {
            snippets,
            path,
            key,
            item,
        }
    }

    /// The key alone.
    pub(crate) fn key(&self) -> &'a str {
        self.key.get()
    }

    /// The key with the names of its sections, dotted.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// Where the key stands.
    pub(crate) fn key_at(&self) -> Location {
        self.snippets
            .at(self.key.span().or_else(|| self.item.span()))
    }

    /// Where the value stands; the key of a table that is spread over lines.
    pub(crate) fn at(&self) -> Location {
        match self.item {
            Item::Value(value) => self.snippets.at(value.span().or_else(|| self.key.span())),
            Item::None | Item::Table(_) | Item::ArrayOfTables(_) => self.key_at(),
        }
    }

    /// Whether the value is a table of either form.
    pub(crate) fn is_table(&self) -> bool {
        self.item.is_table_like()
    }

    /// The value as text.
    pub(crate) fn text(&self) -> Result<String> {
        self.item
            .as_str()
            .map(str::to_owned)
            .ok_or_else(|| self.wrong_type("a string"))
    }

    /// The value as text that is more than white space.
    pub(crate) fn filled_text(&self) -> Result<String> {
        let text = self.text()?;
        if text.trim().is_empty() {
            return Err(self.invalid(
                format!("`{}` is empty", self.path),
                "give it a value, or remove the key",
            ));
        }
        Ok(text)
    }

    /// The value as `true` or `false`.
    pub(crate) fn boolean(&self) -> Result<bool> {
        self.item
            .as_bool()
            .ok_or_else(|| self.wrong_type("true or false"))
    }

    /// The value as a whole number that is not negative.
    pub(crate) fn count(&self) -> Result<u64> {
        let number = self
            .item
            .as_integer()
            .ok_or_else(|| self.wrong_type("a whole number"))?;
        u64::try_from(number).map_err(|_| {
            self.invalid(
                format!("`{}` is negative", self.path),
                "write a whole number from 0",
            )
        })
    }

    /// The value as a date or a time in the spelling of TOML, or as the text of a string.
    pub(crate) fn text_or_datetime(&self) -> Result<String> {
        match self.item.as_datetime() {
            Some(datetime) => Ok(datetime.to_string()),
            None => self.text(),
        }
    }

    /// The value as one text, number or truth value; dates and times are refused.
    pub(crate) fn scalar(&self) -> Result<SettingValue> {
        match self.item.as_value() {
            Some(Value::String(text)) => Ok(SettingValue::Text(text.value().clone())),
            Some(Value::Integer(number)) => Ok(SettingValue::Integer(*number.value())),
            Some(Value::Float(number)) => Ok(SettingValue::Float(*number.value())),
            Some(Value::Boolean(truth)) => Ok(SettingValue::Bool(*truth.value())),
            _ => Err(self.wrong_type("a string, a number, true or false")),
        }
    }

    /// One text, number, truth value, date or time, as text.
    pub(crate) fn scalar_or_datetime(&self) -> Result<String> {
        match self.item.as_datetime() {
            Some(datetime) => Ok(datetime.to_string()),
            None => Ok(self.scalar()?.to_string()),
        }
    }

    /// A list of texts, numbers, truth values, dates and times, as texts.
    pub(crate) fn scalars(&self) -> Result<Vec<String>> {
        let Some(values) = self.item.as_array() else {
            return Err(self.wrong_type("a list of values"));
        };
        let texts = values.iter().enumerate().map(|(index, value)| {
            let item = Item::Value(value.clone());
            let entry = Entry {
                snippets: self.snippets,
                path: format!("{}[{index}]", self.path),
                key: self.key,
                item: &item,
            };
            entry.scalar_or_datetime()
        });
        texts.collect()
    }

    /// One of the named choices.
    pub(crate) fn choice<T: Copy>(&self, choices: &[(&str, T)]) -> Result<T> {
        let text = self.text()?;
        if let Some((_, choice)) = choices.iter().find(|(name, _)| *name == text) {
            return Ok(*choice);
        }
        let names = || choices.iter().map(|(name, _)| *name);
        let nearest = nearest(&text, names());
        Err(self
            .invalid(
                format!("`{}` cannot be {text:?}", self.path),
                format!("write one of {}", list(names())),
            )
            .with_expected(format!("one of {}", list(names())))
            .with_nearest(nearest))
    }

    /// The value as a table.
    pub(crate) fn section(&self) -> Result<Section<'a>> {
        match self.item.as_table_like() {
            Some(table) => Ok(self.section_of(table, self.path.clone(), self.key_at())),
            None => Err(self.wrong_type("a table")),
        }
    }

    /// The value as a list of tables, written as `[[header]]`s or as `{ }`s in a list. What is no
    /// table is left out, with a finding.
    pub(crate) fn sections(&self, findings: &mut Findings) -> Vec<Section<'a>> {
        let name = |index: usize| format!("{}[{index}]", self.path);
        match self.item {
            Item::ArrayOfTables(tables) => tables
                .iter()
                .enumerate()
                .map(|(index, table)| {
                    let at = self.snippets.at(table.span());
                    self.section_of(table, name(index), at)
                })
                .collect(),
            Item::Value(Value::Array(values)) => values
                .iter()
                .enumerate()
                .filter_map(|(index, value)| {
                    let at = self.snippets.at(value.span());
                    let Some(table) = value.as_inline_table() else {
                        let found = value.type_name();
                        findings.push(wrong_type(&name(index), "a table", found, at));
                        return None;
                    };
                    Some(self.section_of(table, name(index), at))
                })
                .collect(),
            Item::None | Item::Table(_) | Item::Value(_) => {
                findings.push(self.wrong_type("a list of tables"));
                Vec::new()
            }
        }
    }

    /// The value as a list of texts, each with its place. What is no text, or only white space, is
    /// left out, with a finding.
    pub(crate) fn texts(&self, findings: &mut Findings) -> Vec<(String, Location)> {
        let Some(values) = self.item.as_array() else {
            findings.push(self.wrong_type("a list of strings"));
            return Vec::new();
        };
        let texts = values.iter().enumerate().filter_map(|(index, value)| {
            let name = format!("{}[{index}]", self.path);
            let at = self.snippets.at(value.span());
            let text = match value.as_str() {
                None => Err(wrong_type(&name, "a string", value.type_name(), at)),
                Some(text) if text.trim().is_empty() => Err(Error::new(
                    codes::INVALID_VALUE,
                    format!("`{name}` is empty"),
                )
                .at(at)
                .with_help("give it a value, or remove it from the list")),
                Some(text) => Ok((text.to_owned(), at)),
            };
            findings.take(text)
        });
        texts.collect()
    }

    /// An error about the value.
    pub(crate) fn invalid(&self, message: impl Into<String>, help: impl Into<String>) -> Error {
        Error::new(codes::INVALID_VALUE, message)
            .at(self.at())
            .with_help(help)
    }

    /// An error about the value's type.
    pub(crate) fn wrong_type(&self, expected: &str) -> Error {
        wrong_type(&self.path, expected, self.item.type_name(), self.at())
    }

    fn section_of(&self, table: &'a dyn TableLike, name: String, at: Location) -> Section<'a> {
        Section::new(self.snippets, name, table, at)
    }
}

fn wrong_type(path: &str, expected: &str, found: &str, at: Location) -> Error {
    let found = match found {
        "none" => "missing",
        "boolean" => "true or false",
        "integer" => "a whole number",
        "float" => "a number with a fraction",
        "datetime" => "a date or a time",
        "array" => "a list",
        "inline table" | "table" => "a table",
        "array of tables" => "a list of tables",
        _ => "a string",
    };
    Error::new(
        codes::WRONG_TYPE,
        format!("`{path}` must be {expected}, but is {found}"),
    )
    .at(at)
    .with_expected(expected)
    .with_help(format!("write {expected}"))
}
