//! The cryptographic primitives. No other file names their provider.
//!
//! Each function is one formula of format.md. Private-key operations run in aws-lc, whose RSA and
//! OAEP decoding take constant time. An error does not say which check failed.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    constant_time, digest,
    encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der},
    hkdf, hmac, rand,
    rsa::{
        KeyPair, KeySize, OAEP_SHA256_MGF1SHA256, OaepPrivateDecryptingKey,
        OaepPublicEncryptingKey, PrivateDecryptingKey, PublicEncryptingKey,
    },
};
use zeroize::Zeroizing;

/// Bytes of a file key, an item key and a commitment.
pub(crate) const KEY_BYTES: usize = 32;
/// Bytes that AES-GCM adds to a plaintext (NIST SP 800-38D 5.2.1.2).
pub(crate) const TAG_BYTES: usize = 16;

/// A primitive rejected its input. The failed check is not disclosed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refused;

/// The cryptographic provider failed, for example because it has no random bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the cryptographic provider failed")]
pub struct ProviderError;

/// 32 secret bytes, wiped when dropped.
pub(crate) type SecretBytes = Zeroizing<[u8; KEY_BYTES]>;

/// SHA-256(bytes), FIPS 180-4.
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    out
}

/// 32 bytes from the provider's generator, which the operating system seeds.
pub(crate) fn random_key() -> Result<SecretBytes, ProviderError> {
    let mut bytes = Zeroizing::new([0; KEY_BYTES]);
    fill_random(bytes.as_mut_slice())?;
    Ok(bytes)
}

/// Fills `bytes` from the provider's generator.
pub(crate) fn fill_random(bytes: &mut [u8]) -> Result<(), ProviderError> {
    rand::fill(bytes).map_err(|_| ProviderError)
}

/// Compares in time that does not depend on the content.
pub(crate) fn equal_in_constant_time(one: &[u8], other: &[u8]) -> bool {
    constant_time::verify_slices_are_equal(one, other).is_ok()
}

/// HMAC-SHA-256(key, concatenation of `parts`), RFC 2104.
pub(crate) fn hmac_sha256(key: &SecretBytes, parts: &[&[u8]]) -> [u8; 32] {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_slice());
    let mut context = hmac::Context::with_key(&key);
    for part in parts {
        context.update(part);
    }
    let mut out = [0; 32];
    out.copy_from_slice(context.sign().as_ref());
    out
}

/// The keys of one seal: HKDF-SHA-256 (RFC 5869) over its file key, salted with the context.
pub(crate) struct KeySchedule(hkdf::Prk);

impl KeySchedule {
    /// prk = HKDF-Extract(salt = context, ikm = file key).
    pub(crate) fn new(context: &[u8], file_key: &SecretBytes) -> Self {
        Self(hkdf::Salt::new(hkdf::HKDF_SHA256, context).extract(file_key.as_slice()))
    }

    /// HKDF-Expand(prk, "commitment", 32).
    pub(crate) fn commitment(&self) -> [u8; KEY_BYTES] {
        *self.expand(&[b"commitment"])
    }

    /// HKDF-Expand(prk, "item/" || item name, 32).
    pub(crate) fn item_key(&self, item_name: &str) -> SecretBytes {
        self.expand(&[b"item/", item_name.as_bytes()])
    }

    fn expand(&self, info: &[&[u8]]) -> SecretBytes {
        let mut out = Zeroizing::new([0; KEY_BYTES]);
        self.0
            .expand(info, hkdf::HKDF_SHA256)
            .and_then(|okm| okm.fill(out.as_mut_slice()))
            .expect("HKDF-SHA-256 gives 32 bytes for any info");
        out
    }
}

/// AES-256-GCM(key, nonce = 12 zero bytes, aad = empty, plaintext) || tag, NIST SP 800-38D.
///
/// The nonce may be zero because each key encrypts one value only.
pub(crate) fn encrypt_once(key: &SecretBytes, plaintext: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(plaintext.len() + TAG_BYTES);
    bytes.extend_from_slice(plaintext);
    aes_key(key)
        .seal_in_place_append_tag(zero_nonce(), Aad::empty(), &mut bytes)
        .expect("AES-GCM encrypts anything under 64 GiB");
    bytes
}

/// The inverse of [`encrypt_once`].
pub(crate) fn decrypt_once(
    key: &SecretBytes,
    ciphertext: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Refused> {
    let mut bytes = Zeroizing::new(ciphertext.to_vec());
    let length = aes_key(key)
        .open_in_place(zero_nonce(), Aad::empty(), &mut bytes)
        .map_err(|_| Refused)?
        .len();
    bytes.truncate(length);
    Ok(bytes)
}

fn aes_key(key: &SecretBytes) -> LessSafeKey {
    let key = UnboundKey::new(&AES_256_GCM, key.as_slice()).expect("the key has 32 bytes");
    LessSafeKey::new(key)
}

fn zero_nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; 12])
}

