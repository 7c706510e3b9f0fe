//! Fingerprints, from `hmac` and `sha2`.

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;

/// The id of a fingerprint key.
pub fn id(key: &[u8]) -> String {
    let id = mac(key, b"id\0");
    id.iter()
        .take(8)
        .fold(String::new(), |id, byte| id + &format!("{byte:02x}"))
}

/// The text of an item's fingerprint; `at` is environment, namespace, name and item.
pub fn of_item(key: &[u8], value: &[u8], at: [&str; 4]) -> Option<String> {
    let mut message = match value.len() {
        0 => return None,
        1..12 => b"short\0".to_vec(),
        _ => b"value\0".to_vec(),
    };
    if value.len() < 12 {
        for name in at {
            message.extend((name.len() as u64).to_be_bytes());
            message.extend(name.as_bytes());
        }
    }
    message.extend(value);
    Some(STANDARD_NO_PAD.encode(&mac(key, &message)[..16]))
}

/// # Panics
/// Never: HMAC takes keys of any length.
fn mac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes any key");
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}
