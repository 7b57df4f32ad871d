//! What the logs of tables say of the changes between two records.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use codeanatomy_delta::StoreOptions;
use codeanatomy_session::{Session, on_planning_stack};
use codeanatomy_vocab::{DatasetName, Error, Errors, Result, ViewName};

use crate::footprint::RecordedFootprints;
use crate::reads::DatasetRead;
use crate::{
    FootprintSource, InputFootprint, PinnedDataset, PinnedFootprints, PlannedViews, RunInputs,
    codes, open_session,
};

/// The footprints of tables that are still there, compared with what an earlier record says of
/// them; of the others those of the later record.
struct FarAsThere<'a> {
    there: PinnedFootprints,
    recorded: RecordedFootprints<'a>,
}

impl FootprintSource for FarAsThere<'_> {
    fn input(
        &self,
        view: &ViewName,
        dataset: &DatasetName,
        read: &DatasetRead,
    ) -> Result<InputFootprint> {
        if self.there.has(dataset) {
            self.there.input(view, dataset, read)
        } else {
            self.recorded.input(view, dataset, read)
        }
    }
}

impl RunInputs {
    /// Plans `view` and what it reads as this record says, and compares the Delta tables at the
    /// versions of this record with what the record `before` says that was read of them, for
    /// [`Why::tell_changes`](crate::Why::tell_changes). Tables that are no longer as they were tell
    /// nothing.
    ///
    /// `options` are those of the datasets' stores, which no record holds. Must be called in a Tokio
    /// runtime.
    ///
    /// # Errors
    ///
    /// Those of planning a project.
    pub async fn plan_since(
        self,
        before: &RunInputs,
        view: &ViewName,
        root: &Path,
        options: &BTreeMap<DatasetName, StoreOptions>,
    ) -> Result<PlannedViews, Errors> {
        let session = open_session(&self.profile, self.run_time)?;
        let closure = self.closure(view);
        let tables = self.tables_that_changed(before, &closure, root, options, &session);
        let there = PinnedFootprints::since_record(&session, tables.await, before);
        let root = root.to_owned();
        let planning = tokio::task::spawn_blocking(move || {
            let footprints = FarAsThere {
                there,
                recorded: RecordedFootprints(&self.datasets),
            };
            on_planning_stack(|| self.plan_with(&root, &closure, &session, &footprints))
        });
        planning.await.map_err(|error| {
            Error::new(codes::INTERNAL, "planning a record failed unexpectedly")
                .with_source(error)
                .with_help("this is a defect of CodeAnatomy: please report it")
        })?
    }

    /// The tables with other versions than `before`, as far as they are still as recorded.
    async fn tables_that_changed(
        &self,
        before: &RunInputs,
        views: &BTreeSet<ViewName>,
        root: &Path,
        options: &BTreeMap<DatasetName, StoreOptions>,
        session: &Session,
    ) -> BTreeMap<DatasetName, Arc<PinnedDataset>> {
        let mut tables = BTreeMap::new();
        for name in self.datasets_of(views) {
            let (Some(was), Some(is)) = (before.datasets.get(&name), self.datasets.get(&name))
            else {
                continue;
            };
            if is.pin.is_none() || was.pin == is.pin {
                continue;
            }
            let options = options.get(&name).cloned().unwrap_or_default();
            match is.spec(&name, root, options).pin(session).await {
                Ok(pinned) if pinned.identity().footprint == is.footprint => {
                    tables.insert(name, Arc::new(pinned));
                }
                Ok(_) => tracing::debug!(dataset = %name, "the table is another one now"),
                Err(errors) => tracing::debug!(dataset = %name, %errors, "the version is gone"),
            }
        }
        tables
    }
}
