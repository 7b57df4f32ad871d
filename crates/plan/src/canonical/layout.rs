//! Columns in another order than the plan has them.
//!
//! Some nodes are digested as another node with the same rows whose columns stand in another order:
//! a right join as a left join with its sides exchanged. Whoever names a column of such a node
//! names its place there. Whoever takes all columns as they stand sees a projection on top.

use std::rc::Rc;

use super::Node;
use super::expr::column_of_input;
use super::plan::Draft;
use super::tag::node as tag;

/// For each column of a schema, its place in what the digest stands for.
#[derive(Debug, Clone, Default)]
pub(super) struct Layout(Option<Rc<[usize]>>);

impl Layout {
    /// Places; `Layout::default()` where each column is in its own.
    pub(super) fn new(places: Vec<usize>) -> Self {
        if places.iter().copied().eq(0..places.len()) {
            return Self::default();
        }
        Self(Some(places.into()))
    }

    /// The place of a column.
    pub(super) fn place(&self, ordinal: usize) -> usize {
        match &self.0 {
            Some(places) => places.get(ordinal).copied().unwrap_or(ordinal),
            None => ordinal,
        }
    }

    /// The places of the first columns, moved by an offset.
    pub(super) fn places(&self, width: usize, offset: usize) -> impl Iterator<Item = usize> + '_ {
        (0..width).map(move |ordinal| self.place(ordinal) + offset)
    }

    /// With more columns at the end.
    pub(super) fn followed_by(&self, width: usize, more: usize) -> Self {
        Self::new(self.places(width, 0).chain(width..width + more).collect())
    }
}

impl Node {
    /// The number of columns.
    pub(super) fn width(&self) -> usize {
        self.schema.fields().len()
    }

    /// The same with a layout.
    pub(super) fn laid_out(self, layout: Layout) -> Self {
        Self { layout, ..self }
    }

    /// The same with every column in its own place: the projection that puts them there.
    pub(super) fn settled(self) -> Self {
        let Some(places) = &self.layout.0 else {
            return self;
        };
        let mut draft = Draft::new(tag::PROJECTION);
        draft.input(&self);
        let columns: Vec<_> = places.iter().copied().map(column_of_input).collect();
        draft.exprs(&columns);
        draft.finish(&self.schema)
    }
}
