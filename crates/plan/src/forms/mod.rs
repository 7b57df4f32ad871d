//! Forms of a plan that can be kept and run elsewhere.
//!
//! A form is never an identity: it may lose meaning. It is used only where the plan that it decodes
//! to has the digest of the plan that it was made from.

#[cfg(feature = "substrait")]
pub mod substrait;
