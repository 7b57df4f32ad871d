//! How errors of the libraries below become ours.

use std::error::Error as StdError;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::path::Path;

use codeanatomy_vocab::{Code, Error};
use datafusion_common::DataFusionError;
use deltalake_core::{DeltaTableError, ObjectStoreError};
use futures::FutureExt;

use crate::{TableLocation, codes};

/// What was being done when the store failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
}

/// The error of a table whose log could not be read.
pub(crate) fn log_error(error: DeltaTableError, location: &TableLocation) -> Error {
    if let Some(store) = find_cause::<ObjectStoreError>(&error)
        && let Some(code) = denied(store)
    {
        return unreachable_error(code, Access::Read, location).with_source(Chain::from(error));
    }
    let (code, message, help) = match &error {
        DeltaTableError::NotATable(_) => (
            codes::NOT_A_TABLE,
            format!("there is no Delta table at {location}"),
            "correct the location, or create the table first",
        ),
        DeltaTableError::ObjectStore { source }
            if !matches!(source, ObjectStoreError::NotFound { .. }) =>
        {
            (
                codes::UNREADABLE,
                format!("the log of the Delta table at {location} cannot be read"),
                "try again; if it stays, look at the cause",
            )
        }
        _ => match unsupported(&error) {
            Some(what) => (
                codes::UNSUPPORTED_FEATURE,
                format!(
                    "the Delta table at {location} needs what this version cannot read: {what}"
                ),
                "write a copy of the table without that feature",
            ),
            None => (
                codes::DAMAGED_TABLE,
                format!(
                    "the log of the Delta table at {location} is damaged: {}",
                    first_line(&error)
                ),
                "restore the missing or damaged files of `_delta_log`, or write the table again",
            ),
        },
    };
    Error::new(code, message)
        .with_help(help)
        .with_source(Chain::from(error))
}

/// The error of a store that could not be read or written.
pub(crate) fn store_error(
    error: ObjectStoreError,
    access: Access,
    location: &TableLocation,
) -> Error {
    let code = match access {
        Access::Read => codes::UNREADABLE,
        Access::Write => codes::UNWRITABLE,
    };
    unreachable_error(code, access, location).with_source(error)
}

/// The error of a local path that could not be read.
pub(crate) fn unreadable(path: &Path, error: std::io::Error) -> Error {
    Error::new(
        codes::UNREADABLE,
        format!("{} cannot be read", path.display()),
    )
    .with_source(error)
    .with_help("check that you may read the folder, all files in it and all folders above it")
}

/// The error of a query whose rows were being written.
///
/// An error of ours that travelled through the engine comes out as it went in.
pub fn query_error(error: DataFusionError) -> Error {
    let error = match into_ours(error) {
        Ok(ours) => return ours,
        Err(error) => error,
    };
    let root = error.find_root();
    match root {
        DataFusionError::ResourcesExhausted(message) => {
            Error::new(codes::RESOURCES_EXHAUSTED, first_line(message))
                .with_help("raise `memory_limit` of the session, or let it spill to a larger disk")
                .with_source(error)
        }
        root => {
            let message = format!("the query failed: {}", first_line(&root));
            Error::new(codes::QUERY_FAILED, message)
                .with_help("look at the cause; `explain` shows the plan")
                .with_source(error)
        }
    }
}

/// Waits for the Delta library, which panics on some tables that it cannot read.
pub(crate) async fn guarded<T>(
    location: &TableLocation,
    work: impl Future<Output = T>,
) -> Result<T, Error> {
    AssertUnwindSafe(work)
        .catch_unwind()
        .await
        .map_err(|panic| {
            let message = panic
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| panic.downcast_ref::<&str>().copied())
                .unwrap_or("no message");
            Error::new(
                codes::DAMAGED_TABLE,
                format!("the Delta library gave up on the table at {location}: {message}"),
            )
            .with_help("write the table again, or a copy of it with another writer")
        })
}

/// A defect, with what was being done.
pub(crate) fn internal(what: &str, error: impl Into<Box<dyn StdError + Send + Sync>>) -> Error {
    Error::new(codes::INTERNAL, format!("{what} failed unexpectedly"))
        .with_source(error)
        .with_help("this is a defect: please report it with the command and the log")
}

fn unreachable_error(code: Code, access: Access, location: &TableLocation) -> Error {
    let (verb, right) = match access {
        Access::Read => ("read", "read"),
        Access::Write => ("written", "write"),
    };
    let help = match location.local_path() {
        Some(_) => {
            format!("check that the folder exists and that you may {right} it and all files in it")
        }
        None => format!(
            "check the name of the bucket, its region, and that the credentials in `options` may \
             {right} it"
        ),
    };
    Error::new(code, format!("{location} cannot be {verb}")).with_help(help)
}

/// The code for an access that the store denied.
fn denied(error: &ObjectStoreError) -> Option<Code> {
    let denied = match error {
        ObjectStoreError::PermissionDenied { .. } | ObjectStoreError::Unauthenticated { .. } => {
            true
        }
        other => find_cause::<std::io::Error>(other)
            .is_some_and(|io| io.kind() == std::io::ErrorKind::PermissionDenied),
    };
    denied.then_some(codes::UNREADABLE)
}

/// What the log asks for that the libraries below cannot do, in their words.
fn unsupported(error: &DeltaTableError) -> Option<String> {
    let text = error.to_string();
    let at = text.find("Unsupported: ")? + "Unsupported: ".len();
    Some(text[at..].lines().next().unwrap_or_default().to_owned())
}

fn into_ours(error: DataFusionError) -> Result<Error, DataFusionError> {
    match error {
        DataFusionError::External(source) => match source.downcast::<Error>() {
            Ok(ours) => Ok(*ours),
            Err(source) => match source.downcast::<DataFusionError>() {
                Ok(inner) => into_ours(*inner),
                Err(source) => Err(DataFusionError::External(source)),
            },
        },
        DataFusionError::Context(context, inner) => {
            into_ours(*inner).map_err(|inner| DataFusionError::Context(context, Box::new(inner)))
        }
        DataFusionError::ArrowError(inner, backtrace) => match *inner {
            arrow::error::ArrowError::ExternalError(source) => match source.downcast::<Error>() {
                Ok(ours) => Ok(*ours),
                Err(source) => Err(DataFusionError::ArrowError(
                    Box::new(arrow::error::ArrowError::ExternalError(source)),
                    backtrace,
                )),
            },
            inner => Err(DataFusionError::ArrowError(Box::new(inner), backtrace)),
        },
        other => Err(other),
    }
}

fn find_cause<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    let mut current = Some(error);
    while let Some(error) = current {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        current = error.source();
    }
    None
}

pub(crate) fn first_line(text: &(impl fmt::Display + ?Sized)) -> String {
    text.to_string()
        .lines()
        .next()
        .unwrap_or_default()
        .to_owned()
}

/// An error of a library as text with its causes, so that its type stays in this crate.
#[derive(Debug)]
pub(crate) struct Chain(String);

impl From<DeltaTableError> for Chain {
    fn from(error: DeltaTableError) -> Self {
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            let cause_text = cause.to_string();
            if !text.contains(&cause_text) {
                text.push_str(": ");
                text.push_str(&cause_text);
            }
            source = cause.source();
        }
        Self(text)
    }
}

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl StdError for Chain {}
