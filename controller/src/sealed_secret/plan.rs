//! The decision about one SealedSecret. Pure: from what was observed it returns what to do, as
//! values that can be printed and compared.
//!
//! [`plan`] needs no ciphertexts; [`Permitted::unsealing`] parses them; [`Unsealing::open`] costs a
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

/// The input of a decision about one SealedSecret.
#[derive(Debug, Clone)]
pub struct Observed {
    /// The SealedSecret.
    pub object: Arc<ReceivedSealedSecret>,
    /// Its newest status. It may be newer than the one in `object`.
    pub status: SealedSecretStatus,
    /// The Environment of its namespace.
    pub namespace_match: NamespaceMatch,
    /// The metadata of the Secret with its name, if that exists.
    pub secret: Result<Option<FoundSecret>, Failure>,
    /// The key for fingerprints, if it exists.
    pub fingerprint_key: Option<Arc<FingerprintKey>>,
    /// The present instant.
    pub now: Timestamp,
}

/// What to do about one SealedSecret.
#[derive(Debug)]
pub enum Plan {
    /// Nothing: it is unchanged since it was unsealed, or it is being deleted.
    Leave,
    /// Report why it is not unsealed. An existing Secret stays as it is.
    Report(Failure),
    /// Read its ciphertexts, decrypt them and write the Secret.
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
    let outline = outline(&observed.object)?;
    let environment = environment(&observed.namespace_match, &place, outline)?;
    check_secret_type(outline, environment)?;
    // A failed read of the Secret is reported only after what the manifest itself gets wrong:
    // that does not go away with a retry.
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
        corrects_drift: is_done(observed),
    }))
}

fn place(object: &ReceivedSealedSecret) -> Result<SecretRef, Failure> {
    let namespace = object.metadata.namespace.as_deref().unwrap_or_default();
    let name = object.metadata.name.as_deref().unwrap_or_default();
    SecretRef::parse(namespace, name)
        .map_err(|error| Failure::new(Reason::Malformed, error.to_string()))
}

fn outline(object: &ReceivedSealedSecret) -> Result<&Outline, Failure> {
    object
        .outline
        .as_ref()
        .map_err(|InvalidSpec| invalid_spec())
}

/// The failure for a spec that does not match its schema.
pub(super) fn invalid_spec() -> Failure {
    Failure::new(
        Reason::Malformed,
        "the spec does not match this controller's schema: check its fields",
    )
}

/// The Environment of the namespace, if the manifest is sealed for it.
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
                "sealed for environment {}, but namespace {namespace} belongs to {}: \
                 seal it for that environment",
                outline.environment, environment.name
            ),
        ),
        NamespaceMatch::None => (
            Reason::NoEnvironment,
            format!("no Environment selects namespace {namespace}: add it to one"),
        ),
        NamespaceMatch::Ambiguous(names) => (
            Reason::AmbiguousEnvironment,
            format!(
                "more than one Environment selects namespace {namespace} ({}): keep one of them",
                list(names)
            ),
        ),
        NamespaceMatch::InvalidSpec(name) => (
            Reason::InvalidEnvironment,
            format!(
                "the spec of Environment {name}, which selects namespace {namespace}, \
                 is not valid: check its status"
            ),
        ),
        NamespaceMatch::Unknown => (
            Reason::Progressing,
            format!("waiting for the watch to show namespace {namespace}"),
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
                "environment {} denies Secrets of type {secret_type}: change the type",
                environment.name
            ),
        ));
    }
    Ok(())
}

/// Whether the last result is still valid. Then nothing is decrypted, read or written.
fn is_unchanged(
    observed: &Observed,
    outline: &Outline,
    environment: &ResolvedEnvironment,
    secret: Option<&FoundSecret>,
) -> bool {
    let status = &observed.status;
    let keys_are_usable = status.seals.iter().all(|seal| {
        let id = seal.opened_by.parse::<KeyId>();
        id.is_ok_and(|id| environment.ring.holds(id))
    });
    is_done(observed)
        && status.seals.len() == outline.seals.len()
        && keys_are_usable
        && matches!((secret, &status.secret), (Some(found), Some(recorded)) if found.is(recorded))
        && secret.is_none_or(|found| is_fingerprinted(found, observed.fingerprint_key.as_deref()))
}

