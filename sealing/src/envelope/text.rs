//! Bytes as text: `sceau:v1:` and canonical, padded, standard base64 (RFC 4648 section 4).

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::STANDARD},
};

const PREFIX: &str = "sceau:v1:";
/// No white space, padding required, trailing bits zero: each byte string has one text.
const CANONICAL: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical)
        .with_decode_allow_trailing_bits(false),
);

/// Why a text does not decode to bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// It does not begin with `sceau:v1:`: it has another version or is not of this format.
    #[error("it does not begin with `sceau:v1:`")]
    Prefix,
    /// The part after the prefix is not canonical base64.
    #[error("it is not canonical base64 after `sceau:v1:`")]
    Base64,
    /// It encodes this number of bytes, which the field does not allow.
    #[error("it encodes {0} bytes, which this field does not allow")]
    Length(usize),
}

pub(crate) fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(PREFIX.len() + bytes.len().div_ceil(3) * 4);
    text.push_str(PREFIX);
    STANDARD.encode_string(bytes, &mut text);
    text
}

pub(crate) fn decode(text: &str) -> Result<Vec<u8>, TextError> {
    let base64 = text.strip_prefix(PREFIX).ok_or(TextError::Prefix)?;
    CANONICAL.decode(base64).map_err(|_| TextError::Base64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_text_are_each_others_inverse() {
        for bytes in [&b""[..], b"a", b"ab", b"abc", &[0xff; 100]] {
            assert_eq!(decode(&encode(bytes)).unwrap(), bytes);
        }
    }

    #[test]
    fn every_other_text_is_refused() {
        for bad in ["YWI=", "sceau:v2:YWI=", "SCEAU:v1:YWI=", " sceau:v1:YWI="] {
            assert_eq!(decode(bad), Err(TextError::Prefix), "{bad}");
        }
        for bad in ["YWI", "YWI==", "YW I=", "YWI=\n", "YWJ=", "YW-_", "="] {
            assert_eq!(
                decode(&format!("sceau:v1:{bad}")),
                Err(TextError::Base64),
                "{bad}"
            );
        }
    }
}
