//! A second implementation of both formats, written with `rsa`, `aes-gcm`, `hkdf`, `hmac` and
//! `sha2` from format.md only. Tests compare `sealing` with it. It is never part of a program: its
//! RSA is not constant-time.

pub mod bitnami;
pub mod fingerprint;
pub mod native;

use aes_gcm::{Aes256Gcm, KeyInit as _, Nonce, aead::Aead as _};
use rsa::{
    Oaep, RsaPrivateKey, RsaPublicKey, pkcs1::DecodeRsaPrivateKey as _,
    pkcs8::DecodePrivateKey as _,
};
use sha2::Sha256;

/// Why a manifest is rejected, in the words of format.md.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// It breaks a rule that needs no key.
    Malformed,
    /// The ring holds none of the named keys.
    UnknownSealingKey,
    /// Decryption with a named key failed.
    Refused,
}

impl Reason {
    /// The word that the vectors use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "Malformed",
            Self::UnknownSealingKey => "UnknownSealingKey",
            Self::Refused => "Refused",
        }
    }
}

/// Parses a PEM private key, PKCS#8 or PKCS#1.
///
/// # Panics
/// When it is neither.
pub fn private_key(pem: &str) -> RsaPrivateKey {
    RsaPrivateKey::from_pkcs8_pem(pem)
        .or_else(|_| RsaPrivateKey::from_pkcs1_pem(pem))
        .expect("the test key is PKCS#8 or PKCS#1")
}

fn label_of(context: &[u8]) -> String {
    String::from_utf8(context.to_vec()).expect("contexts are text")
}

fn wrap(recipient: &RsaPublicKey, secret: &[u8], label: &[u8]) -> Vec<u8> {
    let padding = Oaep::new_with_label::<Sha256, _>(label_of(label));
    recipient
        .encrypt(&mut rand::thread_rng(), padding, secret)
        .expect("32 bytes fit into the key")
}

fn unwrap_key(key: &RsaPrivateKey, wrapped: &[u8], label: &[u8]) -> Result<[u8; 32], Reason> {
    let padding = Oaep::new_with_label::<Sha256, _>(label_of(label));
    let secret = key.decrypt(padding, wrapped).map_err(|_| Reason::Refused)?;
    secret.try_into().map_err(|_| Reason::Refused)
}

fn encrypt(key: &[u8; 32], plaintext: &[u8]) -> Vec<u8> {
    Aes256Gcm::new(key.into())
        .encrypt(Nonce::from_slice(&[0; 12]), plaintext)
        .expect("it is short")
}

fn decrypt(key: &[u8; 32], ciphertext: &[u8]) -> Result<Vec<u8>, Reason> {
    Aes256Gcm::new(key.into())
        .decrypt(Nonce::from_slice(&[0; 12]), ciphertext)
        .map_err(|_| Reason::Refused)
}
