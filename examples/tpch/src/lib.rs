//! The TPC-H example of CodeAnatomy: the data, made in process, and the project folder on top of it.
//!
//! The folder of this crate is the project itself: `codeanatomy.toml` and `views/`. The crate embeds
//! them, so that a program without a checkout can write them out again, and generates the eight
//! tables as Delta tables.
//!
//! # Example: which queries are there?
//!
//! ```
//! let queries = codeanatomy_tpch::project_files()
//!     .iter()
//!     .filter(|(path, _)| path.starts_with("views/queries/") && path.ends_with(".sql"))
//!     .count();
//! assert_eq!(queries, 22);
//! ```

// The data.
mod generate;
mod store;
mod table;

// The project folder.
mod project;

// What can go wrong.
pub mod codes;

pub use self::generate::{Progress, Summary, TableSummary, generate};
pub use self::project::{WrittenProject, project_files, write_project};
pub use self::table::Table;
