//! One line of the manifest: an implementation, its version and its documentation.

use std::fmt;
use std::sync::Arc;

use codeanatomy_vocab::{Encoder, Fingerprint};
use datafusion_catalog::TableFunctionImpl;
use datafusion_expr::async_udf::{AsyncScalarUDF, AsyncScalarUDFImpl};
use datafusion_expr::{
    AggregateUDF, AggregateUDFImpl, ScalarUDF, ScalarUDFImpl, Signature, Volatility, WindowUDF,
    WindowUDFImpl,
};
use serde::{Deserialize, Serialize};

use crate::{AsyncLimits, Docs, limited};

/// A function with everything that the platform knows of it. Cheap to clone.
///
/// # Example: what does a function bring along?
///
/// ```
/// use codeanatomy_udf::{Kind, Library};
///
/// let library = Library::builtin();
/// let entry = library.get("span_len").unwrap();
/// assert_eq!(entry.kind(), Kind::Scalar);
/// assert_eq!(entry.docs().examples.len(), 1);
/// ```
#[derive(Clone)]
pub struct Entry {
    name: String,
    aliases: Vec<String>,
    version: u32,
    docs: Docs,
    rewrite_tags: Vec<String>,
    implementation: Implementation,
}

/// The version of the engine's own functions.
const ENGINE: u32 = 0;

/// How a function is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// One value for each row.
    Scalar,
    /// One value for each group of rows.
    Aggregate,
    /// One value for each row, from the rows around it.
    Window,
    /// Rows, in `FROM`.
    Table,
    /// SQL that stands for the call.
    Macro,
    /// One value for each row, from values and functions. The engine alone has such functions.
    HigherOrder,
}

/// The engine's handle of a function.
#[derive(Clone)]
pub enum Implementation {
    /// A scalar function, asynchronous ones among them.
    Scalar(Arc<ScalarUDF>),
    /// An aggregate function.
    Aggregate(Arc<AggregateUDF>),
    /// A window function.
    Window(Arc<WindowUDF>),
    /// A table function.
    Table(Arc<dyn TableFunctionImpl>),
}

impl Entry {
    /// An entry for a scalar function.
    pub fn scalar(function: impl ScalarUDFImpl + 'static, version: u32, docs: Docs) -> Self {
        let function = ScalarUDF::new_from_impl(function);
        Self::of(Implementation::Scalar(Arc::new(function)), version, docs)
    }

    /// An entry for an asynchronous scalar function.
    pub fn async_scalar(function: Arc<dyn AsyncScalarUDFImpl>, version: u32, docs: Docs) -> Self {
        let function = AsyncScalarUDF::new(function).into_scalar_udf();
        Self::of(Implementation::Scalar(Arc::new(function)), version, docs)
    }

    /// An entry for an aggregate function.
    pub fn aggregate(function: impl AggregateUDFImpl + 'static, version: u32, docs: Docs) -> Self {
        let function = AggregateUDF::new_from_impl(function);
        Self::of(Implementation::Aggregate(Arc::new(function)), version, docs)
    }

    /// An entry for a window function.
    pub fn window(function: impl WindowUDFImpl + 'static, version: u32, docs: Docs) -> Self {
        let function = WindowUDF::new_from_impl(function);
        Self::of(Implementation::Window(Arc::new(function)), version, docs)
    }

    /// An entry for a table function, which alone does not know its name.
    pub fn table(
        name: impl Into<String>,
        function: Arc<dyn TableFunctionImpl>,
        version: u32,
        docs: Docs,
    ) -> Self {
        Self {
            name: name.into(),
            aliases: Vec::new(),
            version,
            docs,
            rewrite_tags: Vec::new(),
            implementation: Implementation::Table(function),
        }
    }

    /// An entry for a function that the engine has, under whose version it stands.
    pub(crate) fn of_engine(implementation: Implementation, docs: Docs) -> Self {
        Self::of(implementation, ENGINE, docs)
    }

