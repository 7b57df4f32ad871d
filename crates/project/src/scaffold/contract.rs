//! Writing a contract into the file where it belongs, and leaving everything else there as it is.

use std::io::Write;
use std::path::{Path, PathBuf};

use codeanatomy_vocab::{Error, Location, Result};
use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, Value};

use super::write::temporary;
use crate::{PROJECT_FILE, Project, codes, text};

/// A contract as it is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewContract {
    /// The evolution policy.
    pub evolution: String,
    /// The columns that make a row unique.
    pub key: Vec<String>,
    /// The columns: name, type, and whether they may be null.
    pub columns: Vec<(String, String, Option<bool>)>,
}

/// Where a contract was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenContract {
    /// The file, relative to the project's folder.
    pub path: PathBuf,
    /// The section, such as `contract` or `datasets.orders.contract`.
    pub section: String,
    /// The section's text.
    pub text: String,
}

/// Writes the contract of a view beside its file, or that of a dataset into `codeanatomy.toml`. The
/// file is replaced as a whole or not at all; comments and order stay.
///
/// # Errors
///
/// [`CA-PROJECT-0030`](codes::CONTRACT_EXISTS) where there is a contract already, unless it is to be
/// replaced; [`CA-PROJECT-0024`](codes::UNWRITABLE); and what is wrong with the file.
pub fn write_contract(
    project: &Project,
    name: &str,
    contract: &NewContract,
    replace: bool,
) -> Result<WrittenContract> {
    let (path, sections) = match project.views.get(name) {
        Some(view) => {
            let beside = || view.path.with_extension("toml");
            (view.config_path.clone().unwrap_or_else(beside), Vec::new())
        }
        None => (PathBuf::from(PROJECT_FILE), vec!["datasets", name]),
    };
    let target = project.root.join(&path);
    let before = match target.symlink_metadata() {
        Ok(_) => text::read_in_project(&project.root, &path)?,
        Err(_) => String::new(),
    };
    let mut document: DocumentMut = before.parse().map_err(|error: toml_edit::TomlError| {
        Error::new(
            codes::TOML_SYNTAX,
            format!("`{}` is not TOML", path.display()),
        )
        .at(Location::file(&path))
        .with_source(error)
        .with_help("`codeanatomy config validate` says what is wrong")
    })?;
    let full_name = full_name(&sections);
    let parent = sections
        .iter()
        .try_fold(document.as_item_mut(), |item, key| {
            item.get_mut(key).filter(|item| item.is_table_like())
        });
    let Some(parent) = parent.and_then(Item::as_table_like_mut) else {
        return Err(Error::new(
            codes::MISSING_KEY,
            format!("`{}` does not declare `{name}`", path.display()),
        )
        .at(Location::file(&path))
        .with_help("declare the dataset before its contract"));
    };
    if parent.contains_key("contract") && !replace {
        return Err(Error::new(
            codes::CONTRACT_EXISTS,
            format!("`{name}` has a contract already"),
        )
        .at(Location::file(&path))
        .with_help("add `--force` to replace it"));
    }
    let table = table(contract);
    // A dataset that is written in one line keeps to its line.
    let inline = parent
        .get("location")
        .is_some_and(|_| !sections.is_empty() && is_inline(&before, name));
    let item = if inline {
        Item::Value(Value::InlineTable(table.clone().into_inline_table()))
    } else {
        Item::Table(table.clone())
    };
    parent.insert("contract", item);
    replace_file(&target, &path, &document.to_string())?;
    let mut shown = DocumentMut::new();
    shown.insert("contract", Item::Table(table));
    let text = shown
        .to_string()
        .replacen("[contract]", &format!("[{full_name}]"), 1);
    Ok(WrittenContract {
        path,
        section: full_name,
        text: text.trim_start().to_owned(),
    })
}

fn full_name(sections: &[&str]) -> String {
    let names = sections.iter().copied().chain(["contract"]);
    names.collect::<Vec<_>>().join(".")
}

/// Whether a dataset stands in one line of the section `[datasets]`.
fn is_inline(text: &str, name: &str) -> bool {
    let document: Option<DocumentMut> = text.parse().ok();
    let dataset = document
        .as_ref()
        .and_then(|document| document.get("datasets"));
    dataset
        .and_then(|datasets| datasets.get(name))
        .is_some_and(Item::is_inline_table)
}

fn table(contract: &NewContract) -> Table {
    let mut table = Table::new();
    table.insert("evolution", toml_edit::value(&contract.evolution));
    if !contract.key.is_empty() {
        table.insert(
            "key",
            toml_edit::value(contract.key.iter().collect::<Array>()),
        );
    }
    let mut columns = Array::new();
    for (name, type_name, nullable) in &contract.columns {
        let mut column = InlineTable::new();
        column.insert("name", name.into());
        column.insert("type", type_name.into());
        if let Some(nullable) = nullable {
            column.insert("nullable", (*nullable).into());
        }
        let mut value = Value::InlineTable(column);
        value.decor_mut().set_prefix("\n    ");
        columns.push_formatted(value);
    }
    columns.set_trailing("\n");
    columns.set_trailing_comma(true);
    table.insert("columns", toml_edit::value(columns));
    table
}

fn replace_file(target: &Path, shown: &Path, contents: &str) -> Result<()> {
    let unwritable = |error: std::io::Error| {
        Error::new(
            codes::UNWRITABLE,
            format!("`{}` cannot be written", shown.display()),
        )
        .at(Location::file(shown))
        .with_source(error)
        .with_help("check that the disk has room and that you may write there")
    };
    let folder = target.parent().unwrap_or(Path::new("."));
    let mut file = temporary(folder).map_err(unwritable)?;
    file.write_all(contents.as_bytes())
        .and_then(|()| file.as_file().sync_all())
        .map_err(unwritable)?;
    file.persist(target)
        .map_err(|error| unwritable(error.error))?;
    Ok(())
}
