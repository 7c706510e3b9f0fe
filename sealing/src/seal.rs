//! Sealing: a secret in, a SealedSecret that may be committed out.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use kube::core::ObjectMeta;

use crate::{
    Context, EnvironmentName, ItemName, Plaintext, Recipient, Scope, Secret,
    envelope::{
        Suite,
        native::{MAX_BYTES, MAX_ITEMS, MAX_RECIPIENTS},
        text,
    },
    primitives::{self, KeySchedule, ProviderError, Refused, SecretBytes},
    resource::{Seal, SealedSecret, SealedSecretSpec, WrappedFileKey},
};

/// A secret that cannot be sealed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Nobody could open it.
    #[error("there is no recipient to seal for")]
    NoRecipient,
    /// More recipients than a seal may have.
    #[error("{0} recipients; a seal has at most {MAX_RECIPIENTS}")]
    TooManyRecipients(usize),
    /// More items than a seal may have.
    #[error("{0} items; a seal has at most {MAX_ITEMS}")]
    TooManyItems(usize),
    /// The values are larger than a Kubernetes Secret may be.
    #[error("the values have {0} bytes together; a Secret has at most {MAX_BYTES}")]
    TooLarge(usize),
    /// The provider failed, for example because it has no random bytes.
    #[error(transparent)]
    Provider(#[from] ProviderError),
}

/// What to seal, for whom and for where.
#[derive(Debug, Clone, Copy)]
pub struct SealRequest<'a> {
    /// The secret, with its place.
    pub secret: &'a Secret,
    /// The environment it is for.
    pub environment: &'a EnvironmentName,
    /// How far it shall reach.
    pub scope: Scope,
    /// Whose keys may open it; the same key twice counts once.
    pub recipients: &'a [Recipient],
    /// When a person gave these values; the manifest says it in whole seconds.
    pub sealed_at: Timestamp,
}

/// Seals all items of a secret in one seal: one fresh file key, one public-key operation for
/// each recipient.
///
/// # Errors
/// [`SealError`] when there is no recipient or a bound of format.md is passed.
pub fn seal(request: &SealRequest<'_>) -> Result<SealedSecret, SealError> {
    let SealRequest {
        secret,
        environment,
        scope,
        recipients,
        sealed_at,
    } = *request;
    let context = Context::new(scope, environment, &secret.place);
    let seal = seal_items(&secret.items, &context, recipients, sealed_at)?;
    Ok(SealedSecret {
        metadata: ObjectMeta {
            namespace: Some(secret.place.namespace.to_string()),
            name: Some(secret.place.name.to_string()),
            ..ObjectMeta::default()
        },
        spec: SealedSecretSpec {
            environment: environment.to_string(),
            scope,
            seals: vec![seal],
            template: secret.template.clone(),
        },
        status: None,
    })
}

/// Seals items in one seal for `context`, as a further seal of an existing manifest needs it.
///
/// # Errors
/// [`SealError`] when there is no recipient or a bound of format.md is passed.
pub fn seal_items(
    items: &BTreeMap<ItemName, Plaintext>,
    context: &Context,
    recipients: &[Recipient],
    sealed_at: Timestamp,
) -> Result<Seal, SealError> {
    check_bounds(items)?;
    let recipients = distinct(recipients)?;
    let file_key = primitives::random_key()?;
    let schedule = KeySchedule::new(context.as_bytes(), &file_key);
    Ok(Seal {
        sealed_at: in_whole_seconds(sealed_at),
        commitment: text::encode(&schedule.commitment()),
        recipients: recipients
            .into_iter()
            .map(|recipient| wrap(recipient, &file_key, context))
            .collect::<Result<_, _>>()?,
        items: items
            .iter()
            .map(|(name, plaintext)| {
                let item_key = schedule.item_key(name.as_str());
                let ciphertext = primitives::encrypt_once(&item_key, plaintext.expose());
                (name.to_string(), text::encode(&ciphertext))
            })
            .collect(),
    })
}

fn check_bounds(items: &BTreeMap<ItemName, Plaintext>) -> Result<(), SealError> {
    if items.len() > MAX_ITEMS {
        return Err(SealError::TooManyItems(items.len()));
    }
    match items.values().map(Plaintext::len).sum() {
        0..=MAX_BYTES => Ok(()),
        bytes => Err(SealError::TooLarge(bytes)),
    }
}

pub(crate) fn distinct(recipients: &[Recipient]) -> Result<Vec<&Recipient>, SealError> {
    let mut seen = BTreeSet::new();
    let distinct: Vec<_> = recipients
        .iter()
        .filter(|recipient| seen.insert(recipient.id()))
        .collect();
    match distinct.len() {
        0 => Err(SealError::NoRecipient),
        1..=MAX_RECIPIENTS => Ok(distinct),
        more => Err(SealError::TooManyRecipients(more)),
    }
}

pub(crate) fn wrap(
    recipient: &Recipient,
    file_key: &SecretBytes,
    context: &Context,
) -> Result<WrappedFileKey, SealError> {
    let suite = Suite::of(recipient);
    let wrapped = suite
        .wrap(recipient, file_key, context.as_bytes())
        .map_err(|Refused| ProviderError)?;
    Ok(WrappedFileKey {
        key_id: recipient.id().to_string(),
        suite: suite.to_string(),
        wrapped: text::encode(&wrapped),
    })
}

fn in_whole_seconds(instant: Timestamp) -> String {
    Timestamp::from_second(instant.as_second())
        .expect("an instant cut to whole seconds is an instant")
        .to_string()
}

#[cfg(test)]
mod tests;
