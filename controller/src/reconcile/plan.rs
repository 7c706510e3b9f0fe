//! The whole decision about one SealedSecret. Pure: it takes what was observed and returns what to do,
//! as values that can be printed and compared.
//!
//! [`plan`] costs no private-key operation; [`Unsealing::open`] costs one for each seal.

use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::Resource as _;
use sealing::{
    EnvironmentName, KeyId, Place, UnsealError,
    envelope::native::{Envelope, ParseError},
    resource::{SealedSecret, SealedSecretSpec, SealedSecretStatus, SecretTemplate},
};

use crate::{
    outcome::{Obstacle, Reason},
    received::{ReceivedSealedSecret, Unreadable},
    status::{State, state_of},
    surroundings::{Belonging, KnownEnvironment},
};

mod desired;
mod found;

pub use desired::DesiredSecret;
pub(crate) use desired::{MANAGED_BY, MANAGED_BY_LABEL};
pub use found::FoundSecret;

/// Everything that a decision about one SealedSecret rests on.
#[derive(Debug, Clone)]
pub struct Observed {
    /// The SealedSecret.
    pub object: Arc<ReceivedSealedSecret>,
    /// Its newest status, which may be newer than the one in `object`.
    pub status: SealedSecretStatus,
    /// The Environment that its namespace belongs to.
    pub belonging: Belonging,
    /// The Secret of its name, as far as its metadata tells.
    pub secret: Result<Option<FoundSecret>, Obstacle>,
}

/// What to do about one SealedSecret.
#[derive(Debug)]
pub enum Plan {
    /// Nothing: nothing has changed since it was unsealed, or it is being deleted.
    Leave,
    /// Say what is in the way. A Secret that was written before stays as it is.
    Report(Obstacle),
    /// Open its seals and write the Secret.
    Unseal(Box<Unsealing>),
}

/// Decides what to do about one SealedSecret.
pub fn plan(observed: &Observed) -> Plan {
    if observed.object.is_being_deleted() {
        return Plan::Leave;
    }
    match decide(observed) {
        Ok(None) => Plan::Leave,
        Ok(Some(unsealing)) => Plan::Unseal(Box::new(unsealing)),
        Err(obstacle) => Plan::Report(obstacle),
    }
}

fn decide(observed: &Observed) -> Result<Option<Unsealing>, Obstacle> {
    let place = place(&observed.object)?;
    let spec = readable_spec(&observed.object)?;
    let environment = environment(&observed.belonging, &place, spec)?;
    check_template(&spec.template, environment)?;
    let secret = observed.secret.clone()?;
    if is_unchanged(observed, spec, environment, secret.as_ref()) {
        return Ok(None);
    }
    let precondition = precondition(observed, secret.as_ref())?;
    let envelope = Envelope::parse(spec).map_err(|error| malformed(&error))?;
    let keys = opening_keys(&envelope, environment)?;
    Ok(Some(Unsealing {
        place,
        envelope,
        environment: Arc::clone(environment),
        keys,
        template: spec.template.clone(),
        owner: owner(&observed.object),
        precondition,
    }))
}

fn place(object: &ReceivedSealedSecret) -> Result<Place, Obstacle> {
    let namespace = object.metadata.namespace.as_deref().unwrap_or_default();
    let name = object.metadata.name.as_deref().unwrap_or_default();
    Place::parse(namespace, name)
        .map_err(|error| Obstacle::new(Reason::Malformed, error.to_string()))
}

fn readable_spec(object: &ReceivedSealedSecret) -> Result<&SealedSecretSpec, Obstacle> {
    object.spec.as_ref().map_err(|Unreadable| {
        Obstacle::new(
            Reason::Malformed,
            "its spec is not one that this version can read",
        )
    })
}

/// The Environment of the namespace, when it is the one that the manifest was sealed for.
fn environment<'a>(
    belonging: &'a Belonging,
    place: &Place,
    spec: &SealedSecretSpec,
) -> Result<&'a Arc<KnownEnvironment>, Obstacle> {
    let namespace = &place.namespace;
    let (reason, message) = match belonging {
        Belonging::To(environment) if environment.name.as_str() == spec.environment => {
            return Ok(environment);
        }
        Belonging::To(environment) => (
            Reason::WrongEnvironment,
            format!(
                "sealed for environment {}; namespace {namespace} belongs to {}",
                spec.environment, environment.name
            ),
        ),
        Belonging::None => (
            Reason::NoEnvironment,
            format!("namespace {namespace} belongs to no Environment"),
        ),
        Belonging::Ambiguous(names) => (
            Reason::AmbiguousEnvironment,
            format!(
                "namespace {namespace} belongs to more than one Environment: {}",
                list(names)
            ),
        ),
        Belonging::Unreadable(name) => (
            Reason::InvalidEnvironment,
            format!("namespace {namespace} belongs to Environment {name}, which cannot be read"),
        ),
        Belonging::Unknown => (
            Reason::Progressing,
            format!("namespace {namespace} has not been seen yet"),
        ),
    };
    Err(Obstacle::new(reason, message))
}

/// Labels of this prefix are the controller's: with one of them, a Secret in its own namespace would
/// be a sealing key.
const RESERVED_PREFIX: &str = "sceau.dev/";

fn check_template(
    template: &SecretTemplate,
    environment: &KnownEnvironment,
) -> Result<(), Obstacle> {
    let secret_type = template.secret_type();
    if environment.spec.refuses_secret_type(secret_type) {
        return Err(Obstacle::new(
            Reason::RefusedSecretType,
            format!(
                "environment {} writes no Secrets of type {secret_type}",
                environment.name
            ),
        ));
    }
    let reserved = |label: &&String| label.starts_with(RESERVED_PREFIX);
    match template.metadata.labels.keys().find(reserved) {
        None => Ok(()),
        Some(label) => Err(Obstacle::new(
            Reason::ReservedLabel,
            format!(
                "the template sets the label {label}; labels of {RESERVED_PREFIX} are the controller's"
            ),
        )),
    }
}

