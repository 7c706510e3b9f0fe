//! Unsealing: a SealedSecret and a key ring in, the items out; all of them or none.

use std::collections::BTreeMap;

use crate::{
    Context, ItemName, KeyId, KeyRing, NameError, Plaintext, SecretRef,
    envelope::{
        bitnami as bitnami_item,
        native::{Envelope, ParseError, ParsedSeal},
    },
    primitives::{self, KeySchedule, Refused, SecretBytes},
    resource::{SealedSecretSpec, SecretTemplate},
};

mod bitnami;

pub use bitnami::unseal_bitnami;

/// A manifest that was not opened. Nothing of it was: all items open or none is used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnsealError {
    /// It is not of its format; no key would help.
    #[error("malformed: {0}")]
    Malformed(#[source] Malformed),
    /// A seal is wrapped for none of the keys in the ring; these are the ones it names.
    #[error("sealed to {}, which the key ring does not hold", list(.0))]
    UnknownSealingKey(Vec<KeyId>),
    /// No key of the ring opens these items of the original's format, which names no key.
    #[error("no key of the ring opens {}", list(.0))]
    NoKeyOpens(Vec<ItemName>),
    /// A key of the ring is named and does not open it: sealed for another namespace, name,
    /// scope or environment, or changed since.
    #[error("refused: sealed for another place, or changed since it was sealed")]
    Refused,
}

/// What is malformed, by format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// In the native format.
    #[error(transparent)]
    Native(#[from] ParseError),
    /// An item's name breaks its rule, in the original's format.
    #[error(transparent)]
    ItemName(#[from] NameError),
    /// An item of the original's format.
    #[error("item `{item}`: {source}")]
    Item {
        /// The item.
        item: ItemName,
        /// What is wrong with it.
        source: bitnami_item::ParseError,
    },
    /// A value that is no text, in the original's format.
    #[error("item `{0}` is no text")]
    NoText(ItemName),
    /// A manifest of the original's first version whose one sealed part is unreadable.
    #[error("spec.data: {0}")]
    WholeSecret(bitnami_item::ParseError),
    /// What the original's first version sealed was no Secret.
    #[error("spec.data does not hold a Secret")]
    NoSecret,
}

impl From<ParseError> for UnsealError {
    fn from(error: ParseError) -> Self {
        Self::Malformed(error.into())
    }
}

/// The items of an opened manifest.
#[derive(Debug)]
pub struct Unsealed {
    /// The items by name.
    pub items: BTreeMap<ItemName, Plaintext>,
    /// The sealing keys that opened it: one for each seal of a native manifest, in its order.
    pub opened_by: Vec<KeyId>,
    /// What the original's first version sealed beside the items: type, labels and annotations.
    pub template: Option<SecretTemplate>,
}

impl Unsealed {
    fn nothing() -> Self {
        Self {
            items: BTreeMap::new(),
            opened_by: Vec::new(),
            template: None,
        }
    }
}

fn list<T: ToString>(things: &[T]) -> String {
    things
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}

/// Opens a native manifest that stands at `place`: one private-key operation for each seal.
///
/// # Errors
/// [`UnsealError`]; of a seal that a key of the ring should open, it is not told which check failed.
pub fn unseal(
    spec: &SealedSecretSpec,
    place: &SecretRef,
    ring: &KeyRing,
) -> Result<Unsealed, UnsealError> {
    Envelope::parse(spec)?.open(place, ring)
}

impl Envelope {
    /// Opens every seal for a manifest that stands at `place`.
    ///
    /// # Errors
    /// [`UnsealError::UnknownSealingKey`] or [`UnsealError::Refused`].
    pub fn open(&self, place: &SecretRef, ring: &KeyRing) -> Result<Unsealed, UnsealError> {
        self.opening_keys(ring)
            .map_err(UnsealError::UnknownSealingKey)?;
        let context = Context::new(self.scope, &self.environment, place);
        let mut unsealed = Unsealed::nothing();
        for seal in &self.seals {
            let (key_id, items) = open_seal(seal, &context, ring)?;
            unsealed.opened_by.push(key_id);
            unsealed.items.extend(items);
        }
        Ok(unsealed)
    }
}

type Items = BTreeMap<ItemName, Plaintext>;

pub(crate) fn open_seal(
    seal: &ParsedSeal,
    context: &Context,
    ring: &KeyRing,
) -> Result<(KeyId, Items), UnsealError> {
    let refused = |Refused| UnsealError::Refused;
    let (key_id, _, schedule) = unwrap_file_key(seal, context, ring)?;
    let items = seal
        .items
        .iter()
        .map(|(name, ciphertext)| {
            let item_key = schedule.item_key(name.as_str());
            Ok((
                name.clone(),
                primitives::decrypt_once(&item_key, ciphertext)
                    .map(Plaintext::new)
                    .map_err(refused)?,
            ))
        })
        .collect::<Result<_, UnsealError>>()?;
    Ok((key_id, items))
}

/// The file key of a seal and what is derived from it, once it has been found to commit to this
/// seal in this context: nobody gets one that was not checked.
pub(crate) fn unwrap_file_key(
    seal: &ParsedSeal,
    context: &Context,
    ring: &KeyRing,
) -> Result<(KeyId, SecretBytes, KeySchedule), UnsealError> {
    let (recipient, key) = seal.opening(ring).map_err(UnsealError::UnknownSealingKey)?;
    let file_key = recipient
        .suite
        .unwrap_key(key, &recipient.wrapped, context.as_bytes())
        .map_err(|Refused| UnsealError::Refused)?;
    let schedule = KeySchedule::new(context.as_bytes(), &file_key);
    if primitives::equal_in_constant_time(&schedule.commitment(), &seal.commitment) {
        Ok((key.id(), file_key, schedule))
    } else {
        Err(UnsealError::Refused)
    }
}
