//! The format `sceau/v1`: parses the fields of a manifest into checked bytes.
//!
//! An [`Envelope`] is well formed. [`crate::unseal()`] decrypts it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{Suite, TextError, text};
use crate::{
    EnvironmentName, ItemName, KeyId, KeyRing, NameError, ParseKeyIdError, Scope, SealingKey,
    primitives::{KEY_BYTES, TAG_BYTES},
    resource::{Seal, SealedSecretSpec, WrappedFileKey},
};

/// Most seals of a manifest.
pub const MAX_SEALS: usize = 128;
/// Most recipients of a seal.
pub const MAX_RECIPIENTS: usize = 16;
/// Most items of a seal.
pub const MAX_ITEMS: usize = 1024;
/// Most bytes of all values of a manifest together: the limit of a Kubernetes Secret.
pub const MAX_BYTES: usize = 1024 * 1024;

/// Why a manifest is malformed. Seals are counted from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// The environment's name is not valid.
    #[error(transparent)]
    Environment(NameError),
    /// It has no seal, or more than [`MAX_SEALS`].
    #[error("{0} seals: a manifest has 1 to {MAX_SEALS}")]
    Seals(usize),
    /// A seal has no recipient, or more than [`MAX_RECIPIENTS`].
    #[error("seal {seal} has {recipients} recipients: a seal has 1 to {MAX_RECIPIENTS}")]
    Recipients {
        /// The number of the seal.
        seal: usize,
        /// The number of recipients.
        recipients: usize,
    },
    /// A seal has more than [`MAX_ITEMS`] items.
    #[error("seal {seal} has {items} items: a seal has at most {MAX_ITEMS}")]
    Items {
        /// The number of the seal.
        seal: usize,
        /// The number of items.
        items: usize,
    },
    /// All values together have more than [`MAX_BYTES`] bytes.
    #[error("all values together have {0} bytes: a manifest has at most {MAX_BYTES}")]
    Bytes(usize),
    /// A seal's `sealedAt` is not an RFC 3339 time.
    #[error("sealedAt of seal {seal} is not an RFC 3339 time")]
    SealedAt {
        /// The number of the seal.
        seal: usize,
    },
    /// A seal's commitment does not encode 32 bytes.
    #[error("the commitment of seal {seal} cannot be parsed")]
    Commitment {
        /// The number of the seal.
        seal: usize,
        /// Why it cannot be parsed.
        #[source]
        source: TextError,
    },
    /// A recipient's `keyId` is not a key id.
    #[error("recipient of seal {seal}: {source}")]
    KeyId {
        /// The number of the seal.
        seal: usize,
        /// Why it cannot be parsed.
        source: ParseKeyIdError,
    },
    /// This version does not support the suite of a wrapped file key.
    #[error("seal {seal} uses the suite `{suite}`, which this version does not support")]
    Suite {
        /// The number of the seal.
        seal: usize,
        /// The name of the suite.
        suite: String,
    },
    /// A wrapped file key cannot be parsed.
    #[error("a wrapped file key of seal {seal} cannot be parsed")]
    Wrapped {
        /// The number of the seal.
        seal: usize,
        /// Why it cannot be parsed.
        #[source]
        source: TextError,
    },
    /// An item's name is not valid.
    #[error("seal {seal}: {source}")]
    ItemName {
        /// The number of the seal.
        seal: usize,
        /// Why it is not valid.
        source: NameError,
    },
    /// An item's value cannot be parsed.
    #[error("item `{item}` cannot be parsed")]
    Item {
        /// The name of the item.
        item: ItemName,
        /// Why it cannot be parsed.
        #[source]
        source: TextError,
    },
    /// Two seals hold an item of the same name.
    #[error("item `{0}` is in two seals")]
    DuplicateItem(ItemName),
}

/// A well-formed manifest.
#[derive(Debug, Clone)]
pub struct Envelope {
    /// The environment that it names.
    pub environment: EnvironmentName,
    /// Its scope.
    pub scope: Scope,
    /// Its seals, in the order of the manifest.
    pub seals: Vec<ParsedSeal>,
}

/// A well-formed seal.
#[derive(Debug, Clone)]
pub struct ParsedSeal {
    /// The instant when a person gave these values. It is not authenticated.
    pub sealed_at: Timestamp,
    /// The commitment that the file key must have.
    pub(crate) commitment: [u8; KEY_BYTES],
    /// The wrapped file keys, in the order of the manifest.
    pub recipients: Vec<ParsedRecipient>,
    /// Ciphertext and tag of each item.
    pub(crate) items: BTreeMap<ItemName, Vec<u8>>,
}

/// A wrapped file key.
#[derive(Debug, Clone)]
pub struct ParsedRecipient {
    /// The id of the sealing key that it is wrapped for.
    pub key_id: KeyId,
    /// The suite that wrapped it.
    pub suite: Suite,
    pub(crate) wrapped: Vec<u8>,
}

