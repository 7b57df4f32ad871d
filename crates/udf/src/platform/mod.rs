//! What a function is to the platform: an entry of a manifest, collected in libraries.
//!
//! # The shape of a function
//!
//! A function is one file. It holds, in this order:
//!
//! 1. `//!` one sentence: the name and what it does;
//! 2. `pub(crate) fn entry() -> Entry`: the line of the manifest, made of the implementation, its
//!    version and [`Docs`];
//! 3. `const DOCS: Docs`: what a reader wants to know, with an example that is run as a test;
//! 4. the implementation: a [`RowFunction`] where that is enough, else an ordinary `ScalarUDFImpl`,
//!    `AggregateUDFImpl`, `WindowUDFImpl` or `TableFunctionImpl`, whose `documentation` is
//!    [`documentation!`](crate::documentation) of the same `DOCS`;
//! 5. helpers.
//!
//! Name, aliases, signature and volatility are those of the implementation and are written nowhere
//! else. The folder's `mod.rs` lists the entries of its functions in alphabetical order.
//!
//! # Versions
//!
//! The version of an entry is raised whenever any input gives another output: other rows, another
//! type, another nullability, an error where there was none. It makes the implementation digest
//! (with the library, the kind and the name), which is in the result key of every view that calls
//! the function, so views that call it are built again.

// A function and what is known of it.
mod docs;
mod entry;
mod library;
mod row_function;

// What a session gets, and what it has.
mod options;
mod planner;
mod record;
#[cfg(feature = "session")]
mod recording;
mod reference;
mod registration;
#[cfg(feature = "session")]
mod session;
mod snapshot;

pub use datafusion_expr::Documentation;

pub use self::docs::{Docs, Example};
pub use self::entry::{Entry, Implementation, Kind};
pub use self::library::Library;
pub use self::options::PlatformOptions;
pub use self::planner::Rewrite;
pub use self::record::{
    ArgumentDocumentation, ExampleDocumentation, FunctionDocumentation, FunctionRecord,
    FunctionVolatility,
};
#[cfg(feature = "session")]
pub use self::recording::{UsedRewrites, recorded_planners};
pub use self::reference::reference;
pub use self::registration::{Notice, Platform};
pub use self::row_function::{Call, Column, RowFunction};
#[cfg(feature = "session")]
pub use self::session::{platform_options, rewrites, snapshot};
pub use self::snapshot::{Parity, RewriteRecord, SNAPSHOT_FORMAT, Snapshot};
