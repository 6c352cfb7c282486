//! Times and lengths with their units: `10min`, `2GiB`.

use crate::decimal;
use std::time::Duration;

/// What a time must look like, for messages.
pub(super) const A_TIME: &str = "a time with its unit (s, min, h, d), such as 10min";
/// What a length must look like, for messages.
pub(super) const A_LENGTH: &str =
    "a length with its unit (kB, MB, GB, TB, KiB, MiB, GiB, TiB), such as 2GiB";

const TIMES: [(&str, u64); 4] = [("s", 1), ("min", 60), ("h", 3600), ("d", 86_400)];

const LENGTHS: [(&str, u64); 8] = [
    ("kb", 1000),
    ("mb", 1_000_000),
    ("gb", 1_000_000_000),
    ("tb", 1_000_000_000_000),
    ("kib", 1 << 10),
    ("mib", 1 << 20),
    ("gib", 1 << 30),
    ("tib", 1 << 40),
];

/// The limits of a file's length in time. Outside of them a value is surely a mistake.
const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(366 * 86_400);
/// The limits of a file's length in bytes: a frame needs about the smallest.
const FEWEST_BYTES: u64 = 10_000;
/// Up to here a float holds every whole number.
const MOST_BYTES: u64 = 1 << 52;

/// Parses a time from a second to a year. It must have a unit.
pub(super) fn time(text: &str) -> Option<Duration> {
    let seconds = with_unit(text, &TIMES)?;
    let time = Duration::try_from_secs_f64(seconds).ok()?;
    (SHORTEST..=LONGEST).contains(&time).then_some(time)
}

/// Parses a number of bytes, at least 10 kB.
pub(super) fn length(text: &str) -> Option<u64> {
    let bytes = with_unit(text, &LENGTHS)?.round();
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // held against its bounds
    let bytes = (bytes <= MOST_BYTES as f64).then_some(bytes as u64)?;
    (bytes >= FEWEST_BYTES).then_some(bytes)
}

fn with_unit(text: &str, units: &[(&str, u64)]) -> Option<f64> {
    let text = text.trim();
    let is_digit = |letter: char| letter.is_ascii_digit() || ['.', ','].contains(&letter);
    let (number, unit) = text.split_at(text.find(|letter| !is_digit(letter))?);
    let unit = unit.trim_start().to_ascii_lowercase();
    let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
    // 1,000 may mean a thousand.
    let may_be_thousands = |(whole, rest): (&str, &str)| rest.len() == 3 && !whole.starts_with('0');
    if number.split_once(',').is_some_and(may_be_thousands) {
        return None;
    }
    let number = decimal::parse(number)?;
    Some(number * *factor as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        for (text, seconds) in [
            ("1s", 1),
            ("90s", 90),
            ("10min", 600),
            ("1.5h", 5400),
            ("1,5h", 5400),
            ("2 d", 172_800),
            ("3H", 10_800),
        ] {
            assert_eq!(time(text), Some(Duration::from_secs(seconds)), "{text}");
        }
        for text in [
            "",
            "10",
            "min",
            "10m",
            "10 minutes",
            "-1h",
            "0s",
            "0.5s",
            "1e3s",
            "nans",
            "infd",
            "367d",
            "1.2.3s",
            "1,2,3s",
            ",s",
            "99999999999999999999999999999d",
            "1GiB",
            "١s",
        ] {
            assert_eq!(time(text), None, "{text}");
        }
    }

    #[test]
    fn lengths_have_units() {
        for (text, bytes) in [
            ("10kB", 10_000),
            ("500MB", 500_000_000),
            ("2GiB", 2 << 30),
            ("1.5 MiB", 3 << 19),
            ("1,5 MiB", 3 << 19),
            ("1tib", 1 << 40),
        ] {
            assert_eq!(length(text), Some(bytes), "{text}");
        }
        for text in [
            "", "1,000MB", "2000000", "2G", "2Gbit", "9kB", "0MB", "-1GB", "1e9GB", "5000TiB", "1h",
        ] {
            assert_eq!(length(text), None, "{text}");
        }
    }
}