/// Whether its values were fingerprinted with the present key. Without a key, nothing is to be
/// done.
fn is_fingerprinted(secret: &FoundSecret, present: Option<&FingerprintKey>) -> bool {
    let key_id = secret
        .fingerprints
        .as_ref()
        .map(|found| found.key_id.as_str());
    present.is_none_or(|present| key_id == Some(present.id()))
}

fn fingerprinting(observed: &Observed, secret: Option<&FoundSecret>) -> Option<Fingerprinting> {
    Some(Fingerprinting {
        fingerprint_key: observed.fingerprint_key.clone()?,
        found: secret.and_then(|found| found.fingerprints.clone()),
        annotations: secret.map_or_else(BTreeMap::new, |found| found.annotations.clone()),
        now: observed.now,
    })
}

/// Whether this generation was unsealed.
fn is_done(observed: &Observed) -> bool {
    let status = &observed.status;
    status.observed_generation == Some(observed.object.generation())
        && state_of(&status.conditions) == Some(State::Done)
}

/// The uid of the Secret that may be overwritten; `None` when no Secret exists.
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
            "waiting for the previous Secret to be deleted",
        ));
    }
    let own_uid = observed.object.metadata.uid.as_deref();
    let recorded = observed.status.secret.as_ref();
    match &secret.controller {
        // By uid: a former SealedSecret of the same name does not count.
        Some(owner) if Some(owner.uid.as_str()) == own_uid => {}
        Some(owner) => return Err(owned(owner, observed)),
        // Its owner reference was removed, but the status records that it is ours.
        None if recorded.is_some_and(|recorded| recorded.uid == secret.uid) => {}
        None if secret.may_be_adopted => {}
        None => {
            return Err(exists(
                "a Secret of this name exists: to adopt it, annotate it with sceau.dev/adopt=true",
            ));
        }
    }
    Ok(Some(secret.uid.clone()))
}

/// The failure for a Secret that another object controls.
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
            "waiting for the previous SealedSecret's Secret to be garbage-collected",
        );
    }
    if is_sealed_secret && group == BITNAMI_GROUP {
        return exists(format!(
            "a Secret of this name exists and belongs to {kind} {name} of {group}: to adopt it, \
             delete that object with \
             `kubectl delete sealedsecrets.{group} {name} --cascade=orphan`, and then annotate \
             the Secret with sceau.dev/adopt=true"
        ));
    }
    exists(format!(
        "a Secret of this name exists and belongs to {kind} {name} of {api_version}: rename the SealedSecret"
    ))
}

/// The API group of the Bitnami controller.
const BITNAMI_GROUP: &str = "bitnami.com";

fn exists(message: impl Into<String>) -> Failure {
    Failure::new(Reason::SecretExists, message)
}

/// Checks that the ring holds a key for every seal. It compares key ids only.
fn check_keys(outline: &Outline, environment: &ResolvedEnvironment) -> Result<(), Failure> {
    let ring = &environment.ring;
    let is_undecryptable = |seal: &&Vec<KeyId>| !seal.iter().any(|id| ring.holds(*id));
    match outline.seals.iter().find(is_undecryptable) {
        None => Ok(()),
        Some(missing) => Err(missing_keys(missing, environment)),
    }
}

/// The failure for a seal whose keys are not in the environment's ring.
fn missing_keys(missing: &[KeyId], environment: &ResolvedEnvironment) -> Failure {
    let name = &environment.name;
    // One revoked key is enough: a person has to seal again, whatever the others are.
    if missing.iter().any(|id| environment.revokes(*id)) {
        Failure::new(
            Reason::RevokedSealingKey,
            format!(
                "sealed only for {}, which environment {name} has revoked: seal it again",
                list(missing)
            ),
        )
    } else if environment.ring.is_empty() {
        Failure::new(
            Reason::Progressing,
            format!("waiting for the first sealing key of environment {name}"),
        )
    } else {
        Failure::new(
            Reason::UnknownSealingKey,
            format!(
                "sealed only for {}, which environment {name} does not have: \
                 seal it again, or restore the key from a backup",
                list(missing)
            ),
        )
    }
}

fn list<T: ToString>(things: impl IntoIterator<Item = T>) -> String {
    let texts: Vec<String> = things.into_iter().map(|thing| thing.to_string()).collect();
    texts.join(", ")
}

/// The owner reference by which Kubernetes deletes the Secret with its SealedSecret.
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
