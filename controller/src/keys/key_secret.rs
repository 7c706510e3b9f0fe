//! Key Secrets: `kubernetes.io/tls` Secrets with two labels in the controller's namespace, each
//! with one sealing key.
//!
//! It parses and builds them. `environment::renewal` decides when a key is generated.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use k8s_openapi::{ByteString, api::core::v1::Secret, apimachinery::pkg::apis::meta::v1::Time};
use kube::ResourceExt as _;
use sealing::{
    Certificate, CertificateError, EnvironmentName, KeyError, KeyId, SealingKey, issue_certificate,
    resource::key_secret::{
        CERTIFICATE_ITEM, CUTOFF_TIME_ANNOTATION, ENVIRONMENT_LABEL, IN_USE_LABEL,
        PRIVATE_KEY_ITEM, SEALING_KEY_LABEL, SECRET_TYPE,
    },
};
use serde::Serialize;
use zeroize::{Zeroize as _, Zeroizing};

/// A sealing key that was read from its Secret.
#[derive(Debug, Clone)]
pub(crate) struct StoredKey {
    /// The name of its Secret.
    pub(crate) secret: String,
    /// Whether the Secret has the label for keys in use.
    pub(crate) is_marked_in_use: bool,
    pub(crate) environment: EnvironmentName,
    pub(crate) sealing_key: Arc<SealingKey>,
    /// In PEM.
    pub(crate) certificate: String,
    /// When it was generated. The Secret itself may be younger: it may have been restored from a
    /// backup.
    pub(crate) created_at: Timestamp,
    /// When its certificate begins: when it was generated, by the clock of the replica that did.
    pub(crate) not_before: Timestamp,
    /// The `cutoffTime` that caused its generation.
    pub(crate) cutoff: Option<Timestamp>,
    pub(crate) not_after: Timestamp,
}

impl StoredKey {
    /// The id by which seals name it.
    pub(crate) fn id(&self) -> KeyId {
        self.sealing_key.id()
    }

    /// The creation time that `cutoffTime` is compared with. A key that a cutoff caused is never
    /// older than the cutoff, in spite of clocks that differ.
    pub(crate) fn effective_creation(&self) -> Timestamp {
        self.cutoff
            .map_or(self.created_at, |cutoff| cutoff.max(self.created_at))
    }

    /// The instant from which its age is counted. If its certificate begins in the future by our
    /// clock, its generator's clock was ahead. Its creation time counts then, so that it is not old
    /// from the start.
    pub(crate) fn ages_from(&self, now: Timestamp) -> Timestamp {
        if self.not_before <= now {
            self.not_before
        } else {
            self.created_at
        }
    }
}

/// The label for keys in use is our own and is not a change of the key.
impl PartialEq for StoredKey {
    fn eq(&self, other: &Self) -> bool {
        self.environment == other.environment
            && self.id() == other.id()
            && self.certificate == other.certificate
    }
}

/// A Secret with the label of a sealing key.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum KeySecret {
    /// It holds a sealing key.
    Usable(StoredKey),
    /// It holds none and is ignored.
    Unusable(UnusableKey),
}

