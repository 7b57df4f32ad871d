//! Leaving out files that cannot hold a row that is asked for.

mod conjunct;
mod policy;
mod select;

use std::collections::HashSet;

use datafusion_catalog::Session;
use datafusion_common::ScalarValue;
use datafusion_expr::Expr;
use serde::{Deserialize, Serialize};

use self::select::{Container, files_that_may_match};
use crate::active::ActiveFile;
use crate::placement::Placement;

pub use self::conjunct::keeps_order;
pub(crate) use self::conjunct::{column_names, conjuncts, is_about_partitions};
pub use self::policy::{
    PartitionFilter, PartitionOperator, PruningPolicy, StatisticsFilter, StatisticsOperator,
};
pub(crate) use self::select::partitions_that_match;

/// Which files of a table a filter leaves.
///
/// A file is left out only where its partition values or its statistics prove that none of its
/// rows fulfils the filter; what is not known keeps it. The counts are those of files that belong
/// to the pinned version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pruning {
    /// How many files are left.
    pub candidate_count: usize,
    /// How many there are.
    pub total_files: usize,
    /// How many are left out.
    pub pruned_count: usize,
    /// The size of the files that are left, in bytes.
    pub candidate_bytes: u64,
    /// The size of all files, in bytes.
    pub total_bytes: u64,
    /// The paths of the files that are left, sorted: from the table's folder, or absolute URLs.
    pub candidate_paths: Vec<String>,
}

impl Pruning {
    /// Describes a choice among `files`, which come sorted by path.
    pub(crate) fn of(files: &[&ActiveFile], survives: &[bool]) -> Self {
        let candidates: Vec<&ActiveFile> = files
            .iter()
            .zip(survives)
            .filter_map(|(file, survives)| survives.then_some(*file))
            .collect();
        Self {
            candidate_count: candidates.len(),
            total_files: files.len(),
            pruned_count: files.len() - candidates.len(),
            candidate_bytes: candidates.iter().map(|file| file.size_bytes).sum(),
            total_bytes: files.iter().map(|file| file.size_bytes).sum(),
            candidate_paths: candidates.iter().map(|file| file.path.clone()).collect(),
        }
    }
}

/// For each file, whether a row of it may fulfil all `filters`.
///
/// Partition filters are evaluated, all others are asked of the statistics. A file whose partition
/// values cannot be read is kept, and so is every file where a filter cannot be evaluated.
pub(crate) fn survivors(
    session: &dyn Session,
    placement: &Placement,
    filters: &[Expr],
    files: &[&ActiveFile],
) -> Vec<bool> {
    let names: HashSet<&str> = placement
        .beside
        .iter()
        .map(|placed| placed.field.name().as_str())
        .collect();
    let known = |filter: &Expr| {
        column_names(filter)
            .iter()
            .all(|name| placement.schema.field_with_name(name).is_ok())
    };
    let (about_partitions, about_rows): (Vec<Expr>, Vec<Expr>) = conjuncts(filters)
        .into_iter()
        .filter(known)
        .partition(|filter| is_about_partitions(filter, &names));
    let mut survives = vec![true; files.len()];
    if about_partitions.is_empty() && about_rows.is_empty() {
        return survives;
    }
    let values: Vec<Option<Vec<ScalarValue>>> = files
        .iter()
        .map(|file| placement.partition_values(file).ok())
        .collect();
    let readable: Vec<usize> = (0..files.len())
        .filter(|file| values[*file].is_some())
        .collect();
    let rows: Vec<&[ScalarValue]> = values.iter().flatten().map(Vec::as_slice).collect();
    match partitions_that_match(
        session,
        &about_partitions,
        &placement.partition_schema(),
        &rows,
    ) {
        Ok(matches) => {
            for (file, matches) in readable.iter().zip(matches) {
                survives[*file] = matches;
            }
        }
        Err(error) => tracing::debug!(%error, "files are not pruned by partition"),
    }
    let open: Vec<usize> = readable
        .into_iter()
        .filter(|file| survives[*file])
        .collect();
    let containers: Vec<Container<'_>> = open
        .iter()
        .map(|file| Container {
            file: files[*file],
            partition_values: values[*file].as_deref().unwrap_or_default(),
        })
        .collect();
    let may_match = may_match(session, placement, about_rows, &containers);
    for (file, may_match) in open.iter().zip(may_match) {
        survives[*file] = may_match;
    }
    survives
}

/// For each file of a scan, whether its statistics let a row fulfil all `filters`.
pub(crate) fn survivors_by_statistics(
    session: &dyn Session,
    placement: &Placement,
    filters: &[Expr],
    files: &[(&ActiveFile, &[ScalarValue])],
) -> Vec<bool> {
    let containers: Vec<Container<'_>> = files
        .iter()
        .map(|(file, partition_values)| Container {
            file,
            partition_values,
        })
        .collect();
    may_match(session, placement, conjuncts(filters), &containers)
}

fn may_match(
    session: &dyn Session,
    placement: &Placement,
    mut filters: Vec<Expr>,
    containers: &[Container<'_>],
) -> Vec<bool> {
    filters.retain(keeps_order);
    files_that_may_match(session, &filters, placement, containers)
}
