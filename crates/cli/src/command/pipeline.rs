//! What the commands that plan or build share.

use std::future::Future;
use std::path::Path;
use std::sync::Arc;

use codeanatomy::delta::PinRequest;
use codeanatomy::obs::{Observer, Phase, RunEvent};
use codeanatomy::{CancellationToken, Configured, Overrides, Planned};
use codeanatomy_vocab::{Error, Errors, ViewName};

use super::Context;
use crate::codes;
use crate::interrupt::interrupted;

/// Threads that run queries get more than the usual 2 MiB, because plans are walked recursively.
const STACK_BYTES: usize = 16 * 1024 * 1024;

impl Context {
    /// Reads the project.
    pub(crate) fn configured(&self) -> Result<Configured, Errors> {
        self.configured_in(&self.project_dir()?)
    }

    /// Reads the project in a folder.
    pub(crate) fn configured_in(&self, dir: &Path) -> Result<Configured, Errors> {
        self.configured_with(dir, None)
    }

    /// Reads the project in a folder; `openlineage` says where events go.
    pub(crate) fn configured_with(
        &self,
        dir: &Path,
        openlineage: Option<String>,
    ) -> Result<Configured, Errors> {
        self.output.paths.start_at(dir);
        let settings = self.global.settings.iter();
        let pins = self.global.pins.iter().map(|pin| PinRequest {
            dataset: pin.dataset.clone(),
            selector: pin.selector,
            place: format!("--pin {}", pin.text),
        });
        let overrides = Overrides {
            settings: settings.map(|s| (s.key.clone(), s.value.clone())).collect(),
            env: self.environment.variables.clone(),
            as_of: self.global.as_of,
            // A file is looked for from the current folder, as every path of the arguments.
            openlineage: openlineage.map(|target| match target.contains("://") {
                true => target,
                false => self.absolute(Path::new(&target)).display().to_string(),
            }),
            pins: pins.collect(),
            ..Overrides::default()
        };
        let configured = Configured::load(dir, overrides)?;
        if let Some(profile) = &configured.project().diagnostics.profile {
            self.log.follow(profile.value);
        }
        for notice in configured.notices() {
            tracing::info!("{notice}");
        }
        Ok(configured)
    }

    /// Reads the project, fixes its inputs and plans the views.
    pub(crate) async fn planned(
        &self,
        dir: &Path,
        selection: &[ViewName],
        observer: &Arc<dyn Observer>,
    ) -> Result<Planned, Errors> {
        self.planned_with(dir, selection, observer, None).await
    }

    /// As [`planned`](Self::planned); `openlineage` says where events go.
    pub(crate) async fn planned_with(
        &self,
        dir: &Path,
        selection: &[ViewName],
        observer: &Arc<dyn Observer>,
        openlineage: Option<String>,
    ) -> Result<Planned, Errors> {
        observer.observe(&RunEvent::PhaseStarted { phase: Phase::Load });
        let configured = self.configured_with(dir, openlineage)?;
        let pinned = configured.pin(selection, Arc::clone(observer)).await?;
        pinned.plan(Arc::clone(observer)).await
    }

    /// Runs asynchronous work to its end, on as many threads as there are cores.
    pub(crate) fn block_on<T>(
        &self,
        work: impl Future<Output = Result<T, Errors>>,
    ) -> Result<T, Errors> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .thread_stack_size(STACK_BYTES)
            .build()
            .map_err(|error| {
                Error::new(
                    codes::SURROUNDINGS,
                    format!("threads cannot be started: {error}"),
                )
                .with_source(error)
                .with_help("allow the process more threads and memory")
            })?;
        let ended = runtime.block_on(work);
        // What still runs after a cancellation writes nothing, and nobody waits for it.
        runtime.shutdown_background();
        ended
    }
}

/// Works to the end or until `cancel`, whichever comes first.
pub(crate) async fn unless_cancelled<T>(
    cancel: &CancellationToken,
    work: impl Future<Output = Result<T, Errors>>,
) -> Result<T, Errors> {
    tokio::select! {
        // Work that is done when the signal comes is done.
        biased;
        ended = work => ended,
        () = cancel.cancelled() => Err(interrupted().into()),
    }
}
