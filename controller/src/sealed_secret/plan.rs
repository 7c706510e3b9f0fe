//! The whole decision about one SealedSecret. Pure: it takes what was observed and returns what to do,
//! as values that can be printed and compared.
//!
//! [`plan`] needs no ciphertexts; [`Permitted::unsealing`] looks at them; [`Unsealing::open`] costs a
//! private-key operation for each seal.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::Resource as _;
use sealing::{
    FingerprintKey, KeyId, SecretRef,
    resource::{SealedSecret, SealedSecretStatus},
};

use crate::{
    fingerprint::annotation::Fingerprinting,
    sealed_secret::outcome::Failure,
    status::{
        conditions::{State, state_of},
        reason::Reason,
    },
    store::{
        NamespaceMatch, ResolvedEnvironment,
        objects::{InvalidSpec, Outline, ReceivedSealedSecret},
    },
};

mod desired;
mod found;
mod unsealing;

pub use desired::DesiredSecret;
pub(crate) use desired::{MANAGED_BY, MANAGED_BY_LABEL};
pub use found::FoundSecret;
pub(crate) use unsealing::refused;
pub use unsealing::{Opened, Permitted, Unsealing};

/// Everything that a decision about one SealedSecret rests on.
#[derive(Debug, Clone)]
pub struct Observed {
    /// The SealedSecret.
    pub object: Arc<ReceivedSealedSecret>,
    /// Its newest status, which may be newer than the one in `object`.
    pub status: SealedSecretStatus,
    /// The Environment that its namespace belongs to.
    pub namespace_match: NamespaceMatch,
    /// The Secret of its name, as far as its metadata tells.
    pub secret: Result<Option<FoundSecret>, Failure>,
    /// What its values are fingerprinted with, when there is one.
    pub fingerprint_key: Option<Arc<FingerprintKey>>,
    /// The present instant.
    pub now: Timestamp,
}

/// What to do about one SealedSecret.
#[derive(Debug)]
pub enum Plan {
    /// Nothing: nothing has changed since it was unsealed, or it is being deleted.
    Leave,
    /// Say what is in the way. A Secret that was written before stays as it is.
    Report(Failure),
    /// Read its seals, open them and write the Secret.
    Unseal(Box<Permitted>),
}

/// Decides what to do about one SealedSecret.
pub fn plan(observed: &Observed) -> Plan {
    if observed.object.is_being_deleted() {
        return Plan::Leave;
    }
    match decide(observed) {
        Ok(None) => Plan::Leave,
        Ok(Some(permitted)) => Plan::Unseal(Box::new(permitted)),
        Err(failure) => Plan::Report(failure),
    }
}

fn decide(observed: &Observed) -> Result<Option<Permitted>, Failure> {
    let place = place(&observed.object)?;
    let outline = readable(&observed.object)?;
    let environment = environment(&observed.namespace_match, &place, outline)?;
    check_secret_type(outline, environment)?;
    let secret = observed.secret.clone()?;
    if is_unchanged(observed, outline, environment, secret.as_ref()) {
        return Ok(None);
    }
    let precondition = precondition(observed, secret.as_ref())?;
    check_keys(outline, environment)?;
    Ok(Some(Permitted {
        place,
        environment: Arc::clone(environment),
        owner: owner(&observed.object),
        precondition,
        fingerprinting: fingerprinting(observed, secret.as_ref()),
        heals: is_done(observed),
    }))
}

fn place(object: &ReceivedSealedSecret) -> Result<SecretRef, Failure> {
    let namespace = object.metadata.namespace.as_deref().unwrap_or_default();
    let name = object.metadata.name.as_deref().unwrap_or_default();
    SecretRef::parse(namespace, name)
        .map_err(|error| Failure::new(Reason::Malformed, error.to_string()))
}

fn readable(object: &ReceivedSealedSecret) -> Result<&Outline, Failure> {
    object.outline.as_ref().map_err(|InvalidSpec| unreadable())
}

