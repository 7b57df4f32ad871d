//! Facts that every layer of CodeAnatomy shares.
//!
//! **The law of this crate:** it depends on no sibling, no Arrow, no DataFusion, no deltalake and
//! no Tokio, and it does no I/O except where a [`SecretRef`] is resolved on demand. A *fact* (a
//! pin, a fingerprint, an error code) lives here; *obtaining* it (reading a log, planning a query)
//! lives in the layer that can.
//!
//! # Example: what is the identity of a list of settings?
//!
//! ```
//! use codeanatomy_vocab::{Encoder, Fingerprint};
//!
//! let mut encoder = Encoder::new("example.settings", 1);
//! encoder.str("time_zone");
//! encoder.str("UTC");
//! let fingerprint: Fingerprint = encoder.finish();
//! assert_eq!(fingerprint.to_hex().len(), 64);
//! ```

// Names and identities.
mod ident;
mod pin;

// Canonical bytes and what is made of them.
mod canonical;
mod fingerprint;

// Errors for people and for programs.
mod error;
mod location;
mod nearest;

// The outside world, reduced to values.
mod clock;
mod redact;

pub use self::canonical::Encoder;
pub use self::clock::{Clock, ManualClock, SystemClock, UnixMillis};
pub use self::error::{Code, Error, ErrorKind, Errors, Result, Stage, codes};
pub use self::fingerprint::{Fingerprint, ParseFingerprintError};
pub use self::ident::{DatasetName, RunId, ViewName};
pub use self::location::{Location, Position};
pub use self::nearest::nearest;
pub use self::pin::{DeltaInputPin, DeltaVersion, DeltaVersionSelector};
pub use self::redact::{SafeUrl, Secret, SecretRef};