impl Envelope {
    /// Parses a spec and checks everything that needs no key (format.md, *Unsealing* 1).
    ///
    /// # Errors
    /// [`ParseError`] for the first field that is not valid.
    pub fn parse(spec: &SealedSecretSpec) -> Result<Self, ParseError> {
        let environment =
            EnvironmentName::parse(spec.environment.as_str()).map_err(ParseError::Environment)?;
        let count = spec.seals.len();
        if !(1..=MAX_SEALS).contains(&count) {
            return Err(ParseError::Seals(count));
        }
        let seals = (1..)
            .zip(&spec.seals)
            .map(|(number, seal)| ParsedSeal::parse(number, seal))
            .collect::<Result<Vec<_>, _>>()?;
        check_items_across(&seals)?;
        Ok(Self {
            environment,
            scope: spec.scope,
            seals,
        })
    }

    /// The sealing keys that decrypt its seals, in the order of the seals. Of each seal it is the
    /// first recipient whose key the ring holds.
    ///
    /// # Errors
    /// The key ids of the first seal that no key of the ring decrypts.
    pub fn opening_keys<'ring>(
        &self,
        ring: &'ring KeyRing,
    ) -> Result<Vec<&'ring SealingKey>, Vec<KeyId>> {
        self.seals
            .iter()
            .map(|seal| seal.opening(ring).map(|(_, key)| key))
            .collect()
    }
}

impl ParsedSeal {
    /// Parses one seal. `number` counts from 1 and appears in messages only.
    ///
    /// # Errors
    /// [`ParseError`] for the first field that is not valid.
    pub fn parse(number: usize, seal: &Seal) -> Result<Self, ParseError> {
        let recipients = seal.recipients.len();
        if !(1..=MAX_RECIPIENTS).contains(&recipients) {
            return Err(ParseError::Recipients {
                seal: number,
                recipients,
            });
        }
        let items = seal.items.len();
        if items > MAX_ITEMS {
            return Err(ParseError::Items {
                seal: number,
                items,
            });
        }
        Ok(Self {
            sealed_at: seal
                .sealed_at
                .parse()
                .map_err(|_| ParseError::SealedAt { seal: number })?,
            commitment: parse_commitment(&seal.commitment).map_err(|source| {
                ParseError::Commitment {
                    seal: number,
                    source,
                }
            })?,
            recipients: seal
                .recipients
                .iter()
                .map(|recipient| ParsedRecipient::parse(number, recipient))
                .collect::<Result<_, _>>()?,
            items: seal
                .items
                .iter()
                .map(|(name, text)| parse_item(number, name, text))
                .collect::<Result<_, _>>()?,
        })
    }

    /// The name of each item and the size of its value in bytes.
    pub fn item_sizes(&self) -> impl Iterator<Item = (&ItemName, usize)> {
        self.items
            .iter()
            .map(|(name, ciphertext)| (name, ciphertext.len() - TAG_BYTES))
    }

    /// The first recipient whose key the ring holds, with that key.
    pub(crate) fn opening<'ring>(
        &self,
        ring: &'ring KeyRing,
    ) -> Result<(&ParsedRecipient, &'ring SealingKey), Vec<KeyId>> {
        self.recipients
            .iter()
            .find_map(|recipient| Some((recipient, ring.find(recipient.key_id)?)))
            .ok_or_else(|| {
                self.recipients
                    .iter()
                    .map(|recipient| recipient.key_id)
                    .collect()
            })
    }
}

impl ParsedRecipient {
    fn parse(seal: usize, recipient: &WrappedFileKey) -> Result<Self, ParseError> {
        Ok(Self {
            key_id: recipient
                .key_id
                .parse()
                .map_err(|source| ParseError::KeyId { seal, source })?,
            suite: Suite::parse(&recipient.suite).ok_or_else(|| ParseError::Suite {
                seal,
                suite: recipient.suite.clone(),
            })?,
            wrapped: text::decode(&recipient.wrapped)
                .map_err(|source| ParseError::Wrapped { seal, source })?,
        })
    }
}

fn parse_commitment(commitment: &str) -> Result<[u8; KEY_BYTES], TextError> {
    let bytes = text::decode(commitment)?;
    bytes
        .try_into()
        .map_err(|bytes: Vec<u8>| TextError::Length(bytes.len()))
}

fn parse_item(seal: usize, name: &str, value: &str) -> Result<(ItemName, Vec<u8>), ParseError> {
    let item = ItemName::parse(name).map_err(|source| ParseError::ItemName { seal, source })?;
    let parsed = text::decode(value).and_then(|bytes| match bytes.len() {
        TAG_BYTES.. => Ok(bytes),
        short => Err(TextError::Length(short)),
    });
    match parsed {
        Ok(bytes) => Ok((item, bytes)),
        Err(source) => Err(ParseError::Item { item, source }),
    }
}

fn check_items_across(seals: &[ParsedSeal]) -> Result<(), ParseError> {
    let mut seen = BTreeSet::new();
    let mut total = 0;
    for (name, bytes) in seals.iter().flat_map(ParsedSeal::item_sizes) {
        total += bytes;
        if !seen.insert(name) {
            return Err(ParseError::DuplicateItem(name.clone()));
        }
    }
    if total > MAX_BYTES {
        Err(ParseError::Bytes(total))
    } else {
        Ok(())
    }
}