/// What is said about a spec that does not fit its schema.
pub(super) fn unreadable() -> Failure {
    Failure::new(
        Reason::Malformed,
        "its spec is not one that this version can read",
    )
}

/// The Environment of the namespace, when it is the one that the manifest was sealed for.
fn environment<'a>(
    namespace_match: &'a NamespaceMatch,
    place: &SecretRef,
    outline: &Outline,
) -> Result<&'a Arc<ResolvedEnvironment>, Failure> {
    let namespace = &place.namespace;
    let (reason, message) = match namespace_match {
        NamespaceMatch::To(environment) if environment.name.as_str() == outline.environment => {
            return Ok(environment);
        }
        NamespaceMatch::To(environment) => (
            Reason::WrongEnvironment,
            format!(
                "sealed for environment {}; namespace {namespace} belongs to {}",
                outline.environment, environment.name
            ),
        ),
        NamespaceMatch::None => (
            Reason::NoEnvironment,
            format!("namespace {namespace} belongs to no Environment"),
        ),
        NamespaceMatch::Ambiguous(names) => (
            Reason::AmbiguousEnvironment,
            format!(
                "namespace {namespace} belongs to more than one Environment: {}",
                list(names)
            ),
        ),
        NamespaceMatch::InvalidSpec(name) => (
            Reason::InvalidEnvironment,
            format!("namespace {namespace} belongs to Environment {name}, which cannot be read"),
        ),
        NamespaceMatch::Unknown => (
            Reason::Progressing,
            format!("namespace {namespace} has not been seen yet"),
        ),
    };
    Err(Failure::new(reason, message))
}

fn check_secret_type(outline: &Outline, environment: &ResolvedEnvironment) -> Result<(), Failure> {
    let secret_type = &outline.secret_type;
    if environment.spec.refuses_secret_type(secret_type) {
        return Err(Failure::new(
            Reason::DeniedSecretType,
            format!(
                "environment {} writes no Secrets of type {secret_type}",
                environment.name
            ),
        ));
    }
    Ok(())
}

/// Whether all that was done before still stands: then nothing is opened, read or written.
fn is_unchanged(
    observed: &Observed,
    outline: &Outline,
    environment: &ResolvedEnvironment,
    secret: Option<&FoundSecret>,
) -> bool {
    let status = &observed.status;
    let keys_still_open = status.seals.iter().all(|seal| {
        let id = seal.opened_by.parse::<KeyId>();
        id.is_ok_and(|id| environment.ring.holds(id))
    });
    is_done(observed)
        && status.seals.len() == outline.seals.len()
        && keys_still_open
        && matches!((secret, &status.secret), (Some(found), Some(recorded)) if found.is(recorded))
        && secret.is_none_or(|found| is_fingerprinted(found, observed.fingerprint_key.as_deref()))
}

/// Whether its values were looked at with the present fingerprint key; without one, nothing is to
/// be looked at.
fn is_fingerprinted(secret: &FoundSecret, present: Option<&FingerprintKey>) -> bool {
    let made_with = secret.fingerprints.as_ref().map(|it| it.key_id.as_str());
    present.is_none_or(|present| made_with == Some(present.id()))
}

fn fingerprinting(observed: &Observed, secret: Option<&FoundSecret>) -> Option<Fingerprinting> {
    Some(Fingerprinting {
        fingerprint_key: observed.fingerprint_key.clone()?,
        found: secret.and_then(|found| found.fingerprints.clone()),
        standing: secret.map_or_else(BTreeMap::new, |found| found.annotations.clone()),
        now: observed.now,
    })
}

/// Whether this generation has been unsealed.
fn is_done(observed: &Observed) -> bool {
    let status = &observed.status;
    status.observed_generation == Some(observed.object.generation())
        && state_of(&status.conditions) == Some(State::Done)
}

