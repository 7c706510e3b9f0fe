//! The item format of kubeseal.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rsa::{RsaPrivateKey, RsaPublicKey};

use crate::{Reason, decrypt, encrypt, unwrap_key, wrap};

/// Decrypts one item with one key.
///
/// # Errors
/// [`Reason::Malformed`] or [`Reason::Refused`].
pub fn open_item(item: &str, key: &RsaPrivateKey, label: &str) -> Result<Vec<u8>, Reason> {
    let bytes = STANDARD
        .decode(item.replace(['\r', '\n'], ""))
        .map_err(|_| Reason::Malformed)?;
    let length = match bytes.as_slice() {
        [high, low, ..] => usize::from(*high) << 8 | usize::from(*low),
        _ => return Err(Reason::Malformed),
    };
    let (wrapped, ciphertext) = bytes[2..]
        .split_at_checked(length)
        .ok_or(Reason::Malformed)?;
    decrypt(&unwrap_key(key, wrapped, label.as_bytes())?, ciphertext)
}

/// Seals one item.
pub fn seal_item(plaintext: &[u8], recipient: &RsaPublicKey, label: &str) -> String {
    let session_key: [u8; 32] = rand::random();
    let wrapped = wrap(recipient, &session_key, label.as_bytes());
    let length = u16::try_from(wrapped.len()).expect("a modulus has at most 1,024 bytes");
    let parts = [
        &length.to_be_bytes()[..],
        &wrapped,
        &encrypt(&session_key, plaintext),
    ];
    STANDARD.encode(parts.concat())
}
