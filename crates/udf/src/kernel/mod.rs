//! What the kernels share: text and bytes of every encoding, digits, and what results look like.

mod build;
mod bytes;
mod hex;
mod result;
mod text;

pub(crate) use self::build::TextBuilder;
pub(crate) use self::bytes::Bytes;
pub(crate) use self::hex::HexColumn;
pub(crate) use self::result::{gives, literal, nullable};
pub(crate) use self::text::{Texts, is_text, on_dictionary, text};
