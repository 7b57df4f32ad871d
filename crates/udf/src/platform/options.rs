//! What a session is to have of the platform, as plain data.

use serde::{Deserialize, Serialize};

/// Which parts of the platform a session gets.
///
/// # Example: what does a session have unless it says otherwise?
///
/// ```
/// use codeanatomy_udf::PlatformOptions;
///
/// let options = PlatformOptions::default();
/// assert!(options.enable_udfs && !options.enable_async_udfs);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PlatformOptions {
    /// Whether functions are registered at all.
    pub enable_udfs: bool,
    /// Whether functions that wait for something outside of the engine are.
    pub enable_async_udfs: bool,
    /// How long one call of such a function may take, in milliseconds.
    pub async_udf_timeout_ms: u64,
    /// How many rows one call of such a function gets, at most.
    pub async_udf_batch_size: usize,
    /// Whether `CREATE FUNCTION` makes macros.
    pub enable_function_factory: bool,
    /// Whether named expression planners take part in planning.
    pub enable_expr_planners: bool,
    /// Which of them; all that are known where it is empty.
    pub expr_planner_names: Vec<String>,
    /// Whether two functions of one name are an error. If not, it is a notice.
    pub strict: bool,
}

impl Default for PlatformOptions {
    fn default() -> Self {
        Self {
            enable_udfs: true,
            enable_async_udfs: false,
            async_udf_timeout_ms: 30_000,
            async_udf_batch_size: 1_024,
            enable_function_factory: true,
            enable_expr_planners: false,
            expr_planner_names: Vec::new(),
            strict: true,
        }
    }
}
