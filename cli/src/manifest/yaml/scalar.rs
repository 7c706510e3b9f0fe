//! What YAML readers take an unquoted scalar for.
//!
//! YAML 1.1 and 1.2 disagree, and so do their implementations: here a scalar is text only when
//! all of them agree that it is.

/// A name as errors tell it; what does not look like one may be a value at the wrong place.
pub(in crate::manifest) fn shown(name: &str) -> &str {
    let belongs = |c: char| c.is_ascii_alphanumeric() || "-._/[]".contains(c);
    if name.chars().all(belongs) { name } else { "?" }
}

/// What some reader takes an unquoted scalar for, when it is not text to all of them.
pub(in crate::manifest) fn misreading(plain: &str) -> Option<&'static str> {
    if is_null(plain) {
        Some("null")
    } else if is_boolean(plain) {
        Some("a boolean")
    } else if is_number(plain) {
        Some("a number")
    } else if is_timestamp(plain) {
        Some("a date")
    } else {
        None
    }
}

/// Whether every reader takes an unquoted scalar for this text, in block form and in brackets.
pub(in crate::manifest) fn is_plain(text: &str) -> bool {
    let belongs = |c: char| c.is_ascii_alphanumeric() || "_-./+=:".contains(c);
    text.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '_')
        && text.chars().all(belongs)
        && !text.ends_with(':')
        && misreading(text).is_none()
}

/// Whether a scalar is null in every version of YAML; the parser writes `~` for an absent one.
pub(in crate::manifest) fn is_null(plain: &str) -> bool {
    matches!(plain, "" | "~" | "null" | "Null" | "NULL")
}

fn is_boolean(plain: &str) -> bool {
    const WORDS: [&str; 8] = ["true", "false", "yes", "no", "on", "off", "y", "n"];
    WORDS.iter().any(|word| plain.eq_ignore_ascii_case(word))
}

/// Decimal, octal, hexadecimal and binary numbers, with exponents, underscores and base 60.
fn is_number(plain: &str) -> bool {
    if !plain.starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first)) {
        return false;
    }
    let digits = plain.replace('_', "");
    let unsigned = digits.strip_prefix(['+', '-']).unwrap_or(&digits);
    is_radix_number(unsigned)
        || is_base_60(unsigned)
        || is_decimal(unsigned)
        || [".inf", ".nan"]
            .iter()
            .any(|word| unsigned.eq_ignore_ascii_case(word))
}

fn is_radix_number(unsigned: &str) -> bool {
    let Some(rest) = unsigned.strip_prefix('0') else {
        return false;
    };
    let radix = match rest.chars().next() {
        Some('x' | 'X') => 16,
        Some('o' | 'O') => 8,
        Some('b' | 'B') => 2,
        _ => return false,
    };
    let digits = &rest[1..];
    !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix))
}

fn is_base_60(unsigned: &str) -> bool {
    let whole = unsigned.split('.').next().unwrap_or_default();
    let mut parts = whole.split(':');
    let first = parts.next().unwrap_or_default();
    let mut rest = parts.peekable();
    rest.peek().is_some()
        && is_digits(first)
        && rest.all(|part| is_digits(part) && part.len() <= 2)
        && is_fraction(&unsigned[whole.len()..])
}

fn is_decimal(unsigned: &str) -> bool {
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let whole = mantissa.split('.').next().unwrap_or_default();
    let fraction = &mantissa[whole.len()..];
    let has_digits = mantissa.bytes().any(|byte| byte.is_ascii_digit());
    has_digits
        && (whole.is_empty() || is_digits(whole))
        && is_fraction(fraction)
        && exponent
            .is_none_or(|exponent| is_digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)))
}

/// Nothing, or a point and digits.
fn is_fraction(text: &str) -> bool {
    text.is_empty()
        || text
            .strip_prefix('.')
            .is_some_and(|digits| digits.is_empty() || is_digits(digits))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `2001-01-01`, alone or before a time.
fn is_timestamp(plain: &str) -> bool {
    let date = plain
        .split(['T', 't', ' ', '\t'])
        .next()
        .unwrap_or_default();
    let parts: Vec<&str> = date.split('-').collect();
    let widths = |part: &str| is_digits(part) && part.len() <= 2;
    matches!(parts.as_slice(), [year, month, day]
        if year.len() == 4 && is_digits(year) && widths(month) && widths(day))
}

#[cfg(test)]
mod tests {
    use super::misreading;

    #[test]
    fn what_some_reader_would_change_is_not_text() {
        for (reading, scalars) in [
            ("null", &["", "~", "null", "Null", "NULL"][..]),
            (
                "a boolean",
                &["true", "False", "yes", "NO", "on", "off", "y", "N"],
            ),
            (
                "a number",
                &[
                    "0", "5432", "-1", "+1", "0123", "1.10", ".5", "5.", "1e3", "1E-3", "1_000",
                    "0x1F", "0o17", "0b1", "12:30", "1:2:3.5", ".inf", "-.NaN", "0x_1",
                ],
            ),
            (
                "a date",
                &["2001-01-01", "2001-1-1", "2001-12-14t21:59:43.10-05:00"],
            ),
        ] {
            for scalar in scalars {
                assert_eq!(misreading(scalar), Some(reading), "{scalar}");
            }
        }
    }

    #[test]
    fn what_every_reader_leaves_alone_is_text() {
        for scalar in [
            "a",
            "yess",
            "nothing",
            "1.2.3",
            "10.0.0.1",
            "v1",
            "1a",
            "0xg",
            "e3",
            "-",
            "_1",
            "1:2:x",
            "2001-01",
            "2001-01-01-rc",
            "postgres://u:p@h:5432/d",
            ".",
            "..",
            "+",
            "--",
            "1e",
            "0x",
            "a_1",
        ] {
            assert_eq!(misreading(scalar), None, "{scalar}");
        }
    }
}
