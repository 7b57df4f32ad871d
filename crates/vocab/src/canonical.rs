//! The canonical encoding: an injective byte form of structured values, fed to SHA-256.

use sha2::{Digest, Sha256};

use crate::Fingerprint;

/// Feeds structured values to SHA-256 in an injective form.
///
/// Two sequences of calls give the same digest only if they are the same sequence with the same
/// values: every variable-length value carries its length, and every fixed-length value is written
/// in full, big-endian. The caller keeps *its* half of the bargain by writing a distinct
/// [`tag`](Self::tag) before each alternative and the [`len`](Self::len) before each sequence.
///
/// The digest starts with a domain and a format version, so digests of different domains or
/// versions never meet.
///
/// Hash-map order, `Debug` and `Display` text and `std::hash::Hash` have no place here: they are
/// not stable between processes, machines or versions.
///
/// # Example: why can two lists not collide?
///
/// ```
/// use codeanatomy_vocab::Encoder;
///
/// let digest = |names: &[&str]| {
///     let mut encoder = Encoder::new("example.names", 1);
///     encoder.len(names.len());
///     for name in names {
///         encoder.str(name);
///     }
///     encoder.finish()
/// };
/// assert_ne!(digest(&["ab", "c"]), digest(&["a", "bc"]));
/// ```
#[derive(Debug, Clone)]
pub struct Encoder {
    hasher: Sha256,
}

impl Encoder {
    /// Starts a digest in `domain` at `format_version`.
    pub fn new(domain: &str, format_version: u32) -> Self {
        let mut encoder = Self {
            hasher: Sha256::new(),
        };
        encoder.str(domain);
        encoder.u32(format_version);
        encoder
    }

    /// Writes one byte that tells alternatives apart.
    pub fn tag(&mut self, tag: u8) {
        self.hasher.update([tag]);
    }

    /// Writes `false` as 0 and `true` as 1.
    pub fn bool(&mut self, value: bool) {
        self.tag(u8::from(value));
    }

    /// Writes four bytes, big-endian.
    pub fn u32(&mut self, value: u32) {
        self.hasher.update(value.to_be_bytes());
    }

    /// Writes eight bytes, big-endian.
    pub fn u64(&mut self, value: u64) {
        self.hasher.update(value.to_be_bytes());
    }

    /// Writes eight bytes, big-endian, two's complement.
    pub fn i64(&mut self, value: i64) {
        self.hasher.update(value.to_be_bytes());
    }

    /// Writes the number of elements that follow, as eight bytes.
    pub fn len(&mut self, len: usize) {
        self.u64(len as u64);
    }

    /// Writes the length in bytes and the bytes.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.len(bytes.len());
        self.hasher.update(bytes);
    }

    /// Writes the text as its UTF-8 bytes.
    pub fn str(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// Writes the 32 bytes of another digest.
    pub fn fingerprint(&mut self, fingerprint: &Fingerprint) {
        self.hasher.update(fingerprint.as_bytes());
    }

    /// Writes 0 for `None`, or 1 and the value.
    pub fn option<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        self.bool(value.is_some());
        if let Some(value) = value {
            write(self, value);
        }
    }

    /// Writes the number of elements and each of them, in order.
    pub fn seq<T>(
        &mut self,
        values: impl ExactSizeIterator<Item = T>,
        mut write: impl FnMut(&mut Self, T),
    ) {
        self.len(values.len());
        for value in values {
            write(self, value);
        }
    }

    /// The digest of everything written.
    pub fn finish(self) -> Fingerprint {
        Fingerprint::from_bytes(self.hasher.finalize().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_encoding_is_the_documented_one() {
        let mut encoder = Encoder::new("d", 1);
        encoder.option(Some("x"), Encoder::str);
        let bytes: &[u8] = b"\0\0\0\0\0\0\0\x01d\0\0\0\x01\x01\0\0\0\0\0\0\0\x01x";
        let expected: [u8; 32] = Sha256::digest(bytes).into();
        assert_eq!(encoder.finish(), Fingerprint::from_bytes(expected));
    }

    #[test]
    fn domain_and_version_separate_digests() {
        let digests = [("a", 1), ("a", 2), ("b", 1)]
            .map(|(domain, version)| Encoder::new(domain, version).finish());
        assert_ne!(digests[0], digests[1]);
        assert_ne!(digests[0], digests[2]);
    }
}
