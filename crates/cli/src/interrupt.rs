//! Ctrl-C and requests to terminate.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use codeanatomy_vocab::{Error, Result, Stage};
use tokio_util::sync::CancellationToken;

use crate::codes;
use crate::exit::Exit;
use crate::output::Output;

/// Watches for signals, on a thread of its own, so that no amount of work can hide one.
#[derive(Debug, Clone)]
pub(crate) struct Interrupts {
    token: Arc<Mutex<Option<CancellationToken>>>,
}

impl Interrupts {
    /// Watches from now on. Until [`token`](Self::token) is asked for, the first signal ends the
    /// process.
    pub(crate) fn watch(output: &Output) -> Result<Self> {
        let interrupts = Self {
            token: Arc::default(),
        };
        let failed = |error: io::Error| {
            Error::new(
                codes::SURROUNDINGS,
                format!("signals cannot be watched: {error}"),
            )
            .with_source(error)
            .with_help("allow the process one more thread")
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()
            .map_err(failed)?;
        let mut signals = {
            let _context = runtime.enter();
            Signals::new().map_err(failed)?
        };
        let (watch, output) = (interrupts.clone(), output.clone());
        std::thread::Builder::new()
            .name("signals".to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    loop {
                        signals.next().await;
                        watch.signal(&output);
                    }
                })
            })
            .map_err(failed)?;
        Ok(interrupts)
    }

    /// From now on the first signal cancels this token, and the second ends the process.
    pub(crate) fn token(&self) -> CancellationToken {
        let mut token = self.token.lock().unwrap_or_else(PoisonError::into_inner);
        token.get_or_insert_default().clone()
    }

    fn signal(&self, output: &Output) {
        let token = self.token.lock().unwrap_or_else(PoisonError::into_inner);
        match token.as_ref() {
            Some(token) if !token.is_cancelled() => {
                token.cancel();
                output.note("stopping in good order; once more stops at once");
            }
            _ => end(output),
        }
    }
}

/// The error of a command that was stopped.
pub(crate) fn interrupted() -> Error {
    Error::new(codes::INTERRUPTED, "stopped on request")
        .with_help("the next run of the command starts where this one left off")
}

fn end(output: &Output) -> ! {
    output.clear_bars();
    output.errors(&interrupted().into());
    std::process::exit(i32::from(Exit::Failed(Stage::Interrupt).code()))
}

/// The signals that ask a process to stop.
struct Signals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    #[cfg(unix)]
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    #[cfg(unix)]
    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }

    #[cfg(not(unix))]
    fn new() -> io::Result<Self> {
        Ok(Self {})
    }

    #[cfg(not(unix))]
    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
