//! What is to be done about one Environment: which key to make, and what its status says. Pure.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, Time};
use kube::{ResourceExt as _, core::Selector};
use sealing::{
    EnvironmentName,
    resource::{EnvironmentSpec, EnvironmentStatus, SealingKeyState, SealingKeyStatus},
};

use super::{
    error::MakeKeyError,
    revocation::{Revocation, revocations},
};
use crate::{
    backoff::Requeue,
    environment::renewal::{Renewal, renewal},
    keys::key_secret,
    status::conditions::{State, Verdict},
    store::{
        ClusterStore, KeyWithState, ResolvedEnvironment,
        objects::ReceivedEnvironment,
        usage::{Recipients, needing},
    },
};

/// Everything that a decision about one Environment rests on.
pub(super) struct Observed<'a> {
    pub(super) environment: &'a ReceivedEnvironment,
    pub(super) store: &'a ClusterStore,
    /// One for each of its SealedSecrets.
    pub(super) recipients: &'a [Recipients],
}

/// What is to be done.
#[derive(Debug)]
pub(super) struct Plan {
    /// The key that is to be made.
    pub(super) order: Option<NewKeySpec>,
    /// When to look again, if all goes well.
    pub(super) next: Requeue,
    verdict: (State, Reason, String),
    /// The key Secrets whose mark is to be changed.
    pub(super) marks: Vec<Mark>,
    /// The keys that SealedSecrets were sealed for, and that are gone.
    pub(super) lost: Vec<SealingKeyStatus>,
    /// The keys that were revoked since the status was written.
    pub(super) revocations: Vec<Revocation>,
    certificate: Option<String>,
    sealing_keys: Vec<SealingKeyStatus>,
}

/// Says on a key Secret whether its key still opens SealedSecrets, for admission to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) secret: String,
    pub(super) is_in_use: bool,
}

/// A sealing key that is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NewKeySpec {
    pub(super) environment: EnvironmentName,
    /// The name of the Secret that will keep it.
    pub(super) secret: String,
    pub(super) bits: usize,
    /// The instant that its certificate begins at: now, or when clocks disagree, that of the key it
    /// takes over from.
    pub(super) made_at: Timestamp,
    /// The `cutoffTime` that it obeys: so that it is obeyed once, whatever clocks say later.
    pub(super) cutoff: Option<Timestamp>,
}

/// Why an Environment is in its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reason {
    /// The key could not be made; it is being tried again.
    ApiError,
    /// The Environment says something that has no meaning.
    Invalid,
    /// A Secret that holds no sealing key bears the name of the one to make.
    KeySecretExists,
    /// It has an active sealing key.
    KeysReady,
    /// Its sealing key is being made.
    MakingKey,
}

impl Reason {
    fn as_str(self) -> &'static str {
        match self {
            Self::ApiError => "ApiError",
            Self::Invalid => "Invalid",
            Self::KeySecretExists => "KeySecretExists",
            Self::KeysReady => "KeysReady",
            Self::MakingKey => "MakingKey",
        }
    }
}

/// The size of new keys when the Environment does not say.
const BITS: u32 = 4096;

/// Decides what is to be done.
pub(super) fn plan(observed: &Observed<'_>, now: Timestamp) -> Plan {
    match &observed.environment.spec {
        Ok(spec) => plan_readable(observed, spec, now),
        Err(_) => plan_unreadable(observed.environment.status.as_ref()),
    }
}

/// What was told of its keys stays.
fn plan_unreadable(told: Option<&EnvironmentStatus>) -> Plan {
    Plan {
        certificate: told.and_then(|status| status.certificate.clone()),
        sealing_keys: told.map_or_else(Vec::new, |status| status.sealing_keys.clone()),
        ..Plan::without_keys(
            State::Stalled,
            Reason::Invalid,
            "its spec is not one that this version can read",
        )
    }
}

fn plan_readable(observed: &Observed<'_>, spec: &EnvironmentSpec, now: Timestamp) -> Plan {
    let known = EnvironmentName::parse(observed.environment.name_any())
        .ok()
        .and_then(|name| observed.store.environment(&name));
    // Two watches bring Environments; the other one may be behind, and tells when it is not.
    let Some(known) = known else {
        return Plan::without_keys(
            State::Progressing,
            Reason::MakingKey,
            "not seen by all watches yet",
        );
    };
    let keys = observed.store.keys_of(known);
    let counted = |fact| key_status(fact, known, observed.recipients);
    let sealing_keys: Vec<_> = keys.iter().map(counted).collect();
    let mut plan = Plan {
        certificate: active(&keys).map(|fact| fact.known.certificate.clone()),
        marks: marks(&keys, &sealing_keys),
        lost: lost(observed.environment, &sealing_keys),
        revocations: revocations(
            observed.environment.status.as_ref(),
            known,
            &keys,
            observed.recipients,
        ),
        sealing_keys,
        ..plan_renewal(spec, known, &keys, now)
    };
    if let Some(complaint) = complaint(spec.namespace_selector.as_ref()) {
        plan.verdict = (State::Stalled, Reason::Invalid, complaint);
    }
    plan
}

fn active<'a, 'k>(keys: &'a [KeyWithState<'k>]) -> Option<&'a KeyWithState<'k>> {
    keys.iter()
        .find(|fact| fact.state == SealingKeyState::Active)
}

