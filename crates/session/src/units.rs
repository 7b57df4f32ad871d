//! Byte sizes and durations as people write them.

use std::time::Duration;

/// 1024 bytes.
pub(crate) const KIB: u64 = 1 << 10;
/// 1024 KiB.
pub(crate) const MIB: u64 = 1 << 20;
/// 1024 MiB.
pub(crate) const GIB: u64 = 1 << 30;
/// 1024 GiB.
pub(crate) const TIB: u64 = 1 << 40;

/// What [`parse_bytes`] takes, for error messages.
pub(crate) const BYTES_EXPECTED: &str = "a size such as `512MiB`, `4GiB` or `4G`";
/// What [`parse_duration`] takes, for error messages.
pub(crate) const DURATION_EXPECTED: &str = "a duration such as `30s` or `2m`, or `none`";

/// Reads a size in bytes: a number, possibly with a fraction, and a unit.
///
/// `K`, `M`, `G`, `T` and `KiB` to `TiB` are powers of 1024 (the first four as in the engine's own
/// settings), `KB` to `TB` powers of 1000; no unit or `B` means bytes. Case does not matter.
pub(crate) fn parse_bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let split = text
        .find(|c: char| !(c.is_ascii_digit() || c == '.' || c == '_'))
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let unit: u64 = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kib" => KIB,
        "m" | "mib" => MIB,
        "g" | "gib" => GIB,
        "t" | "tib" => TIB,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "tb" => 1_000_000_000_000,
        _ => return None,
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() || (number.contains('.') && fraction.is_empty()) || fraction.len() > 9 {
        return None;
    }
    let digits = |text: &str| text.replace('_', "").parse::<u128>().ok();
    let mut bytes = digits(whole)?.checked_mul(u128::from(unit))?;
    if !fraction.is_empty() {
        if fraction.contains('_') {
            return None;
        }
        let scale = 10_u128.pow(u32::try_from(fraction.len()).ok()?);
        bytes = bytes.checked_add(digits(fraction)? * u128::from(unit) / scale)?;
    }
    u64::try_from(bytes).ok()
}

/// Writes a size exactly, in the largest unit that divides it: `8GiB`, `1536MiB`, `1000`.
pub(crate) fn format_bytes(bytes: u64) -> String {
    for (unit, name) in [(TIB, "TiB"), (GIB, "GiB"), (MIB, "MiB"), (KIB, "KiB")] {
        if bytes > 0 && bytes.is_multiple_of(unit) {
            return format!("{}{name}", bytes / unit);
        }
    }
    bytes.to_string()
}

/// Writes a size for people to read, rounded to a tenth: `7.6 GiB`.
pub(crate) fn approximate_bytes(bytes: u64) -> String {
    for (unit, name) in [(TIB, "TiB"), (GIB, "GiB"), (MIB, "MiB"), (KIB, "KiB")] {
        if bytes >= unit {
            let tenths = u128::from(bytes) * 10 / u128::from(unit);
            return format!("{}.{} {name}", tenths / 10, tenths % 10);
        }
    }
    format!("{bytes} bytes")
}

/// Reads a duration of whole milliseconds; `none` means without end.
pub(crate) fn parse_duration(text: &str) -> Option<Option<Duration>> {
    let text = text.trim();
    if text.eq_ignore_ascii_case("none") {
        return Some(None);
    }
    humantime::parse_duration(text)
        .ok()
        .filter(|duration| duration.subsec_nanos() % 1_000_000 == 0)
        .map(Some)
}

/// Writes a duration so that [`parse_duration`] reads it back.
pub(crate) fn format_duration(duration: Option<Duration>) -> String {
    duration.map_or_else(
        || "none".to_owned(),
        |duration| humantime::format_duration(duration).to_string(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_in_every_usual_spelling() {
        for (text, bytes) in [
            ("0", 0),
            ("1024", 1024),
            ("17 B", 17),
            ("4GiB", 4 * GIB),
            ("4 gib", 4 * GIB),
            ("4G", 4 * GIB),
            ("4GB", 4_000_000_000),
            ("1.5GiB", GIB + GIB / 2),
            ("0.5k", 512),
            ("1_000", 1000),
            ("2T", 2 * TIB),
        ] {
            assert_eq!(parse_bytes(text), Some(bytes), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_size_is_refused() {
        for text in [
            "",
            "G",
            ".5G",
            "5.G",
            "-1",
            "4 GiB!",
            "4Gi",
            "1e9",
            "99999999999T",
            "1.2.3",
            "0.0000000001G",
            "340282366920938463463374607431768211456",
        ] {
            assert_eq!(parse_bytes(text), None, "{text}");
        }
    }

    #[test]
    fn a_size_that_is_written_is_read_back() {
        for bytes in [0, 1, 1023, 1024, 1025, 3 * MIB, 8 * GIB, u64::MAX, TIB * 5] {
            assert_eq!(parse_bytes(&format_bytes(bytes)), Some(bytes));
        }
        assert_eq!(format_bytes(8 * GIB), "8GiB");
        assert_eq!(approximate_bytes(GIB + GIB / 2), "1.5 GiB");
    }

    #[test]
    fn a_duration_that_is_written_is_read_back() {
        for text in ["30s", "2m", "1h 30m", "1500ms", "none"] {
            let duration = parse_duration(text).unwrap();
            assert_eq!(parse_duration(&format_duration(duration)), Some(duration));
        }
        for text in ["", "10", "two minutes", "1ns"] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }
}
