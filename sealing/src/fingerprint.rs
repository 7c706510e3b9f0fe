//! Fingerprints: values can be compared without being disclosed.
//!
//! A fingerprint is an HMAC (RFC 2104) with a key that only the controller has. Without the key, a
//! fingerprint can be neither computed nor checked against a guess (format.md, *Fingerprints*). It
//! is not a commitment and protects nothing by itself: its holder decides who sees which
//! fingerprint.

use std::{fmt, str::FromStr};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use zeroize::Zeroizing;

use crate::{
    ItemRef, Plaintext,
    key_id::hexadecimal,
    primitives::{self, KEY_BYTES, ProviderError, SecretBytes},
};

/// Bytes of the shortest value that has one fingerprint in all places. Shorter values could be
/// guessed with ValueReviews.
pub const COMPARABLE_BYTES: usize = 12;

/// Bytes of a fingerprint: half of the HMAC, as RFC 2104 section 5 allows. Among 2^32 values, two
/// collide by chance with a probability of 2^-65.
const BYTES: usize = 16;

/// The prefix of each use of the key. None is a prefix of another.
const ID: &[u8] = b"id\0";
const SHORT: &[u8] = b"short\0";
const VALUE: &[u8] = b"value\0";

/// The key of all fingerprints of a cluster: 32 bytes, wiped when dropped.
pub struct FingerprintKey {
    bytes: SecretBytes,
    id: String,
}

/// Identifies a value among values with the same key. It is as secret as [`FingerprintKey`], so it
/// has no `Debug` and leaves by serialisation only.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; BYTES]);

impl FingerprintKey {
    /// Generates a key: 32 random bytes of the cryptographic provider.
    ///
    /// # Errors
    /// [`ProviderError`] when the provider has no random bytes.
    pub fn generate() -> Result<Self, ProviderError> {
        let bytes = primitives::random_key()?;
        Ok(Self::new(bytes))
    }

    /// The key of these bytes; `None` unless there are 32.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut own = Zeroizing::new([0; KEY_BYTES]);
        if bytes.len() != own.len() {
            return None;
        }
        own.copy_from_slice(bytes);
        Some(Self::new(own))
    }

    fn new(bytes: SecretBytes) -> Self {
        let id = hexadecimal(&primitives::hmac_sha256(&bytes, &[ID])[..8]);
        Self { bytes, id }
    }

    /// Its 32 bytes in standard base64 (RFC 4648 section 4), wiped when dropped.
    pub fn to_base64(&self) -> Zeroizing<String> {
        Zeroizing::new(STANDARD.encode(self.bytes.as_slice()))
    }

    /// Its id: 16 hexadecimal digits that disclose nothing about the key.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The fingerprint of an item; `None` for an empty value.
    ///
    /// A value of at least [`COMPARABLE_BYTES`] has the same fingerprint in all places. A shorter
    /// one can be compared only with earlier values of the same item.
    pub fn of_item(&self, plaintext: &Plaintext, at: &ItemRef) -> Option<Fingerprint> {
        match plaintext.expose() {
            [] => None,
            value if value.len() >= COMPARABLE_BYTES => Some(self.of_value(&[value])),
            value => Some(self.of_short(value, at)),
        }
    }

    /// The fingerprints of a value in all places, without and with one line break at its end: a
    /// pasted value often has one more or less. `None` when it is shorter than
    /// [`COMPARABLE_BYTES`].
    pub fn of_traced(&self, plaintext: &Plaintext) -> Option<[Fingerprint; 2]> {
        let line = line(plaintext);
        (line.len() >= COMPARABLE_BYTES)
            .then(|| [self.of_value(&[line]), self.of_value(&[line, b"\n"])])
    }

    fn of_value(&self, parts: &[&[u8]]) -> Fingerprint {
        self.hmac(&[&[VALUE], parts].concat())
    }

    /// The length precedes each name, so that no two items have the same text.
    fn of_short(&self, value: &[u8], at: &ItemRef) -> Fingerprint {
        let names = [&at.environment, &at.namespace, &at.name, &at.item];
        let mut prefix = SHORT.to_vec();
        for name in names {
            prefix.extend((name.len() as u64).to_be_bytes());
            prefix.extend(name.as_bytes());
        }
        self.hmac(&[&prefix, value])
    }

    fn hmac(&self, parts: &[&[u8]]) -> Fingerprint {
        let mut fingerprint = [0; BYTES];
        let whole = primitives::hmac_sha256(&self.bytes, parts);
        fingerprint.copy_from_slice(&whole[..BYTES]);
        Fingerprint(fingerprint)
    }
}

/// Whether a value is long enough for [`FingerprintKey::of_traced`].
pub fn is_traceable(plaintext: &Plaintext) -> bool {
    line(plaintext).len() >= COMPARABLE_BYTES
}

