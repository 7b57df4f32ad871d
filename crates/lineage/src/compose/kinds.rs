//! Sets of kinds of edges.

use std::fmt;

use crate::EdgeKind;

/// A set of kinds of edges.
///
/// ```
/// use codeanatomy_lineage::{EdgeKind, EdgeKinds};
///
/// let kinds: EdgeKinds = [EdgeKind::Filter, EdgeKind::Identity].into_iter().collect();
/// assert_eq!(kinds.to_string(), "IDENTITY, FILTER");
/// assert!(kinds.contains(EdgeKind::Filter));
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EdgeKinds(u16);

impl EdgeKinds {
    /// That the rows of a table count: no kind of its own, and never shown.
    pub(super) const ROWS: Self = Self(1 << 15);

    const KINDS: u16 = (1 << 9) - 1;
    const DIRECT: u16 = 0b111;

    /// The set of one kind.
    pub const fn of(kind: EdgeKind) -> Self {
        Self(1 << kind as u16)
    }

    /// Whether there is no kind in the set.
    pub const fn is_empty(self) -> bool {
        self.0 & Self::KINDS == 0
    }

    /// Whether a kind is in the set.
    pub const fn contains(self, kind: EdgeKind) -> bool {
        self.0 & Self::of(kind).0 != 0
    }

    /// Whether a direct kind is in the set.
    pub const fn any_direct(self) -> bool {
        self.0 & Self::DIRECT != 0
    }

    /// The kinds in either set.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The kinds, direct before indirect.
    pub fn iter(self) -> impl Iterator<Item = EdgeKind> {
        EdgeKind::ALL
            .into_iter()
            .filter(move |&kind| self.contains(kind))
    }

    /// The kinds of ways that are one step of kind `last` longer.
    pub(super) fn then(self, last: EdgeKind) -> Self {
        if self.nothing() {
            self
        } else if last.is_direct() {
            let kept = Self(self.0 & !Self::DIRECT);
            let direct = self.iter().filter(|kind| kind.is_direct());
            direct.fold(kept, |kinds, kind| kinds.union(Self::of(last.after(kind))))
        } else {
            Self::of(last)
        }
    }

    /// Whether nothing is known, not even that rows count.
    pub(super) const fn nothing(self) -> bool {
        self.0 == 0
    }

    /// The kinds alone, without that rows count.
    pub(super) const fn shown(self) -> Self {
        Self(self.0 & Self::KINDS)
    }
}

impl FromIterator<EdgeKind> for EdgeKinds {
    fn from_iter<T: IntoIterator<Item = EdgeKind>>(kinds: T) -> Self {
        let kinds = kinds.into_iter().map(Self::of);
        kinds.fold(Self::default(), Self::union)
    }
}

impl fmt::Display for EdgeKinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, kind) in self.iter().enumerate() {
            let comma = if number == 0 { "" } else { ", " };
            write!(f, "{comma}{kind}")?;
        }
        Ok(())
    }
}
