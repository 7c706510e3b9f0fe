//! Sealing: turns a Secret into a SealedSecret that can be committed.

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

/// Why a Secret was not sealed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// There is no recipient.
    #[error("no recipient: give at least one certificate")]
    NoRecipient,
    /// There are more recipients than [`MAX_RECIPIENTS`].
    #[error("{0} recipients: a seal has at most {MAX_RECIPIENTS}")]
    TooManyRecipients(usize),
    /// There are more items than [`MAX_ITEMS`].
    #[error("{0} items: a seal has at most {MAX_ITEMS}")]
    TooManyItems(usize),
    /// The values together have more than [`MAX_BYTES`] bytes, the limit of a Kubernetes Secret.
    #[error("all values together have {0} bytes: a Secret has at most {MAX_BYTES}")]
    TooLarge(usize),
    /// The provider failed, for example because it has no random bytes.
    #[error(transparent)]
    Provider(#[from] ProviderError),
}

/// The input of [`seal()`].
#[derive(Debug, Clone, Copy)]
pub struct SealRequest<'a> {
    /// The Secret, with its namespace and name.
    pub secret: &'a Secret,
    /// The environment that unseals it.
    pub environment: &'a EnvironmentName,
    /// Where it can be unsealed inside the environment.
    pub scope: Scope,
    /// The keys that unseal it. A key that is given twice counts once.
    pub recipients: &'a [Recipient],
    /// The instant when a person gave these values. The manifest has it in whole seconds.
    pub sealed_at: Timestamp,
}

/// Seals all items of a Secret in one seal: one fresh file key, and one public-key operation for
/// each recipient.
///
/// Returns the manifest, without status. Each call gives other ciphertexts.
///
/// # Errors
/// [`SealError::NoRecipient`], [`SealError::TooManyRecipients`], [`SealError::TooManyItems`] or
/// [`SealError::TooLarge`] when a limit of format.md is exceeded; [`SealError::Provider`] when the
/// provider fails.
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

/// Seals items in one seal for `context`, for example as a further seal of an existing manifest.
///
/// # Errors
/// [`SealError`], as for [`seal()`].
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
