//! Hashes and the ids made of them.

mod digest;
mod encoding;
mod prefixed_hash64;
mod prefixed_hash_parts64;
mod stable_hash128;
mod stable_hash64;
mod stable_hash_any;
mod stable_id;
mod stable_id_parts;

use crate::Entry;

pub(super) use self::digest::{hash128, prefixed_bytes};
pub(super) use self::encoding::{Encoding, write_integer};

pub(super) fn entries() -> Vec<Entry> {
    vec![
        prefixed_hash64::entry(),
        prefixed_hash_parts64::entry(),
        stable_hash128::entry(),
        stable_hash64::entry(),
        stable_hash_any::entry(),
        stable_id::entry(),
        stable_id_parts::entry(),
    ]
}