/// Whether all that was done before still stands: then nothing is opened, read or written.
fn is_unchanged(
    observed: &Observed,
    spec: &SealedSecretSpec,
    environment: &KnownEnvironment,
    secret: Option<&FoundSecret>,
) -> bool {
    let status = &observed.status;
    let keys_still_open = status.seals.iter().all(|seal| {
        let id = seal.opened_by.parse::<KeyId>();
        id.is_ok_and(|id| environment.ring.holds(id))
    });
    status.observed_generation == Some(observed.object.generation())
        && state_of(&status.conditions) == Some(State::Done)
        && status.seals.len() == spec.seals.len()
        && keys_still_open
        && matches!((secret, &status.secret), (Some(found), Some(recorded)) if found.is(recorded))
}

/// The uid of the Secret that may be written over; `None` when there is no Secret.
fn precondition(
    observed: &Observed,
    secret: Option<&FoundSecret>,
) -> Result<Option<String>, Obstacle> {
    let Some(secret) = secret else {
        return Ok(None);
    };
    if secret.is_being_deleted {
        return Err(Obstacle::new(
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
fn owned(owner: &OwnerReference, observed: &Observed) -> Obstacle {
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
        return Obstacle::new(
            Reason::Progressing,
            "the Secret of an earlier SealedSecret of this name is about to be collected",
        );
    }
    if is_sealed_secret && group == ORIGINAL_GROUP {
        return exists(&format!(
            "it belongs to {kind} {name} of {group}: to have it taken over, delete that one with \
             `kubectl delete sealedsecrets.{group} {name} --cascade=orphan`, and then annotate the \
             Secret with sceau.dev/adopt=true"
        ));
    }
    exists(&format!("it belongs to {kind} {name} of {api_version}"))
}

/// The original's resources.
const ORIGINAL_GROUP: &str = "bitnami.com";

fn exists(what: &str) -> Obstacle {
    Obstacle::new(
        Reason::SecretExists,
        format!("a Secret of this name exists; {what}"),
    )
}

fn malformed(error: &ParseError) -> Obstacle {
    let reason = match error {
        ParseError::Bytes(_) => Reason::TooLarge,
        _ => Reason::Malformed,
    };
    Obstacle::new(reason, error.to_string())
}

fn opening_keys(
    envelope: &Envelope,
    environment: &KnownEnvironment,
) -> Result<Vec<KeyId>, Obstacle> {
    match envelope.opening_keys(&environment.ring) {
        Ok(keys) => Ok(keys.into_iter().map(sealing::SealingKey::id).collect()),
        Err(missing) => Err(without_key(&missing, environment)),
    }
}

/// Why nothing opens a seal that is wrapped for these keys.
fn without_key(missing: &[KeyId], environment: &KnownEnvironment) -> Obstacle {
    let name = &environment.name;
    if missing.iter().any(|id| environment.revokes(*id)) {
        Obstacle::new(
            Reason::RevokedSealingKey,
            format!(
                "sealed to {}, which environment {name} has revoked",
                list(missing)
            ),
        )
    } else if environment.ring.is_empty() {
        Obstacle::new(
            Reason::Progressing,
            format!("environment {name} has no sealing key yet"),
        )
    } else {
        Obstacle::new(
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

/// Seals that are to be opened, and what becomes of them.
#[derive(Debug)]
pub struct Unsealing {
    place: Place,
    envelope: Envelope,
    environment: Arc<KnownEnvironment>,
    keys: Vec<KeyId>,
    template: SecretTemplate,
    owner: OwnerReference,
    precondition: Option<String>,
}

/// The Secret to write, and the keys that opened it.
#[derive(Debug)]
pub struct Opened {
    /// What is to be written.
    pub secret: DesiredSecret,
    /// One for each seal, in their order.
    pub opened_by: Vec<KeyId>,
}

impl Unsealing {
    /// Opens the seals: one private-key operation for each.
    ///
    /// # Errors
    /// An [`Obstacle`]: all items open, or none is used.
    pub fn open(&self) -> Result<Opened, Obstacle> {
        let unsealed = self
            .envelope
            .open(&self.place, &self.environment.ring)
            .map_err(|error| refused(&error, &self.environment))?;
        Ok(Opened {
            secret: DesiredSecret {
                place: self.place.clone(),
                template: self.template.clone(),
                items: unsealed.items,
                owner: self.owner.clone(),
                precondition: self.precondition.clone(),
            },
            opened_by: unsealed.opened_by,
        })
    }

    /// Where the SealedSecret stands.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The environment that it is opened for.
    pub fn environment(&self) -> &EnvironmentName {
        &self.environment.name
    }

    /// The sealing keys that will be used: one for each seal, in their order.
    pub fn keys(&self) -> &[KeyId] {
        &self.keys
    }
}

/// What a seal that does not open means for its SealedSecret, or for the request to reseal it.
pub(crate) fn refused(error: &UnsealError, environment: &KnownEnvironment) -> Obstacle {
    let reason = match error {
        UnsealError::UnknownSealingKey(missing) => return without_key(missing, environment),
        UnsealError::Malformed(_) => Reason::Malformed,
        UnsealError::NoKeyOpens(_) | UnsealError::Refused => Reason::Refused,
    };
    Obstacle::new(reason, error.to_string())
}

#[cfg(test)]
mod tests;