/// The uid of the Secret that may be written over; `None` when there is no Secret.
fn precondition(
    observed: &Observed,
    secret: Option<&FoundSecret>,
) -> Result<Option<String>, Failure> {
    let Some(secret) = secret else {
        return Ok(None);
    };
    if secret.is_being_deleted {
        return Err(Failure::new(
            Reason::Progressing,
            "a Secret of this name is being deleted",
        ));
    }
    let own_uid = observed.object.metadata.uid.as_deref();
    let recorded = observed.status.secret.as_ref();
    match &secret.controller {
        Some(owner) if Some(owner.uid.as_str()) == own_uid => {}
        Some(owner) => return Err(owned(owner, observed)),
        None if recorded.is_some_and(|recorded| recorded.uid == secret.uid) => {}
        None if secret.may_be_adopted => {}
        None => {
            return Err(exists(
                "annotate it with sceau.dev/adopt=true to have it taken over",
            ));
        }
    }
    Ok(Some(secret.uid.clone()))
}

/// What is said about a Secret that another object controls.
fn owned(owner: &OwnerReference, observed: &Observed) -> Failure {
    let OwnerReference {
        api_version,
        kind,
        name,
        ..
    } = owner;
    let group = api_version.split('/').next().unwrap_or_default();
    let same_name = observed.object.metadata.name.as_ref() == Some(name);
    let is_sealed_secret = *kind == SealedSecret::kind(&()) && same_name;
    if is_sealed_secret && group == SealedSecret::group(&()) {
        return Failure::new(
            Reason::Progressing,
            "the Secret of an earlier SealedSecret of this name is about to be collected",
        );
    }
    if is_sealed_secret && group == BITNAMI_GROUP {
        return exists(&format!(
            "it belongs to {kind} {name} of {group}: to have it taken over, delete that one with \
             `kubectl delete sealedsecrets.{group} {name} --cascade=orphan`, and then annotate the \
             Secret with sceau.dev/adopt=true"
        ));
    }
    exists(&format!("it belongs to {kind} {name} of {api_version}"))
}

/// The original's resources.
const BITNAMI_GROUP: &str = "bitnami.com";

fn exists(what: &str) -> Failure {
    Failure::new(
        Reason::SecretExists,
        format!("a Secret of this name exists; {what}"),
    )
}

/// Whether the ring can open every seal, as far as their recipients tell.
fn check_keys(outline: &Outline, environment: &ResolvedEnvironment) -> Result<(), Failure> {
    let ring = &environment.ring;
    let closed = |seal: &&Vec<KeyId>| !seal.iter().any(|id| ring.holds(*id));
    match outline.seals.iter().find(closed) {
        None => Ok(()),
        Some(missing) => Err(missing_keys(missing, environment)),
    }
}

/// Why none of these keys is in the environment's ring.
fn missing_keys(missing: &[KeyId], environment: &ResolvedEnvironment) -> Failure {
    let name = &environment.name;
    if missing.iter().any(|id| environment.revokes(*id)) {
        Failure::new(
            Reason::RevokedSealingKey,
            format!(
                "sealed to {}, which environment {name} has revoked",
                list(missing)
            ),
        )
    } else if environment.ring.is_empty() {
        Failure::new(
            Reason::Progressing,
            format!("environment {name} has no sealing key yet"),
        )
    } else {
        Failure::new(
            Reason::UnknownSealingKey,
            format!(
                "sealed to {}, which environment {name} does not have",
                list(missing)
            ),
        )
    }
}

fn list<T: ToString>(things: impl IntoIterator<Item = T>) -> String {
    let texts: Vec<String> = things.into_iter().map(|thing| thing.to_string()).collect();
    texts.join(", ")
}

/// Makes the Secret go with its SealedSecret.
fn owner(object: &ReceivedSealedSecret) -> OwnerReference {
    OwnerReference {
        api_version: SealedSecret::api_version(&()).into_owned(),
        block_owner_deletion: Some(true),
        controller: Some(true),
        kind: SealedSecret::kind(&()).into_owned(),
        name: object.metadata.name.clone().unwrap_or_default(),
        uid: object.metadata.uid.clone().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests;
