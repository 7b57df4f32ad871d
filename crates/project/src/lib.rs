//! The project folder of CodeAnatomy: `codeanatomy.toml`, view files with their sidecars, SQL
//! macros, and layered settings that know where they come from.
//!
//! **The law of this crate:** it reads files and gives back values and places. It knows no engine,
//! parses no SQL, opens no dataset and never asks the environment: variables come in as a map.
//! A pass over a folder reports all errors at once, each with its file, line and column.
//!
//! # Example: what is in this project?
//!
//! ```
//! use codeanatomy_project::{CachePolicy, Project, scaffold};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let folder = tempfile::tempdir()?;
//! let files = scaffold::init(folder.path(), &scaffold::ScaffoldOptions::default())?;
//! scaffold::write(folder.path(), &files)?;
//!
//! let project = Project::load(folder.path())?;
//! assert!(project.datasets.contains_key("orders"));
//! assert_eq!(project.views["paid_orders"].config.cache, CachePolicy::None);
//! assert_eq!(project.views["sales_by_region"].config.cache, CachePolicy::DeltaOutput);
//! # Ok(())
//! # }
//! ```

// What can go wrong, by code.
pub mod codes;

// The project folder.
mod discover;
mod outputs;
mod place;
mod project;

// The sections of the files.
mod contract;
mod dataset;
mod delta;
mod diagnostics;
mod openlineage;
mod session;
mod stores;
mod view;

// Settings and where they come from.
mod layers;
mod source;
mod user;

// Reading text and TOML with places, without showing secrets.
mod secrecy;
mod text;
mod toml;

// New projects.
pub mod scaffold;

pub use self::contract::{ColumnSection, ContractSection};
pub use self::dataset::{CsvOptions, DatasetConfig, DatasetFormat, OptionValue};
pub use self::delta::{
    DeltaSection, FilterSection, GateSection, ProtocolModeSetting, PruningSection, ScanSection,
};
pub use self::diagnostics::{DiagnosticsProfile, DiagnosticsSection};
pub use self::discover::discover;
pub use self::layers::Layers;
pub use self::openlineage::OpenLineageSection;
pub use self::place::Place;
pub use self::project::{PROJECT_FILE, Project};
pub use self::session::SessionSection;
pub use self::source::{SettingValue, Source, Sourced};
pub use self::stores::StoreConfig;
pub use self::user::UserConfig;
pub use self::view::{CachePolicy, LayoutSection, MacroFile, ParamConfig, ViewConfig, ViewFile};
