//! Deletion vectors in a commit of our own, because no library here writes them.

use serde_json::{Value, json};

const ALPHABET: &[u8; 85] =
    b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

/// The descriptor of an inline deletion vector over rows of a file, by their places from 0.
pub(super) fn inline_vector(rows: &[u16]) -> Value {
    let mut bytes = Vec::new();
    bytes.extend(1_681_511_377_u32.to_le_bytes());
    // One bitmap of 32 bits, for the places below 2^32.
    bytes.extend(1_u64.to_le_bytes());
    bytes.extend(0_u32.to_le_bytes());
    // One container, an array, for those below 2^16.
    bytes.extend(12_346_u32.to_le_bytes());
    bytes.extend(1_u32.to_le_bytes());
    bytes.extend(0_u16.to_le_bytes());
    bytes.extend((rows.len() as u16 - 1).to_le_bytes());
    bytes.extend(16_u32.to_le_bytes());
    for row in rows {
        bytes.extend(row.to_le_bytes());
    }
    let size = bytes.len();
    bytes.resize(size.next_multiple_of(4), 0);
    json!({
        "storageType": "i",
        "pathOrInlineDv": base85(&bytes),
        "sizeInBytes": size,
        "cardinality": rows.len(),
    })
}

fn base85(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.chunks_exact(4) {
        let mut value = u32::from_be_bytes(chunk.try_into().unwrap());
        let mut digits = [0; 5];
        for digit in digits.iter_mut().rev() {
            *digit = ALPHABET[value as usize % 85];
            value /= 85;
        }
        text.push_str(std::str::from_utf8(&digits).unwrap());
    }
    text
}

/// Writes a commit as it stands.
pub(super) fn write_commit(log: &std::path::Path, version: u64, actions: &[Value]) {
    let lines: Vec<String> = actions.iter().map(Value::to_string).collect();
    let path = log.join(format!("{version:020}.json"));
    assert!(!path.exists());
    std::fs::write(path, lines.join("\n")).unwrap();
}