fn plan_renewal(
    spec: &EnvironmentSpec,
    known: &ResolvedEnvironment,
    keys: &[KeyWithState<'_>],
    now: Timestamp,
) -> Plan {
    let settings = &spec.sealing_keys;
    match renewal(settings, keys, now) {
        Err(error) => Plan::without_keys(
            State::Stalled,
            Reason::Invalid,
            format!("renewPeriod: {error}"),
        ),
        Ok(Renewal::Make { replaced }) => Plan {
            order: Some(NewKeySpec {
                environment: known.name.clone(),
                secret: key_secret::secret_name(&known.name, replaced),
                bits: settings.bits.unwrap_or(BITS) as usize,
                made_at: keys
                    .first()
                    .map_or(now, |newest| newest.known.created_at.max(now)),
                cutoff: settings
                    .cutoff_time
                    .as_ref()
                    .map(|Time(instant)| *instant)
                    .filter(|instant| *instant <= now),
            }),
            ..Plan::without_keys(
                State::Progressing,
                Reason::MakingKey,
                "a sealing key is being made",
            )
        },
        Ok(Renewal::Wait(due)) => Plan {
            next: due.map_or(Requeue::OnChange, |due| Requeue::After(until(due, now))),
            ..Plan::without_keys(State::Done, Reason::KeysReady, keys_ready(keys))
        },
    }
}

fn keys_ready(keys: &[KeyWithState<'_>]) -> String {
    active(keys).map_or_else(String::new, |fact| {
        format!("sealing key {} is active", fact.known.id())
    })
}

fn until(due: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(due.duration_since(now)).unwrap_or_default()
}

fn complaint(selector: Option<&LabelSelector>) -> Option<String> {
    let selector = selector?.clone();
    Selector::try_from(selector)
        .is_err()
        .then(|| "namespaceSelector has an operator or values that mean nothing".to_owned())
}

fn key_status(
    fact: &KeyWithState<'_>,
    environment: &ResolvedEnvironment,
    recipients: &[Recipients],
) -> SealingKeyStatus {
    let sealed_secrets = needing(fact.known.id(), environment, recipients).count();
    SealingKeyStatus {
        key_id: fact.known.id().to_string(),
        state: fact.state,
        created_at: Time(fact.known.made_at()),
        not_after: Time(fact.known.not_after),
        sealed_secrets: u32::try_from(sealed_secrets).unwrap_or(u32::MAX),
    }
}

/// The key Secrets that say otherwise than what is counted. A revoked key is in use by nobody.
fn marks(keys: &[KeyWithState<'_>], sealing_keys: &[SealingKeyStatus]) -> Vec<Mark> {
    let counted = keys.iter().zip(sealing_keys);
    counted
        .map(|(fact, status)| (fact.known, opens_any(status)))
        .filter(|(known, is_in_use)| known.is_marked_in_use != *is_in_use)
        .map(|(known, is_in_use)| Mark {
            secret: known.secret.clone(),
            is_in_use,
        })
        .collect()
}

/// The keys that were counted as in use the last time, and are gone.
fn lost(
    environment: &ReceivedEnvironment,
    sealing_keys: &[SealingKeyStatus],
) -> Vec<SealingKeyStatus> {
    let is_there = |id: &String| sealing_keys.iter().any(|status| status.key_id == *id);
    let before = environment.status.iter();
    before
        .flat_map(|status| &status.sealing_keys)
        .filter(|status| opens_any(status) && !is_there(&status.key_id))
        .cloned()
        .collect()
}

/// Whether a key opens any SealedSecret.
fn opens_any(status: &SealingKeyStatus) -> bool {
    status.state != SealingKeyState::Revoked && status.sealed_secrets > 0
}

impl Plan {
    fn without_keys(state: State, reason: Reason, message: impl Into<String>) -> Self {
        Self {
            order: None,
            next: Requeue::OnChange,
            verdict: (state, reason, message.into()),
            marks: Vec::new(),
            lost: Vec::new(),
            revocations: Vec::new(),
            certificate: None,
            sealing_keys: Vec::new(),
        }
    }

    /// Whether a key is one of its revoked ones.
    pub(super) fn holds_revoked(&self, id: &str) -> bool {
        let mut keys = self.sealing_keys.iter();
        keys.any(|status| status.key_id == id && status.state == SealingKeyState::Revoked)
    }

    /// The status of the Environment, after a key was made or could not be.
    pub(super) fn status(
        &self,
        environment: &ReceivedEnvironment,
        failure: Option<&MakeKeyError>,
        now: Timestamp,
    ) -> EnvironmentStatus {
        let (state, reason, message) = match failure {
            None => self.verdict.clone(),
            Some(MakeKeyError::Exists(_)) => {
                (State::Retrying, Reason::KeySecretExists, said(failure))
            }
            Some(_) => (State::Retrying, Reason::ApiError, said(failure)),
        };
        let generation = environment.metadata.generation.unwrap_or_default();
        let verdict = Verdict {
            state,
            reason: reason.as_str(),
            message: &message,
            generation,
        };
        let previous = environment
            .status
            .as_ref()
            .map(|status| status.conditions.as_slice());
        EnvironmentStatus {
            observed_generation: Some(generation),
            conditions: verdict.conditions_without_synced(previous.unwrap_or_default(), now),
            certificate: self.certificate.clone(),
            sealing_keys: self.sealing_keys.clone(),
        }
    }
}

fn said(failure: Option<&MakeKeyError>) -> String {
    failure.map(ToString::to_string).unwrap_or_default()
}

#[cfg(test)]
mod renewals;
#[cfg(test)]
mod tests;
