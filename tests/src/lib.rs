//! Tests across the boundaries of the CodeAnatomy workspace.
