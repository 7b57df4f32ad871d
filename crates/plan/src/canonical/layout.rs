//! Columns in another order than the plan has them, and columns that the plan has not.
//!
//! Some nodes are digested as another node with the same rows, whose columns stand in another order
//! or are more: a right join as a left join with its sides exchanged, a projection of some columns
//! as its input. Whoever names a column of such a node names its place there. Whoever takes all
//! columns as they stand sees a projection on top.

use std::rc::Rc;

use super::Node;
use super::expr::column_of_input;
use super::plan::Draft;
use super::tag::node as tag;

/// For each column of a schema, its place in what the digest stands for.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    /// `None` where each column is in its own place and there are no others.
    places: Option<Rc<[usize]>>,
    /// The columns of what the digest stands for.
    columns: usize,
}

impl Layout {
    /// Each column in its own place.
    pub(super) fn plain(columns: usize) -> Self {
        Self {
            places: None,
            columns,
        }
    }

    /// These places among so many columns.
    pub(super) fn new(places: Vec<usize>, columns: usize) -> Self {
        let plain = places.iter().copied().eq(0..columns);
        Self {
            places: (!plain).then(|| places.into()),
            columns,
        }
    }

    /// The columns of what the digest stands for.
    pub(super) fn columns(&self) -> usize {
        self.columns
    }

    /// The place of a column.
    pub(super) fn place(&self, ordinal: usize) -> usize {
        match &self.places {
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
        let columns = self.columns + more;
        let places = self.places(width, 0).chain(self.columns..columns);
        Self::new(places.collect(), columns)
    }

    /// Whether every column of what the digest stands for is there once.
    fn is_permutation(&self) -> bool {
        self.places.as_ref().is_none_or(|places| {
            let mut sorted = places.to_vec();
            sorted.sort_unstable();
            sorted.into_iter().eq(0..self.columns)
        })
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
        let Some(places) = &self.layout.places else {
            return self;
        };
        let mut draft = Draft::new(tag::PROJECTION);
        draft.input(&self);
        let columns: Vec<_> = places.iter().copied().map(column_of_input).collect();
        draft.exprs(&columns);
        draft.finish(&self.schema)
    }

    /// The same, settled if there are other columns behind it than the plan has.
    pub(super) fn with_all_columns(self) -> Self {
        if self.layout.is_permutation() {
            self
        } else {
            self.settled()
        }
    }
}
