//! Which functions may see the names of their arguments.

use std::collections::HashSet;
use std::sync::LazyLock;

/// The four kinds of functions; each has names of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Scalar,
    Aggregate,
    Window,
    HigherOrder,
}

/// Functions of the engine that were read and found not to look at the names of their arguments.
static NAME_BLIND: LazyLock<HashSet<(&str, &str)>> = LazyLock::new(|| {
    include_str!("name_blind.txt")
        .lines()
        .filter_map(|line| line.split_once(' '))
        .collect()
});

/// Whether a function may see the names of its arguments, and so may return what depends on them.
///
/// The engine hands each function the fields of its arguments, with names; `arrow_field` returns
/// them. Of a function that nobody read, the same must be feared.
pub(super) fn reads_argument_names(kind: Kind, name: &str) -> bool {
    let kind = match kind {
        Kind::Scalar => "scalar",
        Kind::Aggregate => "aggregate",
        Kind::Window => "window",
        Kind::HigherOrder => "higher-order",
    };
    !NAME_BLIND.contains(&(kind, name))
}
