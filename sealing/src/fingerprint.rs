//! Fingerprints: values that can be compared without being told.
//!
//! A fingerprint is an HMAC under a key that only the controller has, so nobody else can find out
//! what a fingerprint is of, or make one (format.md, *Fingerprints*). It is no commitment and
//! protects nothing by itself: who may see which fingerprint is for its holder to decide.

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

/// Bytes of the shortest value whose fingerprint is the same wherever it stands. Shorter ones could
/// be guessed by whoever may ask where a value stands.
pub const COMPARABLE_BYTES: usize = 12;

/// Bytes of a fingerprint: half of the HMAC, as RFC 2104 section 5 allows. Two of 2^32 values have
/// the same by chance once in 2^65.
const BYTES: usize = 16;

/// What comes first in the message of each use of the key; none begins another.
const ID: &[u8] = b"id\0";
const SHORT: &[u8] = b"short\0";
const VALUE: &[u8] = b"value\0";

/// The key of all fingerprints of a cluster, wiped when dropped.
pub struct FingerprintKey {
    bytes: SecretBytes,
    id: String,
}

/// Which value this is, in comparison with others under the same key. It is as secret as
/// [`FingerprintKey`] makes it, so it is printed nowhere and leaves by serialisation only.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; BYTES]);

impl FingerprintKey {
    /// 32 random bytes of the cryptographic provider.
    ///
    /// # Errors
    /// [`ProviderError`] when the provider has none.
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

    /// Its 32 bytes in standard base64, as a Secret keeps them.
    pub fn to_base64(&self) -> Zeroizing<String> {
        Zeroizing::new(STANDARD.encode(self.bytes.as_slice()))
    }

    /// What tells it from others: 16 hexadecimal digits that say nothing about it.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The fingerprint of an item. Values of at least [`COMPARABLE_BYTES`] have the same wherever
    /// they stand; a shorter one can be compared with what stood in the same place, and an empty
    /// one has none.
    pub fn of_item(&self, plaintext: &Plaintext, at: &ItemRef) -> Option<Fingerprint> {
        match plaintext.expose() {
            [] => None,
            value if value.len() >= COMPARABLE_BYTES => Some(self.of_value(&[value])),
            value => Some(self.of_short(value, at)),
        }
    }

    /// The fingerprints that a value has wherever it stands, without and with one line break at its
    /// end, since a pasted value often has one more or less; `None` when it is too short to ask.
    pub fn of_traced(&self, plaintext: &Plaintext) -> Option<[Fingerprint; 2]> {
        let line = line(plaintext);
        (line.len() >= COMPARABLE_BYTES)
            .then(|| [self.of_value(&[line]), self.of_value(&[line, b"\n"])])
    }

    fn of_value(&self, parts: &[&[u8]]) -> Fingerprint {
        self.hmac(&[&[VALUE], parts].concat())
    }

    /// Each name goes after its length, so that no two places have the same text.
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

/// A value without one line break at its end.
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

/// A text that is no fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no fingerprint")]
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
        assert_ne!(at("prod/a/b-c/d", "1"), at("prod/a/b/c-d", "1"));
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