/// Why a Secret with the label of a sealing key is ignored. The message never contains data of the
/// Secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UnusableKey {
    #[error("the label {ENVIRONMENT_LABEL} is missing or is not an environment name")]
    Environment,
    #[error("{0} is missing or is not a text")]
    Missing(&'static str),
    #[error("{CERTIFICATE_ITEM}: {0}")]
    Certificate(#[from] CertificateError),
    #[error("{PRIVATE_KEY_ITEM}: {0}")]
    Key(#[from] KeyError),
    #[error("{PRIVATE_KEY_ITEM} does not match {CERTIFICATE_ITEM}")]
    Mismatch,
}

impl KeySecret {
    /// Parses a key Secret and wipes it.
    pub(crate) fn read(mut secret: Secret) -> Self {
        let outcome = read_key(&secret);
        for ByteString(bytes) in secret.data.iter_mut().flat_map(|items| items.values_mut()) {
            bytes.zeroize();
        }
        outcome.map_or_else(Self::Unusable, Self::Usable)
    }
}

fn read_key(secret: &Secret) -> Result<StoredKey, UnusableKey> {
    let environment = secret
        .labels()
        .get(ENVIRONMENT_LABEL)
        .and_then(|name| EnvironmentName::parse(name.as_str()).ok())
        .ok_or(UnusableKey::Environment)?;
    let certificate = text(secret, CERTIFICATE_ITEM)?;
    let Certificate {
        recipient,
        not_before,
        not_after,
        ..
    } = Certificate::parse_pem(certificate)?;
    let sealing_key = SealingKey::parse_pem(text(secret, PRIVATE_KEY_ITEM)?)?
        .into_iter()
        .find(|sealing_key| sealing_key.id() == recipient.id())
        .ok_or(UnusableKey::Mismatch)?;
    Ok(StoredKey {
        secret: secret.name_any(),
        is_marked_in_use: secret.labels().contains_key(IN_USE_LABEL),
        environment,
        sealing_key: Arc::new(sealing_key),
        certificate: certificate.to_owned(),
        created_at: created_at(not_before, secret),
        not_before,
        cutoff: secret
            .annotations()
            .get(CUTOFF_TIME_ANNOTATION)
            .and_then(|instant| instant.parse().ok()),
        not_after,
    })
}

/// The largest difference between the clocks of a controller and an API server.
const LARGEST_SKEW_IN_HOURS: i64 = 24;

/// When a key was generated, according to its certificate. A certificate from the future would stay
/// the newest forever, so then the creation time of the Secret counts.
fn created_at(not_before: Timestamp, secret: &Secret) -> Timestamp {
    let stored = secret.creation_timestamp().map(|Time(stored)| stored);
    let skew = jiff::SignedDuration::from_hours(LARGEST_SKEW_IN_HOURS);
    stored
        .filter(|stored| not_before.duration_since(*stored) > skew)
        .unwrap_or(not_before)
}

fn text<'a>(secret: &'a Secret, item: &'static str) -> Result<&'a str, UnusableKey> {
    secret
        .data
        .as_ref()
        .and_then(|items| items.get(item))
        .and_then(|ByteString(bytes)| std::str::from_utf8(bytes).ok())
        .ok_or(UnusableKey::Missing(item))
}

/// The name of the key Secret that replaces a key, or of the first one. The name follows from the
/// replaced key, so no key is replaced twice, even by two leaders.
pub(crate) fn secret_name(environment: &EnvironmentName, replaced: Option<KeyId>) -> String {
    match replaced {
        None => format!("sceau-{environment}-first"),
        Some(id) => format!("sceau-{environment}-after-{}", id.short()),
    }
}

/// A new sealing key and its certificate.
pub(crate) struct NewKey {
    pub(crate) id: KeyId,
    certificate: String,
    private_key: Zeroizing<String>,
}

/// The validity of certificates. Unsealing ignores its end, so it only has to be much longer than a
/// renew period.
const VALIDITY_IN_HOURS: i64 = 10 * 365 * 24;

impl NewKey {
    /// Generates a key, which takes seconds of computing.
    ///
    /// # Errors
    /// [`UnusableKey`] when the provider fails.
    pub(crate) fn generate(
        environment: &EnvironmentName,
        bits: usize,
        created_at: Timestamp,
    ) -> Result<Self, UnusableKey> {
        Self::of(&SealingKey::generate(bits)?, environment, created_at)
    }

    /// Issues the certificate of an existing key.
    ///
    /// # Errors
    /// [`UnusableKey`] when the provider fails.
    pub(crate) fn of(
        sealing_key: &SealingKey,
        environment: &EnvironmentName,
        created_at: Timestamp,
    ) -> Result<Self, UnusableKey> {
        let issue = sealing::Issue {
            subject: &format!("sceau {environment}"),
            not_before: created_at,
            not_after: created_at
                .checked_add(jiff::SignedDuration::from_hours(VALIDITY_IN_HOURS))
                .unwrap_or(Timestamp::MAX),
        };
        Ok(Self {
            id: sealing_key.id(),
            certificate: issue_certificate(sealing_key, &issue)?,
            private_key: sealing_key.to_pem()?,
        })
    }

    /// The body of its Secret. `cutoff` is the `cutoffTime` that caused its generation.
    pub(crate) fn secret<'a>(
        &'a self,
        name: &'a str,
        environment: &'a str,
        cutoff: Option<Timestamp>,
    ) -> KeySecretBody<'a> {
        KeySecretBody {
            api_version: "v1",
            kind: "Secret",
            metadata: KeySecretMetadata {
                name,
                labels: [
                    (ENVIRONMENT_LABEL, environment),
                    (SEALING_KEY_LABEL, "active"),
                ]
                .into(),
                annotations: cutoff
                    .map(|instant| (CUTOFF_TIME_ANNOTATION, instant.to_string()))
                    .into_iter()
                    .collect(),
            },
            secret_type: SECRET_TYPE,
            immutable: true,
            items: [
                (CERTIFICATE_ITEM, self.certificate.as_str()),
                (PRIVATE_KEY_ITEM, self.private_key.as_str()),
            ]
            .into(),
        }
    }
}

/// A key Secret as it is sent to the API server.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct KeySecretBody<'a> {
    api_version: &'static str,
    kind: &'static str,
    metadata: KeySecretMetadata<'a>,
    #[serde(rename = "type")]
    secret_type: &'static str,
    immutable: bool,
    #[serde(rename = "stringData")]
    items: BTreeMap<&'static str, &'a str>,
}

#[derive(Serialize)]
struct KeySecretMetadata<'a> {
    name: &'a str,
    labels: BTreeMap<&'static str, &'a str>,
    annotations: BTreeMap<&'static str, String>,
}

#[cfg(test)]
mod tests;
