//! Views as a folder of plain SQL holds them: their text, what it refers to, and the graph that
//! follows.
//!
//! A view is parsed here and planned elsewhere. Nobody declares dependencies: the names that a
//! view's text refers to decide the order in which views are planned, and the scans of its plan
//! are the edges of the graph.
//!
//! # Example: in which order are two views planned?
//!
//! ```
//! use std::collections::BTreeSet;
//! use codeanatomy_views::{Dialect, ViewGraph, ViewSpec};
//!
//! let view = |name: &str, sql: &str| {
//!     ViewSpec::parse(name.parse()?, format!("views/{name}.sql").into(), sql, Dialect::Generic)
//! };
//! let views = vec![
//!     view("totals", "select region, sum(price) from paid group by region")?,
//!     view("paid", "select * from orders where paid")?,
//! ];
//! let datasets = BTreeSet::from(["orders".to_owned()]);
//! let graph = ViewGraph::build(views, &datasets).unwrap();
//! let order: Vec<_> = graph.order().map(|view| view.name().as_str()).collect();
//! assert_eq!(order, ["paid", "totals"]);
//! # Ok::<(), codeanatomy_vocab::Error>(())
//! ```

// The text of one view.
mod spec;
mod sql_error;
mod survey;

// All views together.
mod graph;

// What a view is planned against.
mod source;

// Codes.
pub mod codes;

pub use self::graph::ViewGraph;
pub use self::source::SchemaSource;
pub use self::spec::{Dialect, Reference, ViewSpec};
pub use self::sql_error::compile_error;
