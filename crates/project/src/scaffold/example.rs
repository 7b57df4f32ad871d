//! The example that `codeanatomy init` starts with: a small shop.

use std::path::PathBuf;

use crate::PROJECT_FILE;

/// The file that keeps outputs out of version control, and its contents.
pub(super) const IGNORE_FILE: &str = ".gitignore";
pub(super) const IGNORE: &str = include_str!("example/gitignore");

const PROJECT: &str = include_str!("example/codeanatomy.toml");
const FILES: [(&str, &str); 7] = [
    ("data/orders.csv", include_str!("example/data/orders.csv")),
    (
        "data/customers.json",
        include_str!("example/data/customers.json"),
    ),
    (
        "views/staging/paid_orders.sql",
        include_str!("example/views/staging/paid_orders.sql"),
    ),
    (
        "views/sales_by_region.sql",
        include_str!("example/views/sales_by_region.sql"),
    ),
    (
        "views/sales_by_region.toml",
        include_str!("example/views/sales_by_region.toml"),
    ),
    (
        "views/best_customers.sql",
        include_str!("example/views/best_customers.sql"),
    ),
    (
        "views/best_customers.toml",
        include_str!("example/views/best_customers.toml"),
    ),
];

/// The example's files, with the project's name in them.
pub(super) fn files(name: &str) -> Vec<(PathBuf, String)> {
    let project = PROJECT.replace("@NAME@", &toml_text(name));
    let mut files = vec![(PathBuf::from(PROJECT_FILE), project)];
    files.extend(FILES.map(|(path, contents)| (PathBuf::from(path), contents.to_owned())));
    files
}

/// `text` as a string of TOML, in quotes.
pub(super) fn toml_text(text: &str) -> String {
    toml_edit::Value::from(text).to_string()
}
