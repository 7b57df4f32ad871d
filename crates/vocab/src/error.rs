//! One error type for people and programs.

use std::fmt;

use crate::Location;

/// A result whose error is one [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What the caller can do about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The input is wrong: mend it and try again.
    Invalid,
    /// The world moved since it was pinned: pin or plan again.
    Drifted,
    /// A feature or protocol that this version does not support.
    Unsupported,
    /// Something needed is away for now: retry later.
    Unavailable,
    /// Somebody else won: look at what they did, then try again.
    Conflict,
    /// The data itself is damaged or breaks a rule.
    Data,
    /// A resource limit was reached: raise it or need less.
    Resource,
    /// The user asked to stop.
    Interrupted,
    /// A defect of this program: report it.
    Internal,
}

/// The part of the work in which an error arises; decides the exit code of the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Stage {
    /// Reading arguments, configuration and the project folder: exit 2.
    Configuration,
    /// SQL and the graph: exit 3.
    Compile,
    /// Contracts: exit 4.
    Contract,
    /// Inputs that are missing or not ready: exit 5.
    Data,
    /// Running queries and writing outputs: exit 6.
    Execution,
    /// A result that does not match what it should: exit 7.
    Verify,
    /// Interrupted by the user: exit 130.
    Interrupt,
    /// A defect of this program: exit 1.
    Internal,
}

/// A stable error code with what is always true of it. Declared once, next to the errors of its
/// crate, and explained in `docs/errors.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code {
    id: &'static str,
    kind: ErrorKind,
    stage: Stage,
}

/// Error codes of this crate.
pub mod codes {
    use super::{Code, ErrorKind, Stage};

    /// A view or dataset name that breaks the rule for names.
    pub const INVALID_NAME: Code =
        Code::new("CA-VOCAB-0001", ErrorKind::Invalid, Stage::Configuration);
    /// Text that is not a run id.
    pub const INVALID_RUN_ID: Code =
        Code::new("CA-VOCAB-0002", ErrorKind::Invalid, Stage::Configuration);
    /// A secret whose variable or file is missing.
    pub const SECRET_NOT_FOUND: Code =
        Code::new("CA-VOCAB-0003", ErrorKind::Invalid, Stage::Configuration);
}

/// One error: a stable code, a message, the place, the nearest name, and what to do.
///
/// The code and its kind are API; the message is not. `Display` writes the message alone; the
/// command line renders everything.
///
/// # Example: how is an error made?
///
/// ```
/// use codeanatomy_vocab::{Code, Error, ErrorKind, Stage, nearest};
///
/// const UNKNOWN_TABLE: Code = Code::new("CA-EXAMPLE-0001", ErrorKind::Invalid, Stage::Compile);
///
/// let error = Error::new(UNKNOWN_TABLE, "there is no table `ordres`")
///     .with("view", "by_region")
///     .with_nearest(nearest("ordres", ["orders"]))
///     .with_help("name a dataset of codeanatomy.toml or a view of the project");
/// assert_eq!(error.to_string(), "there is no table `ordres`");
/// assert_eq!(error.nearest(), Some("orders"));
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    code: Code,
    message: String,
    context: Vec<(&'static str, String)>,
    location: Option<Location>,
    label: Option<String>,
    expected: Option<String>,
    nearest: Option<String>,
    help: Option<String>,
    source: Option<Box<dyn std::error::Error + Send + Sync + 'static>>,
}

/// All errors of one pass, never none.
#[derive(Debug)]
pub struct Errors(Vec<Error>);

impl Code {
    /// Declares a code.
    pub const fn new(id: &'static str, kind: ErrorKind, stage: Stage) -> Self {
        Self { id, kind, stage }
    }

    /// The code as users see it, for example `CA-DELTA-0003`.
    pub const fn id(&self) -> &'static str {
        self.id
    }

    /// What the caller can do.
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The part of the work in which it arises.
    pub const fn stage(&self) -> Stage {
        self.stage
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id)
    }
}

