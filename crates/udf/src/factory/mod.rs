//! SQL macros: functions that are SQL, and vanish from every plan.
//!
//! A macro is a scalar expression over named, typed arguments:
//!
//! ```sql
//! CREATE FUNCTION net(price DOUBLE, tax DOUBLE DEFAULT 0.19) RETURNS DOUBLE RETURN price / (1 + tax);
//! ```
//!
//! A call stands for the body with the arguments in place. [`inline`] puts it there, so a plan, its
//! identity, and every form in which it is kept show the body and never the name: two macros with
//! one meaning give one identity, and a changed body changes the identity of exactly those views
//! that call it.
//!
//! Arguments are converted to their types as those of any function are, so text does not silently
//! become a number. Arguments that are left out take their defaults. A volatile argument (`random()`)
//! that the body uses more than once is refused, because each use would see another value.
//!
//! With the feature `session`, macros come from files (`MacroSet`) or from `CREATE FUNCTION` in a
//! session (`MacroFactory`).

// The function and its way into a plan.
mod function;
mod inline;

// Where macros come from.
#[cfg(feature = "session")]
mod engine;
#[cfg(feature = "session")]
mod plan;
#[cfg(feature = "session")]
mod set;
#[cfg(feature = "session")]
mod text;

#[cfg(feature = "session")]
pub use self::engine::MacroFactory;
pub use self::function::{MacroArgument, SqlMacro};
pub use self::inline::inline;
#[cfg(feature = "session")]
pub use self::set::{MacroSet, Macros};
#[cfg(feature = "session")]
pub use self::text::MacroFile;
