//! The format `sceau/v1`: from what a manifest says to checked bytes.
//!
//! An [`Envelope`] is well formed. Whether it opens is for [`crate::unseal()`] to find out.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{Suite, TextError, text};
use crate::{
    EnvironmentName, ItemName, KeyId, KeyRing, NameError, ParseKeyIdError, Scope, SealingKey,
    primitives::{KEY_BYTES, TAG_BYTES},
    resource::{Seal, SealedSecretSpec, WrappedFileKey},
};

/// Seals in a manifest.
pub const MAX_SEALS: usize = 128;
/// Recipients of a seal.
pub const MAX_RECIPIENTS: usize = 16;
/// Items of a seal.
pub const MAX_ITEMS: usize = 1024;
/// Bytes of all values of a manifest together: as many as a Kubernetes Secret takes.
pub const MAX_BYTES: usize = 1024 * 1024;

/// Why a manifest is malformed. Seals are counted from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// The environment's name breaks its rule.
    #[error(transparent)]
    Environment(NameError),
    /// There is no seal, or there are too many.
    #[error("{0} seals; a manifest has 1 to {MAX_SEALS}")]
    Seals(usize),
    /// A seal has no recipient, or too many.
    #[error("seal {seal} has {recipients} recipients; a seal has 1 to {MAX_RECIPIENTS}")]
    Recipients {
        /// The seal.
        seal: usize,
        /// How many there are.
        recipients: usize,
    },
    /// A seal has too many items.
    #[error("seal {seal} has {items} items; a seal has at most {MAX_ITEMS}")]
    Items {
        /// The seal.
        seal: usize,
        /// How many there are.
        items: usize,
    },
    /// All values together are too large.
    #[error("the values have {0} bytes together; a manifest has at most {MAX_BYTES}")]
    Bytes(usize),
    /// A seal's time is no RFC 3339 time.
    #[error("sealedAt of seal {seal} is no RFC 3339 time")]
    SealedAt {
        /// The seal.
        seal: usize,
    },
    /// A seal's commitment is no text of 32 bytes.
    #[error("the commitment of seal {seal} is unreadable")]
    Commitment {
        /// The seal.
        seal: usize,
        /// What is wrong with it.
        #[source]
        source: TextError,
    },
    /// A recipient is named by something that is no key id.
    #[error("a recipient of seal {seal}: {source}")]
    KeyId {
        /// The seal.
        seal: usize,
        /// What is wrong with it.
        source: ParseKeyIdError,
    },
    /// A file key is wrapped in a way that this program does not know.
    #[error("seal {seal} uses the suite `{suite}`, which this version does not know")]
    Suite {
        /// The seal.
        seal: usize,
        /// Its name.
        suite: String,
    },
    /// A wrapped file key is unreadable.
    #[error("a wrapped file key of seal {seal} is unreadable")]
    Wrapped {
        /// The seal.
        seal: usize,
        /// What is wrong with it.
        #[source]
        source: TextError,
    },
    /// An item's name breaks its rule.
    #[error("seal {seal}: {source}")]
    ItemName {
        /// The seal.
        seal: usize,
        /// What is wrong with it.
        source: NameError,
    },
    /// An item is unreadable.
    #[error("item `{item}` is unreadable")]
    Item {
        /// The item.
        item: ItemName,
        /// What is wrong with it.
        #[source]
        source: TextError,
    },
    /// Two seals hold an item of the same name.
    #[error("item `{0}` stands in two seals")]
    DuplicateItem(ItemName),
}

/// A well-formed manifest.
#[derive(Debug, Clone)]
pub struct Envelope {
    /// The environment it says it is sealed for.
    pub environment: EnvironmentName,
    /// How far it reaches.
    pub scope: Scope,
    /// Its seals, in the manifest's order.
    pub seals: Vec<ParsedSeal>,
}

/// A well-formed seal.
#[derive(Debug, Clone)]
pub struct ParsedSeal {
    /// When a person gave these values; not authenticated.
    pub sealed_at: Timestamp,
    /// What the file key must commit to.
    pub(crate) commitment: [u8; KEY_BYTES],
    /// Whom the file key is wrapped for, in the manifest's order.
    pub recipients: Vec<ParsedRecipient>,
    /// Ciphertext and tag of each item.
    pub(crate) items: BTreeMap<ItemName, Vec<u8>>,
}

/// A wrapped file key.
#[derive(Debug, Clone)]
pub struct ParsedRecipient {
    /// The sealing key it is wrapped for.
    pub key_id: KeyId,
    /// How it is wrapped.
    pub suite: Suite,
    pub(crate) wrapped: Vec<u8>,
}

impl Envelope {
    /// Checks everything that can be checked without a key (format.md, *Unsealing* 1).
    ///
    /// # Errors
    /// [`ParseError`] for the first thing that is wrong.
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

    /// The sealing keys that would open its seals, in the seals' order: of each, the first
    /// recipient whose key the ring holds.
    ///
    /// # Errors
    /// The ids of the first seal that no key of the ring opens.
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
    /// Checks a seal by itself; `number` counts from 1 and serves messages.
    ///
    /// # Errors
    /// [`ParseError`] for the first thing that is wrong.
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

    /// The names of its items and the number of bytes of each value.
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