impl Error {
    /// An error with a code and a message. The message starts in lower case and has no final dot.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            code,
            message: message.into(),
            context: Vec::new(),
            location: None,
            label: None,
            expected: None,
            nearest: None,
            help: None,
            source: None,
        }))
    }

    /// Adds a key and a value: which view, which dataset, which column.
    #[must_use]
    pub fn with(mut self, key: &'static str, value: impl fmt::Display) -> Self {
        self.0.context.push((key, value.to_string()));
        self
    }

    /// Sets the place. The first place set stays, because the innermost caller knows best.
    #[must_use]
    pub fn at(mut self, location: Location) -> Self {
        self.0.location.get_or_insert(location);
        self
    }

    /// Says beside the marked text what is wrong with it.
    #[must_use]
    pub fn with_label(mut self, label: impl Into<String>) -> Self {
        self.0.label = Some(label.into());
        self
    }

    /// Says what was expected.
    #[must_use]
    pub fn with_expected(mut self, expected: impl Into<String>) -> Self {
        self.0.expected = Some(expected.into());
        self
    }

    /// Names the nearest known name, if there is one.
    #[must_use]
    pub fn with_nearest(mut self, nearest: Option<&str>) -> Self {
        self.0.nearest = nearest.map(str::to_owned);
        self
    }

    /// Says in one line what to do.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.0.help = Some(help.into());
        self
    }

    /// Keeps the error that caused this one.
    #[must_use]
    pub fn with_source(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync + 'static>>,
    ) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// The stable code.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// What the caller can do.
    pub fn kind(&self) -> ErrorKind {
        self.0.code.kind
    }

    /// Whether the same call may succeed later without a change of input.
    pub fn is_retryable(&self) -> bool {
        matches!(self.kind(), ErrorKind::Unavailable | ErrorKind::Conflict)
    }

    /// Keys and values, innermost first.
    pub fn context(&self) -> &[(&'static str, String)] {
        &self.0.context
    }

    /// The place, where known.
    pub fn location(&self) -> Option<&Location> {
        self.0.location.as_ref()
    }

    /// What to say beside the marked text.
    pub fn label(&self) -> Option<&str> {
        self.0.label.as_deref()
    }

    /// What was expected.
    pub fn expected(&self) -> Option<&str> {
        self.0.expected.as_deref()
    }

    /// The nearest known name.
    pub fn nearest(&self) -> Option<&str> {
        self.0.nearest.as_deref()
    }

    /// What to do, in one line.
    pub fn help(&self) -> Option<&str> {
        self.0.help.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0.code, self.0.message)?;
        if let Some(location) = &self.0.location {
            write!(f, " at {location}")?;
        }
        for (key, value) in &self.0.context {
            write!(f, ", {key}: {value}")?;
        }
        if let Some(source) = &self.0.source {
            write!(f, ", caused by: {source}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0.source {
            Some(source) => Some(source.as_ref()),
            None => None,
        }
    }
}

impl Errors {
    /// `Ok(value)` when `errors` is empty, else all of them.
    ///
    /// # Errors
    ///
    /// The errors that were given.
    pub fn check<T>(errors: Vec<Error>, value: T) -> Result<T, Self> {
        if errors.is_empty() {
            Ok(value)
        } else {
            Err(Self(errors))
        }
    }

    /// Changes each error, for example by adding the place that only the caller knows.
    #[must_use]
    pub fn map(self, change: impl FnMut(Error) -> Error) -> Self {
        Self(self.0.into_iter().map(change).collect())
    }

    /// The errors, in the order in which they were found.
    pub fn iter(&self) -> std::slice::Iter<'_, Error> {
        self.0.iter()
    }

    /// The error that decides the exit code: the first one.
    pub fn first(&self) -> &Error {
        &self.0[0]
    }
}

impl From<Error> for Errors {
    fn from(error: Error) -> Self {
        Self(vec![error])
    }
}

impl IntoIterator for Errors {
    type Item = Error;
    type IntoIter = std::vec::IntoIter<Error>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl fmt::Display for Errors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Errors {}
