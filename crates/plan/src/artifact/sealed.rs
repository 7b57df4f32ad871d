//! Kept bundles as files: with their format and a checksum, as JSON and as MessagePack.
//!
//! A file is read only if writing what was read gives the same bytes again. So there is one file
//! for a bundle in each encoding, and any other byte in it is a sign of damage.

use codeanatomy_vocab::{Encoder, Error, Fingerprint, Result};
use serde::{Deserialize, Serialize};

use super::{ARTIFACT_FORMAT, PlanBundleArtifact};
use crate::error::codes;

/// What a file holds, in this order.
#[derive(Serialize)]
struct Sealed<'b> {
    format_version: u32,
    checksum: Fingerprint,
    bundle: &'b PlanBundleArtifact,
}

#[derive(Deserialize)]
struct Opened {
    checksum: Fingerprint,
    bundle: PlanBundleArtifact,
}

/// The beginning of a file of any format.
#[derive(Deserialize)]
struct Version {
    format_version: u32,
}

impl PlanBundleArtifact {
    /// The bundle as a JSON document, indented, ending with a line break.
    ///
    /// # Errors
    ///
    /// None that a bundle can cause; writing to memory is what may fail.
    pub fn to_json(&self) -> Result<String> {
        let mut text = serde_json::to_string_pretty(&self.sealed()?).map_err(not_written)?;
        text.push('\n');
        Ok(text)
    }

    /// Reads a bundle that [`to_json`](Self::to_json) wrote.
    ///
    /// # Errors
    ///
    /// [`CA-PLAN-0006`](codes::UNKNOWN_ARTIFACT_FORMAT) when the text is a bundle of another
    /// format, and [`CA-PLAN-0005`](codes::DAMAGED_ARTIFACT) for everything else that is not
    /// byte for byte what was written.
    pub fn from_json(text: &str) -> Result<Self> {
        let Version { format_version } = serde_json::from_str(text).map_err(unreadable)?;
        check_version(format_version)?;
        let opened: Opened = serde_json::from_str(text).map_err(unreadable)?;
        opened.checked(|bundle| Ok(bundle.to_json()? == text))
    }

    /// The bundle as MessagePack: the same names and order as in JSON, forms as binary.
    ///
    /// # Errors
    ///
    /// As [`to_json`](Self::to_json).
    pub fn to_msgpack(&self) -> Result<Vec<u8>> {
        rmp_serde::to_vec_named(&self.sealed()?).map_err(not_written)
    }

    /// Reads a bundle that [`to_msgpack`](Self::to_msgpack) wrote.
    ///
    /// # Errors
    ///
    /// As [`from_json`](Self::from_json).
    pub fn from_msgpack(bytes: &[u8]) -> Result<Self> {
        let Version { format_version } = rmp_serde::from_slice(bytes).map_err(unreadable)?;
        check_version(format_version)?;
        let opened: Opened = rmp_serde::from_slice(bytes).map_err(unreadable)?;
        opened.checked(|bundle| Ok(bundle.to_msgpack()? == bytes))
    }

    fn sealed(&self) -> Result<Sealed<'_>> {
        Ok(Sealed {
            format_version: ARTIFACT_FORMAT,
            checksum: self.checksum()?,
            bundle: self,
        })
    }

    /// Over all of the bundle, in the one encoding that has no white space.
    fn checksum(&self) -> Result<Fingerprint> {
        let bytes = rmp_serde::to_vec_named(self).map_err(not_written)?;
        let mut encoder = Encoder::new("codeanatomy.plan_bundle", ARTIFACT_FORMAT);
        encoder.bytes(&bytes);
        Ok(encoder.finish())
    }
}

impl Opened {
    fn checked(
        self,
        writes_the_same: impl FnOnce(&PlanBundleArtifact) -> Result<bool>,
    ) -> Result<PlanBundleArtifact> {
        let Self { checksum, bundle } = self;
        if bundle.checksum()? != checksum {
            return Err(damaged().with_expected("a bundle with the checksum that it was given"));
        }
        let forms = [&bundle.substrait, &bundle.protobuf];
        if !forms.into_iter().flatten().all(|form| form.is_intact()) {
            return Err(damaged().with_expected("forms with the hashes that they were given"));
        }
        if !writes_the_same(&bundle)? {
            return Err(damaged().with_expected("the bytes that were written, and no others"));
        }
        Ok(bundle)
    }
}

fn check_version(format_version: u32) -> Result<()> {
    if format_version == ARTIFACT_FORMAT {
        return Ok(());
    }
    Err(Error::new(
        codes::UNKNOWN_ARTIFACT_FORMAT,
        format!("the plan bundle has format {format_version}"),
    )
    .with_expected(format!("format {ARTIFACT_FORMAT}"))
    .with_help("read it with the version of the program that wrote it"))
}

fn damaged() -> Error {
    Error::new(codes::DAMAGED_ARTIFACT, "the plan bundle is damaged")
        .with_help("build the view again to write a new one")
}

fn unreadable(source: impl std::error::Error + Send + Sync + 'static) -> Error {
    damaged().with_source(source)
}

fn not_written(source: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(codes::DAMAGED_ARTIFACT, "the plan bundle cannot be written").with_source(source)
}
