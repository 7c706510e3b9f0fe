//! Unsealing: turns a SealedSecret into its items with a key ring. All items are decrypted, or
//! none.

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

/// Why a manifest was not unsealed. No item of it was returned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnsealError {
    /// It is malformed: no key can decrypt it.
    #[error("malformed: {0}")]
    Malformed(#[source] Malformed),
    /// A seal is wrapped only for these keys, and the ring holds none of them.
    #[error("sealed only for {}, which the key ring does not hold", list(.0))]
    UnknownSealingKey(Vec<KeyId>),
    /// No key of the ring decrypts these items of the kubeseal format, which names no key.
    #[error("no key of the key ring decrypts {}", list(.0))]
    NoKeyOpens(Vec<ItemName>),
    /// The ring holds a key that a seal names, and decryption failed. The failed check is not
    /// disclosed.
    #[error(
        "decryption failed: the manifest was modified, or was sealed for another environment, namespace, name or scope"
    )]
    Refused,
}

/// What is malformed, by format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// A manifest in the native format.
    #[error(transparent)]
    Native(#[from] ParseError),
    /// The name of an item in the kubeseal format.
    #[error(transparent)]
    ItemName(#[from] NameError),
    /// An item in the kubeseal format.
    #[error("item `{item}`: {source}")]
    Item {
        /// The name of the item.
        item: ItemName,
        /// Why it cannot be parsed.
        source: bitnami_item::ParseError,
    },
    /// A value in the kubeseal format that is not a text.
    #[error("item `{0}` is not a text")]
    NoText(ItemName),
    /// The one sealed item of a manifest in version 1 of the kubeseal format.
    #[error("spec.data: {0}")]
    WholeSecret(bitnami_item::ParseError),
    /// The decrypted content of a manifest in version 1 of the kubeseal format is not a Secret.
    #[error("spec.data does not contain a Secret")]
    NoSecret,
}

impl From<ParseError> for UnsealError {
    fn from(error: ParseError) -> Self {
        Self::Malformed(error.into())
    }
}

/// The result of unsealing a manifest.
#[derive(Debug)]
pub struct Unsealed {
    /// The items by name.
    pub items: BTreeMap<ItemName, Plaintext>,
    /// The sealing keys that decrypted it: one for each seal of a native manifest, in the same
    /// order.
    pub opened_by: Vec<KeyId>,
    /// Type, labels and annotations, if version 1 of the kubeseal format sealed them with the
    /// items.
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

/// Unseals the native manifest `place` with the keys of `ring`: one private-key operation for each
/// seal.
///
/// # Errors
/// [`UnsealError::Malformed`], [`UnsealError::UnknownSealingKey`] or [`UnsealError::Refused`]. When
/// a key of the ring fails, the failed check is not disclosed.
pub fn unseal(
    spec: &SealedSecretSpec,
    place: &SecretRef,
    ring: &KeyRing,
) -> Result<Unsealed, UnsealError> {
    Envelope::parse(spec)?.open(place, ring)
}

impl Envelope {
    /// Decrypts all seals of the manifest `place`.
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

/// The file key of a seal and the keys derived from it. It is returned only if it matches the
/// commitment of this seal in this context.
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
