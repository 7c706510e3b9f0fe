//! The item format of kubeseal. Each item has a session key of its own, and no item names its
//! sealing key.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::{
    KeyRing, Recipient, SealingKey, SecretRef,
    primitives::{self, ProviderError, Refused},
    resource::bitnami::{CLUSTER_WIDE, Metadata, NAMESPACE_WIDE},
};

/// The scope of a Bitnami SealedSecret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Decrypted only in its namespace and under its name.
    Strict,
    /// Decrypted in its namespace under any name.
    NamespaceWide,
    /// Decrypted in every namespace under any name.
    ClusterWide,
}

impl Scope {
    /// The scope that a SealedSecret's annotations set. If both are set, cluster-wide applies, as
    /// in the Bitnami controller.
    pub fn of(metadata: &Metadata) -> Self {
        let says = |name| {
            metadata
                .annotations
                .as_ref()
                .and_then(|all| all.get(name))
                .is_some_and(|it| it == "true")
        };
        if says(CLUSTER_WIDE) {
            Self::ClusterWide
        } else if says(NAMESPACE_WIDE) {
            Self::NamespaceWide
        } else {
            Self::Strict
        }
    }

    /// The scope's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Strict => "strict",
            Self::NamespaceWide => "namespace-wide",
            Self::ClusterWide => "cluster-wide",
        }
    }

    /// The OAEP label (RFC 8017 7.1) of every item of the manifest `place` with this scope.
    pub fn label(self, place: &SecretRef) -> Label {
        Label(match self {
            Self::Strict => place.to_string(),
            Self::NamespaceWide => place.namespace.to_string(),
            Self::ClusterWide => String::new(),
        })
    }
}

/// The authenticated text of an item: `namespace/name`, `namespace` or nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label(String);

/// kubeseal writes the length of the wrapped session key in two bytes, most significant first.
const LENGTH_BYTES: usize = 2;

/// Why an item was rejected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// It is not standard base64 (RFC 4648 section 4). Line breaks are allowed.
    #[error("it is not standard base64")]
    Base64,
    /// It is shorter than its parts.
    #[error("it is too short")]
    TooShort,
}

/// A well-formed item: a wrapped session key, and the value encrypted with it.
#[derive(Debug)]
pub struct Item {
    wrapped: Vec<u8>,
    ciphertext: Vec<u8>,
}

impl Item {
    /// Parses `base64(L || R || A)`: two bytes of length, the wrapped session key, ciphertext and
    /// tag. `\r` and `
    /// ` are ignored.
    ///
    /// # Errors
    /// [`ParseError::Base64`] or [`ParseError::TooShort`].
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let one_line: String = text.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
        let bytes = STANDARD.decode(one_line).map_err(|_| ParseError::Base64)?;
        let (length, rest) = bytes
            .split_first_chunk::<LENGTH_BYTES>()
            .ok_or(ParseError::TooShort)?;
        let length = usize::from(u16::from_be_bytes(*length));
        let (wrapped, ciphertext) = rest.split_at_checked(length).ok_or(ParseError::TooShort)?;
        if ciphertext.len() < primitives::TAG_BYTES {
            return Err(ParseError::TooShort);
        }
        Ok(Self {
            wrapped: wrapped.to_vec(),
            ciphertext: ciphertext.to_vec(),
        })
    }

    /// The number of bytes of the value.
    pub fn size(&self) -> usize {
        self.ciphertext.len() - primitives::TAG_BYTES
    }

    /// Decrypts the value with one key.
    fn open(&self, key: &SealingKey, label: &Label) -> Result<crate::Plaintext, Refused> {
        let session_key = key.unwrap_key(&self.wrapped, label.0.as_bytes())?;
        primitives::decrypt_once(&session_key, &self.ciphertext).map(crate::Plaintext::new)
    }
}

/// Decrypts the items of one manifest with the keys of a ring.
///
/// It begins with the key that decrypted the item before: nearly always, all items are sealed for
/// one key.
#[derive(Debug)]
pub struct Opener<'ring> {
    ring: &'ring KeyRing,
    label: Label,
    last: Option<&'ring SealingKey>,
}

impl<'ring> Opener<'ring> {
    /// A decrypter for the items that have `label`.
    pub fn new(ring: &'ring KeyRing, label: Label) -> Self {
        Self {
            ring,
            label,
            last: None,
        }
    }

    /// The plaintext and the key that decrypted it; `None` when no key of the ring does.
    pub fn open(&mut self, item: &Item) -> Option<(crate::Plaintext, &'ring SealingKey)> {
        let last = self.last;
        let others = self
            .ring
            .keys()
            .filter(move |key| last.is_none_or(|last| last.id() != key.id()));
        let opened = last
            .into_iter()
            .chain(others)
            .find_map(|key| Some((item.open(key, &self.label).ok()?, key)))?;
        self.last = Some(opened.1);
        Some(opened)
    }
}

/// Seals one value for the Bitnami controller: `base64(L || R || A)`, as kubeseal writes it.
///
/// The session key has 32 random bytes and is wrapped with RSAES-OAEP (RFC 8017 7.1).
///
/// # Errors
/// [`ProviderError`] when the cryptographic provider fails.
pub fn seal_item(
    recipient: &Recipient,
    label: &Label,
    plaintext: &crate::Plaintext,
) -> Result<String, ProviderError> {
    let session_key = primitives::random_key()?;
    let wrapped = recipient
        .wrap(&session_key, label.0.as_bytes())
        .map_err(|Refused| ProviderError)?;
    let length = u16::try_from(wrapped.len()).map_err(|_| ProviderError)?;
    let mut bytes = length.to_be_bytes().to_vec();
    bytes.extend(wrapped);
    bytes.extend(primitives::encrypt_once(&session_key, plaintext.expose()));
    Ok(STANDARD.encode(bytes))
}