    fn of(implementation: Implementation, version: u32, docs: Docs) -> Self {
        let (name, aliases) = match &implementation {
            Implementation::Scalar(function) => (function.name(), function.aliases()),
            Implementation::Aggregate(function) => (function.name(), function.aliases()),
            Implementation::Window(function) => (function.name(), function.aliases()),
            Implementation::Table(_) => ("", [].as_slice()),
        };
        let mut aliases = aliases.to_vec();
        aliases.sort_unstable();
        Self {
            name: name.to_owned(),
            aliases,
            version,
            docs,
            rewrite_tags: Vec::new(),
            implementation,
        }
    }

    /// The name under which plans call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Other names, sorted.
    pub fn aliases(&self) -> &[String] {
        &self.aliases
    }

    /// The entry of a function that means something only where these rewrites take part in planning.
    #[must_use]
    pub fn with_rewrite_tags(mut self, tags: &[&str]) -> Self {
        self.rewrite_tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
        self.rewrite_tags.sort_unstable();
        self
    }

    /// The entry with limits on what its function waits for, if it waits at all.
    pub(crate) fn limited(mut self, limits: AsyncLimits) -> Self {
        if let Implementation::Scalar(function) = &mut self.implementation {
            *function = limited(Arc::clone(function), limits);
        }
        self
    }

    /// The rewrites that plans with the function need, sorted.
    pub fn rewrite_tags(&self) -> &[String] {
        &self.rewrite_tags
    }

    /// All names under which it is called: its own, then the others.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.name()).chain(self.aliases.iter().map(String::as_str))
    }

    /// How it is called.
    pub fn kind(&self) -> Kind {
        match &self.implementation {
            Implementation::Scalar(_) => Kind::Scalar,
            Implementation::Aggregate(_) => Kind::Aggregate,
            Implementation::Window(_) => Kind::Window,
            Implementation::Table(_) => Kind::Table,
        }
    }

    /// The version of the implementation: raised whenever any input gives another output. The engine's
    /// own functions have none but that of the engine.
    pub fn version(&self) -> Option<u32> {
        (self.version != ENGINE).then_some(self.version)
    }

    /// Its documentation.
    pub fn docs(&self) -> &Docs {
        &self.docs
    }

    /// The engine's handle.
    pub fn implementation(&self) -> &Implementation {
        &self.implementation
    }

    /// Whether it waits for something outside of the engine.
    pub fn is_async(&self) -> bool {
        match &self.implementation {
            Implementation::Scalar(function) => function.as_async().is_some(),
            Implementation::Aggregate(_) | Implementation::Window(_) | Implementation::Table(_) => {
                false
            }
        }
    }

    /// Its signature. A table function has none: it looks at its arguments itself.
    pub fn signature(&self) -> Option<&Signature> {
        match &self.implementation {
            Implementation::Scalar(function) => Some(function.signature()),
            Implementation::Aggregate(function) => Some(function.signature()),
            Implementation::Window(function) => Some(function.signature()),
            Implementation::Table(_) => None,
        }
    }

    /// Whether equal arguments give equal results. A table function reads what is outside.
    pub fn volatility(&self) -> Volatility {
        self.signature()
            .map_or(Volatility::Volatile, |signature| signature.volatility)
    }

    /// What stands for the implementation in identities: the library, kind, name and version. The
    /// engine's own functions have none: its version is in every identity.
    pub fn implementation_digest(&self, library: &str) -> Option<Fingerprint> {
        let version = self.version()?;
        let mut encoder = Encoder::new("codeanatomy.udf.implementation", 1);
        encoder.str(library);
        encoder.str(self.kind().as_str());
        encoder.str(&self.name);
        encoder.u32(version);
        Some(encoder.finish())
    }
}

impl Kind {
    /// The kind in one lower-case word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::Aggregate => "aggregate",
            Self::Window => "window",
            Self::Table => "table",
            Self::Macro => "macro",
            Self::HigherOrder => "higher_order",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} v{}", self.kind(), self.name, self.version)
    }
}
