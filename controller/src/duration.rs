//! Durations in Go's notation, as in other Kubernetes resources: `720h30m` or `1.5s`.
//!
//! Negative durations are rejected.

use std::time::Duration;

/// The text is not a duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a duration: write numbers with units, such as `720h`, `1h30m` or `15s`")]
pub(crate) struct ParseDurationError(String);

/// Units with their seconds. A unit that begins with another one comes before it.
const UNITS: [(&str, f64); 7] = [
    ("ns", 1e-9),
    ("us", 1e-6),
    ("µs", 1e-6),
    ("ms", 1e-3),
    ("s", 1.0),
    ("m", 60.0),
    ("h", 3600.0),
];

/// Parses a duration: one or more decimal numbers, each with a unit, or `0`.
pub(crate) fn parse(text: &str) -> Result<Duration, ParseDurationError> {
    sum_of_parts(text).ok_or_else(|| ParseDurationError(text.to_owned()))
}

fn sum_of_parts(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let (first, mut rest) = first_part(text)?;
    let mut sum = first;
    while !rest.is_empty() {
        let (part, tail) = first_part(rest)?;
        sum = sum.checked_add(part)?;
        rest = tail;
    }
    Some(sum)
}

fn first_part(text: &str) -> Option<(Duration, &str)> {
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
    let (number, tail) = text.split_at(end);
    let (rest, seconds) = UNITS
        .iter()
        .find_map(|(unit, seconds)| Some((tail.strip_prefix(unit)?, seconds)))?;
    let part = Duration::try_from_secs_f64(number.parse::<f64>().ok()? * seconds).ok()?;
    Some((part, rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn go_durations_are_read() {
        for (text, seconds) in [
            ("0", 0.0),
            ("0s", 0.0),
            ("15s", 15.0),
            ("720h", 720.0 * 3600.0),
            ("720h30m", 720.5 * 3600.0),
            ("1h0m0s", 3600.0),
            ("1.5h", 5400.0),
            ("300ms", 0.3),
            ("1m1ms", 60.001),
            ("250µs", 0.000_25),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_secs_f64(seconds)), "{text}");
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "h",
            "1",
            "1d",
            "-1h",
            "1 h",
            "1h ",
            ".h",
            "1..5h",
            "1e9h",
            "99999999999999999999h",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,16}") {
            let _ = parse(&text);
        }

        #[test]
        fn whole_parts_add_up(hours in 0_u64..100_000, minutes in 0_u64..60, seconds in 0_u64..60) {
            let expected = Duration::from_secs(hours * 3600 + minutes * 60 + seconds);
            prop_assert_eq!(parse(&format!("{hours}h{minutes}m{seconds}s")), Ok(expected));
        }
    }
}
