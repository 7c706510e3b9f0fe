//! The id of a sealing key, computed from its public key.

use std::{fmt, fmt::Write as _, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::primitives;

/// SHA-256 of the DER SubjectPublicKeyInfo (RFC 5280 4.1.2.7), written as `sha256:` and 64
/// lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyId([u8; 32]);

const PREFIX: &str = "sha256:";

impl KeyId {
    pub(crate) fn of_public_key(subject_public_key_info: &[u8]) -> Self {
        Self(primitives::sha256(subject_public_key_info))
    }

    /// The first twelve digits. People can tell keys apart by them; programs compare whole ids.
    pub fn short(&self) -> String {
        hexadecimal(&self.0[..6])
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}", hexadecimal(&self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not a key id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a key id: expected `sha256:` and 64 lower-case hexadecimal digits")]
pub struct ParseKeyIdError(String);

impl FromStr for KeyId {
    type Err = ParseKeyIdError;

    fn from_str(text: &str) -> Result<Self, ParseKeyIdError> {
        text.strip_prefix(PREFIX)
            .and_then(digest_from_hexadecimal)
            .map(Self)
            .ok_or_else(|| ParseKeyIdError(text.to_owned()))
    }
}

impl TryFrom<String> for KeyId {
    type Error = ParseKeyIdError;

    fn try_from(text: String) -> Result<Self, ParseKeyIdError> {
        text.parse()
    }
}

impl From<KeyId> for String {
    fn from(id: KeyId) -> Self {
        id.to_string()
    }
}

pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut digits, byte| {
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}

fn digest_from_hexadecimal(digits: &str) -> Option<[u8; 32]> {
    let lower_case = digits
        .bytes()
        .all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
    if digits.len() != 64 || !lower_case {
        return None;
    }
    let mut digest = [0; 32];
    for (byte, at) in digest.iter_mut().zip((0..).step_by(2)) {
        *byte = u8::from_str_radix(&digits[at..at + 2], 16).ok()?;
    }
    Some(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_id_are_each_others_inverse() {
        let id = KeyId::of_public_key(b"anything");
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(id.to_string().len(), 71);
        assert!(id.to_string().contains(&id.short()));
    }

    #[test]
    fn other_texts_are_refused() {
        let good = KeyId::of_public_key(b"anything").to_string();
        for bad in [
            "",
            "sha256:",
            &good.to_uppercase(),
            &good[7..],
            &good[..70],
            &format!("{good}0"),
        ] {
            assert!(bad.parse::<KeyId>().is_err(), "{bad}");
        }
    }
}