/// The public half of an RSA key pair of 2048 to 8192 bits.
pub(crate) struct EncryptionKey(OaepPublicEncryptingKey);

impl EncryptionKey {
    /// Parses a DER SubjectPublicKeyInfo (RFC 5280 4.1.2.7).
    pub(crate) fn from_subject_public_key_info(der: &[u8]) -> Result<Self, Refused> {
        PublicEncryptingKey::from_der(der)
            .map_err(|_| Refused)
            .and_then(|key| OaepPublicEncryptingKey::new(key).map_err(|_| Refused))
            .map(Self)
    }

    /// The size of the modulus in bits.
    pub(crate) fn bits(&self) -> usize {
        self.0.key_size_bits()
    }

    /// RSAES-OAEP-ENCRYPT(message; hash = MGF1 hash = SHA-256, label), RFC 8017 7.1.1.
    pub(crate) fn wrap(&self, message: &[u8], label: &[u8]) -> Result<Vec<u8>, Refused> {
        let mut out = vec![0; self.0.ciphertext_size()];
        let length = self
            .0
            .encrypt(&OAEP_SHA256_MGF1SHA256, message, &mut out, Some(label))
            .map_err(|_| Refused)?
            .len();
        out.truncate(length);
        Ok(out)
    }
}

/// The private half of an RSA key pair of 2048 to 8192 bits.
pub(crate) struct DecryptionKey {
    pair: PrivateDecryptingKey,
    oaep: OaepPrivateDecryptingKey,
}

impl DecryptionKey {
    /// Generates a key pair of 2048, 3072, 4096 or 8192 bits. 4096 bits take one to several
    /// seconds.
    pub(crate) fn generate(bits: usize) -> Result<Self, Refused> {
        let size = match bits {
            2048 => KeySize::Rsa2048,
            3072 => KeySize::Rsa3072,
            4096 => KeySize::Rsa4096,
            8192 => KeySize::Rsa8192,
            _ => return Err(Refused),
        };
        Self::new(PrivateDecryptingKey::generate(size).map_err(|_| Refused)?)
    }

    /// Parses PKCS#8 (RFC 5958).
    pub(crate) fn from_pkcs8(der: &[u8]) -> Result<Self, Refused> {
        Self::new(PrivateDecryptingKey::from_pkcs8(der).map_err(|_| Refused)?)
    }

    /// Parses PKCS#1 `RSAPrivateKey` (RFC 8017 A.1.2).
    pub(crate) fn from_pkcs1(der: &[u8]) -> Result<Self, Refused> {
        let pair = KeyPair::from_der(der).map_err(|_| Refused)?;
        let pkcs8: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| Refused)?;
        Self::from_pkcs8(pkcs8.as_ref())
    }

    fn new(pair: PrivateDecryptingKey) -> Result<Self, Refused> {
        let oaep = OaepPrivateDecryptingKey::new(pair.clone()).map_err(|_| Refused)?;
        Ok(Self { pair, oaep })
    }

    /// The key pair as PKCS#8 (RFC 5958), wiped when dropped.
    pub(crate) fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, Refused> {
        let der: Pkcs8V1Der<'_> = self.pair.as_der().map_err(|_| Refused)?;
        Ok(Zeroizing::new(der.as_ref().to_vec()))
    }

    /// The public half as DER SubjectPublicKeyInfo (RFC 5280 4.1.2.7).
    pub(crate) fn subject_public_key_info(&self) -> Result<Vec<u8>, Refused> {
        let der: PublicKeyX509Der<'_> = self.pair.public_key().as_der().map_err(|_| Refused)?;
        Ok(der.as_ref().to_vec())
    }

    /// RSAES-OAEP-DECRYPT of 32 bytes; hash = MGF1 hash = SHA-256 (RFC 8017 7.1.2).
    pub(crate) fn unwrap_key(&self, wrapped: &[u8], label: &[u8]) -> Result<SecretBytes, Refused> {
        let mut out = Zeroizing::new(vec![0; self.oaep.min_output_size()]);
        let message = self
            .oaep
            .decrypt(&OAEP_SHA256_MGF1SHA256, wrapped, &mut out, Some(label))
            .map_err(|_| Refused)?;
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        if message.len() != KEY_BYTES {
            return Err(Refused);
        }
        key.copy_from_slice(message);
        Ok(key)
    }
}