/// The value without one line break at its end.
fn line(plaintext: &Plaintext) -> &[u8] {
    let value = plaintext.expose();
    value.strip_suffix(b"\n").unwrap_or(value)
}

impl fmt::Debug for FingerprintKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FingerprintKey({})", self.id)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fingerprint")
    }
}

/// The text is not a fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a fingerprint")]
pub struct ParseFingerprintError;

impl FromStr for Fingerprint {
    type Err = ParseFingerprintError;

    fn from_str(text: &str) -> Result<Self, ParseFingerprintError> {
        let bytes = STANDARD_NO_PAD.decode(text);
        let bytes = bytes.map_err(|_| ParseFingerprintError)?.try_into();
        bytes.map(Self).map_err(|_| ParseFingerprintError)
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD_NO_PAD.encode(self.0))
    }
}

impl<'de> Deserialize<'de> for Fingerprint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> FingerprintKey {
        FingerprintKey::from_bytes(&[7; 32]).unwrap()
    }

    fn plaintext(value: &str) -> Plaintext {
        Plaintext::new(value.as_bytes().to_vec())
    }

    /// The fingerprint of a value at `environment:namespace/name/item`.
    fn at(path: &str, value: &str) -> Option<Fingerprint> {
        let at = path.parse().unwrap();
        key().of_item(&plaintext(value), &at)
    }

    const HERE: &str = "prod:shop/api/A";
    const ELSEWHERE: [&str; 4] = [
        "dev:shop/api/A",
        "prod:billing/api/A",
        "prod:shop/web/A",
        "prod:shop/api/B",
    ];

    #[test]
    fn a_long_value_has_the_same_fingerprint_everywhere_and_no_other_value_has_it() {
        let long = at(HERE, "correct horse").unwrap();
        for place in ELSEWHERE {
            assert_eq!(at(place, "correct horse"), Some(long), "{place}");
        }
        assert_ne!(at(HERE, "correct horsf"), Some(long));
        assert_eq!(at(HERE, "twelve bytes"), at(ELSEWHERE[0], "twelve bytes"));
    }

    #[test]
    fn a_short_value_can_be_compared_in_its_place_only_and_an_empty_one_nowhere() {
        let short = at(HERE, "eleven byte").unwrap();
        assert_eq!(at(HERE, "eleven byte"), Some(short));
        assert_ne!(at(HERE, "eleven bytf"), Some(short));
        for place in ELSEWHERE {
            assert_ne!(at(place, "eleven byte"), Some(short), "{place}");
        }
        assert_ne!(at("prod:a/b-c/d", "1"), at("prod:a/b/c-d", "1"));
        assert_eq!(at(HERE, ""), None);
    }

    #[test]
    fn a_line_break_at_the_end_makes_no_difference_to_what_is_traced() {
        let stored = |value| at(HERE, value).unwrap();
        let expected = [stored("correct horse"), stored("correct horse\n")];
        for traced in ["correct horse", "correct horse\n"] {
            assert_eq!(key().of_traced(&plaintext(traced)), Some(expected));
        }
        let two = key().of_traced(&plaintext("correct horse\n\n")).unwrap();
        assert_eq!(two[0], expected[1]);
        for short in ["", "eleven byte", "eleven byte\n"] {
            assert!(!is_traceable(&plaintext(short)), "{short}");
            assert_eq!(key().of_traced(&plaintext(short)), None, "{short}");
        }
        assert!(is_traceable(&plaintext("twelve bytes")));
    }

    #[test]
    fn keys_are_told_apart_and_keep_their_id() {
        let one = FingerprintKey::generate().unwrap();
        let other = FingerprintKey::generate().unwrap();
        assert_ne!(one.id(), other.id());
        let stored = STANDARD.decode(&*one.to_base64()).unwrap();
        assert_eq!(FingerprintKey::from_bytes(&stored).unwrap().id(), one.id());
        assert!(FingerprintKey::from_bytes(&[7; 31]).is_none());
        let value = plaintext("correct horse");
        assert_ne!(one.of_traced(&value), other.of_traced(&value));
    }

    #[test]
    fn a_fingerprint_is_text_for_a_reader_and_nothing_for_a_log() {
        let fingerprint = at(HERE, "correct horse").unwrap();
        let text = serde_json::to_value(fingerprint).unwrap();
        assert_eq!(text.as_str().map(str::len), Some(22));
        assert_eq!(
            serde_json::from_value::<Fingerprint>(text).unwrap(),
            fingerprint
        );
        for bad in [
            "",
            "AAAA",
            "!!!!!!!!!!!!!!!!!!!!!!",
            "AAAAAAAAAAAAAAAAAAAAAA==",
        ] {
            assert_eq!(bad.parse::<Fingerprint>(), Err(ParseFingerprintError));
        }
        assert_eq!(format!("{fingerprint:?}"), "Fingerprint");
        assert!(!format!("{:?}", key()).contains("07"));
    }
}
