//! The two halves of a sealing key: [`Recipient`] wraps file keys, [`SealingKey`] unwraps them.
//!
//! It parses and encodes keys. The programs decide where they are stored.

use std::{fmt, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use x509_parser::pem::Pem;
use zeroize::Zeroizing;

use crate::{
    KeyId,
    primitives::{DecryptionKey, EncryptionKey, Refused, SecretBytes},
};

/// Sizes of a new sealing key, in bits. Existing keys may have any size from 2048 to 8192 bits.
const NEW_KEY_BITS: [usize; 4] = [2048, 3072, 4096, 8192];

/// Why a private key was rejected or not generated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The text holds no private key.
    #[error("no private key found: expected a PEM block `PRIVATE KEY` or `RSA PRIVATE KEY`")]
    NoPrivateKey,
    /// A PEM block (RFC 7468) cannot be parsed.
    #[error("a PEM block cannot be parsed")]
    Pem,
    /// The key is damaged, is not an RSA key, or does not have 2048 to 8192 bits.
    #[error("the private key is not a valid RSA key of 2048 to 8192 bits")]
    Unusable,
    /// The key is encrypted with a passphrase.
    #[error("the private key is encrypted with a passphrase, which is not supported")]
    Protected,
    /// A new key cannot have this number of bits.
    #[error("a new key cannot have {0} bits: use 2048, 3072, 4096 or 8192")]
    Size(usize),
    /// The provider failed, for example because it has no random bytes.
    #[error("the cryptographic provider failed")]
    Provider,
}

/// The public half of a sealing key: file keys are wrapped for it.
#[derive(Clone)]
pub struct Recipient {
    id: KeyId,
    key: Arc<EncryptionKey>,
}

impl Recipient {
    /// Parses a DER SubjectPublicKeyInfo (RFC 5280 4.1.2.7) with an RSA key.
    pub(crate) fn from_subject_public_key_info(der: &[u8]) -> Result<Self, Refused> {
        Ok(Self {
            id: KeyId::of_public_key(der),
            key: Arc::new(EncryptionKey::from_subject_public_key_info(der)?),
        })
    }

    /// The id of its sealing key.
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// The size of the key in bits.
    pub fn bits(&self) -> usize {
        self.key.bits()
    }

    pub(crate) fn wrap(&self, key: &SecretBytes, label: &[u8]) -> Result<Vec<u8>, Refused> {
        self.key.wrap(key.as_slice(), label)
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Recipient({})", self.id)
    }
}

/// The private half of a sealing key: it unwraps file keys. It is wiped when dropped, and only
/// [`SealingKey::to_pem`] exports it.
pub struct SealingKey {
    recipient: Recipient,
    key: DecryptionKey,
}

impl SealingKey {
    /// Generates an RSA key pair of 2048, 3072, 4096 or 8192 bits. 4096 bits take one to several
    /// seconds.
    ///
    /// # Errors
    /// [`KeyError::Size`] for other sizes; [`KeyError::Provider`] when the provider fails.
    pub fn generate(bits: usize) -> Result<Self, KeyError> {
        if !NEW_KEY_BITS.contains(&bits) {
            return Err(KeyError::Size(bits));
        }
        DecryptionKey::generate(bits)
            .and_then(Self::new)
            .map_err(|Refused| KeyError::Provider)
    }

    /// Parses all private keys of a PEM text (RFC 7468): PKCS#8 (`PRIVATE KEY`, RFC 5958) and
    /// PKCS#1 (`RSA PRIVATE KEY`, RFC 8017). Other blocks, such as certificates, are skipped.
    ///
    /// # Errors
    /// [`KeyError::NoPrivateKey`] when there is none; [`KeyError::Pem`], [`KeyError::Protected`] or
    /// [`KeyError::Unusable`] for the first one that is rejected.
    pub fn parse_pem(text: &str) -> Result<Vec<Self>, KeyError> {
        let mut keys = Vec::new();
        for block in Pem::iter_from_buffer(text.as_bytes()) {
            let Pem { label, contents } = block.map_err(|_| KeyError::Pem)?;
            let der = Zeroizing::new(contents);
            let key = match label.as_str() {
                "PRIVATE KEY" => DecryptionKey::from_pkcs8(&der),
                "RSA PRIVATE KEY" if text.contains("Proc-Type: 4,ENCRYPTED") => {
                    return Err(KeyError::Protected);
                }
                "RSA PRIVATE KEY" => DecryptionKey::from_pkcs1(&der),
                "ENCRYPTED PRIVATE KEY" => return Err(KeyError::Protected),
                label if label.ends_with("PRIVATE KEY") => Err(Refused),
                _ => continue,
            };
            keys.push(
                key.and_then(Self::new)
                    .map_err(|Refused| KeyError::Unusable)?,
            );
        }
        if keys.is_empty() {
            Err(KeyError::NoPrivateKey)
        } else {
            Ok(keys)
        }
    }

