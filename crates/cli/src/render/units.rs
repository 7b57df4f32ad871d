//! Numbers with their units.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use codeanatomy::obs::Outcome;
use codeanatomy_vocab::UnixMillis;

/// `1234567` as `1,234,567`.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3 + 1);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 view`, `2 views`, `1,000 views`.
pub(crate) fn plural(number: usize, noun: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{} {noun}{ending}", count(number as u64))
}

/// `3 built, 20 skipped`
pub(crate) fn outcomes(outcomes: impl IntoIterator<Item = Outcome>) -> String {
    let mut counted: BTreeMap<Outcome, u64> = BTreeMap::new();
    for outcome in outcomes {
        *counted.entry(outcome).or_default() += 1;
    }
    let parts = counted
        .iter()
        .map(|(outcome, n)| format!("{} {outcome}", count(*n)));
    parts.collect::<Vec<_>>().join(", ")
}

/// Bytes in powers of 1024 with three digits: `812 B`, `3.42 MiB`.
pub(crate) fn bytes(number: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if number < 1024 {
        return format!("{number} B");
    }
    let mut value = number as f64 / 1024.0;
    let mut unit = 0;
    // 999.5 and more would be shown with four digits.
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    let decimals = match value {
        v if v < 9.995 => 2,
        v if v < 99.95 => 1,
        _ => 0,
    };
    format!("{value:.decimals$} {}", UNITS[unit])
}

/// Milliseconds: `350 ms`, `1.2 s`, `2 m 05 s`, `3 h 20 m`.
pub(crate) fn duration(millis: u64) -> String {
    let seconds = millis.saturating_add(500) / 1000;
    match millis {
        0..1_000 => format!("{millis} ms"),
        1_000..59_950 => format!("{:.1} s", millis as f64 / 1000.0),
        59_950..3_599_500 => format!("{} m {:02} s", seconds / 60, seconds % 60),
        _ => {
            let minutes = seconds / 60;
            format!("{} h {:02} m", minutes / 60, minutes % 60)
        }
    }
}

/// A time in UTC, to the second: `2026-01-15 10:30:00`.
pub(crate) fn timestamp(time: UnixMillis) -> String {
    let millis = u64::try_from(time.0).unwrap_or(0);
    let time = SystemTime::UNIX_EPOCH + Duration::from_millis(millis);
    let mut text = humantime::format_rfc3339_seconds(time).to_string();
    text = text.replace('T', " ");
    text.truncate(text.trim_end_matches('Z').len());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_have_their_unit() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(plural(1, "view"), "1 view");
        assert_eq!(plural(0, "view"), "0 views");
        let views = [Outcome::Skipped, Outcome::Built, Outcome::Skipped];
        assert_eq!(outcomes(views), "1 built, 2 skipped");
        assert_eq!(bytes(1023), "1023 B");
        assert_eq!(bytes(1024), "1.00 KiB");
        assert_eq!(bytes(3_588_000), "3.42 MiB");
        assert_eq!(bytes(1024 * 1024 - 1), "1.00 MiB");
        assert_eq!(bytes(u64::MAX), "16.0 EiB");
        assert_eq!(duration(999), "999 ms");
        assert_eq!(duration(1_249), "1.2 s");
        assert_eq!(duration(59_960), "1 m 00 s");
        assert_eq!(duration(125_400), "2 m 05 s");
        assert_eq!(duration(3_599_600), "1 h 00 m");
        assert_eq!(
            timestamp(UnixMillis(1_768_473_000_000)),
            "2026-01-15 10:30:00"
        );
    }
}
