//! The identity of a version's data.

use codeanatomy_vocab::{Encoder, Fingerprint};

use crate::active::ActiveFile;
use crate::columns::Definitions;

/// Digests the columns and the active files, which come sorted.
pub(crate) fn table_footprint(definitions: &Definitions, files: &[ActiveFile]) -> Fingerprint {
    let mut encoder = Encoder::new("delta.footprint", 1);
    definitions.encode(&mut encoder);
    encoder.seq(files.iter(), encode_file);
    encoder.finish()
}

/// Digests some files of a version, which come sorted.
pub(super) fn files_fingerprint<'a>(files: &[&'a ActiveFile]) -> Fingerprint {
    let mut encoder = Encoder::new("delta.files", 1);
    encoder.seq(files.iter(), |encoder, file: &&'a ActiveFile| {
        encode_file(encoder, file);
    });
    encoder.finish()
}

fn encode_file(encoder: &mut Encoder, file: &ActiveFile) {
    encoder.str(&file.path);
    encoder.u64(file.size_bytes);
    encoder.i64(file.modified.0);
    encoder.seq(file.partition_values.iter(), |encoder, (column, value)| {
        encoder.str(column);
        encoder.option(value, Encoder::str);
    });
    encoder.option(file.vector_id(), Encoder::str);
}