    fn new(key: DecryptionKey) -> Result<Self, Refused> {
        let public = key.subject_public_key_info()?;
        Ok(Self {
            recipient: Recipient::from_subject_public_key_info(&public)?,
            key,
        })
    }

    /// Its id, by which seals name it.
    pub fn id(&self) -> KeyId {
        self.recipient.id
    }

    /// The size of the key in bits.
    pub fn bits(&self) -> usize {
        self.recipient.bits()
    }

    /// The public half.
    pub fn recipient(&self) -> &Recipient {
        &self.recipient
    }

    /// The private key as a PEM block `PRIVATE KEY` (PKCS#8, RFC 5958), wiped when dropped.
    ///
    /// # Errors
    /// [`KeyError::Provider`] when the provider cannot encode it.
    pub fn to_pem(&self) -> Result<Zeroizing<String>, KeyError> {
        let text = Zeroizing::new(STANDARD.encode(self.to_pkcs8()?.as_slice()));
        // The capacity is reserved first: a growing string leaves copies that are not wiped.
        let mut pem = Zeroizing::new(String::with_capacity(text.len() + text.len() / 64 + 64));
        pem.push_str("-----BEGIN PRIVATE KEY-----\n");
        for line in text.as_bytes().chunks(64) {
            pem.extend(line.iter().map(|&byte| char::from(byte)));
            pem.push('\n');
        }
        pem.push_str("-----END PRIVATE KEY-----\n");
        Ok(pem)
    }

    pub(crate) fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        self.key.to_pkcs8().map_err(|Refused| KeyError::Provider)
    }

    pub(crate) fn unwrap_key(&self, wrapped: &[u8], label: &[u8]) -> Result<SecretBytes, Refused> {
        self.key.unwrap_key(wrapped, label)
    }
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealingKey({})", self.id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PKCS1_OR_8: &str = include_str!("../../tests/vectors/test-2048.key");
    const OTHER: &str = include_str!("../../tests/vectors/test-4096.key");
    const CERTIFICATE: &str = include_str!("../../tests/vectors/test-2048.crt");

    #[test]
    fn every_private_key_of_a_text_is_read() {
        let text = [CERTIFICATE, PKCS1_OR_8, OTHER].concat();
        let bits: Vec<_> = SealingKey::parse_pem(&text)
            .unwrap()
            .iter()
            .map(SealingKey::bits)
            .collect();
        assert_eq!(bits, [2048, 4096]);
    }

    #[test]
    fn a_key_survives_being_written_and_read() {
        let key = SealingKey::generate(2048).unwrap();
        let pem = key.to_pem().unwrap();
        assert!(pem.lines().all(|line| line.len() <= 64), "RFC 7468 lines");
        assert_eq!(SealingKey::parse_pem(&pem).unwrap()[0].id(), key.id());
    }

    #[test]
    fn other_texts_are_refused_with_their_reason() {
        let refused = |text: &str| SealingKey::parse_pem(text).unwrap_err();
        let block = |label: &str| format!("-----BEGIN {label}-----\nAAAA\n-----END {label}-----\n");
        assert_eq!(refused(""), KeyError::NoPrivateKey);
        assert_eq!(refused(CERTIFICATE), KeyError::NoPrivateKey);
        assert_eq!(refused(&block("PRIVATE KEY")), KeyError::Unusable);
        assert_eq!(refused(&block("EC PRIVATE KEY")), KeyError::Unusable);
        assert_eq!(
            refused(&block("ENCRYPTED PRIVATE KEY")),
            KeyError::Protected
        );
        assert_eq!(
            SealingKey::generate(1024).unwrap_err(),
            KeyError::Size(1024)
        );
    }

    #[test]
    fn debug_shows_the_id_and_nothing_else() {
        let key = SealingKey::parse_pem(PKCS1_OR_8).unwrap().remove(0);
        assert_eq!(format!("{key:?}"), format!("SealingKey({})", key.id()));
    }
}
