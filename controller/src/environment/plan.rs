//! The decision about one Environment: which key to generate, and which status to write. Pure.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, Time};
use kube::{ResourceExt as _, core::Selector};
use sealing::{
    EnvironmentName,
    resource::{EnvironmentSpec, EnvironmentStatus, SealingKeyState, SealingKeyStatus},
};

use super::{
    error::GenerateKeyError,
    revocation::{Revocation, revocations},
};
use crate::{
    backoff::Requeue,
    environment::renewal::{Renewal, renewal},
    keys::key_secret,
    status::conditions::{ObjectState, State},
    store::{
        ClusterStore, KeyWithState, ResolvedEnvironment,
        objects::ReceivedEnvironment,
        usage::{Recipients, needing},
    },
};

/// The input of a decision about one Environment.
pub(super) struct Observed<'a> {
    pub(super) environment: &'a ReceivedEnvironment,
    pub(super) store: &'a ClusterStore,
    /// One for each of its SealedSecrets.
    pub(super) recipients: &'a [Recipients],
}

/// The decision.
#[derive(Debug)]
pub(super) struct Plan {
    /// The key to generate.
    pub(super) new_key: Option<NewKeySpec>,
    /// When to reconcile again, if no step fails.
    pub(super) next: Requeue,
    outcome: (State, Reason, String),
    /// The key Secrets whose label for keys in use is wrong.
    pub(super) marks: Vec<Mark>,
    /// The keys that SealedSecrets still need and whose Secrets were deleted.
    pub(super) lost_keys: Vec<SealingKeyStatus>,
    /// The keys that were revoked since the status was written.
    pub(super) revocations: Vec<Revocation>,
    certificate: Option<String>,
    sealing_keys: Vec<SealingKeyStatus>,
}

/// Whether a key Secret is labelled as in use. The admission policy keeps such Secrets from
/// deletion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) secret: String,
    pub(super) is_in_use: bool,
}

/// A sealing key to generate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NewKeySpec {
    pub(super) environment: EnvironmentName,
    /// The name of its Secret.
    pub(super) secret: String,
    pub(super) bits: usize,
    /// When its certificate begins: now, or the instant of the key before it, if that is later.
    /// Clocks of replicas may differ.
    pub(super) created_at: Timestamp,
    /// The `cutoffTime` that causes the generation. It is recorded so that it has an effect once,
    /// in spite of clocks that differ.
    pub(super) cutoff: Option<Timestamp>,
}

/// Why an Environment is in its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reason {
    /// The key could not be generated. The controller retries.
    ApiError,
    /// The spec of the Environment is not valid.
    Invalid,
    /// The Secret of the new key exists and holds no usable key.
    KeySecretExists,
    /// It has an active sealing key.
    KeysReady,
    /// Its sealing key is being generated.
    GeneratingKey,
}

impl Reason {
    fn as_str(self) -> &'static str {
        match self {
            Self::ApiError => "ApiError",
            Self::Invalid => "Invalid",
            Self::KeySecretExists => "KeySecretExists",
            Self::KeysReady => "KeysReady",
            Self::GeneratingKey => "GeneratingKey",
        }
    }
}

/// The size of new keys when the Environment sets none.
const DEFAULT_BITS: u32 = 4096;

/// Decides what to do.
pub(super) fn plan(observed: &Observed<'_>, now: Timestamp) -> Plan {
    match &observed.environment.spec {
        Ok(spec) => plan_valid(observed, spec, now),
        Err(_) => plan_invalid(observed.environment.status.as_ref()),
    }
}

/// The keys of the last status stay: an invalid spec must not remove the certificate that people
/// seal with.
fn plan_invalid(last_status: Option<&EnvironmentStatus>) -> Plan {
    Plan {
        certificate: last_status.and_then(|status| status.certificate.clone()),
        sealing_keys: last_status.map_or_else(Vec::new, |status| status.sealing_keys.clone()),
        ..Plan::without_keys(
            State::Stalled,
            Reason::Invalid,
            "the spec does not match this controller's schema: check its fields",
        )
    }
}

fn plan_valid(observed: &Observed<'_>, spec: &EnvironmentSpec, now: Timestamp) -> Plan {
    let environment = EnvironmentName::parse(observed.environment.name_any())
        .ok()
        .and_then(|name| observed.store.environment(&name));
    // Two watches show Environments. The other one may lag behind, and its event reconciles this
    // Environment again.
    let Some(environment) = environment else {
        return Plan::without_keys(
            State::Progressing,
            Reason::GeneratingKey,
            "waiting for the watches to show this Environment",
        );
    };
    let keys = observed.store.keys_of(environment);
    let status = |key| key_status(key, environment, observed.recipients);
    let sealing_keys: Vec<_> = keys.iter().map(status).collect();
    let mut plan = Plan {
        certificate: active(&keys).map(|active| active.stored.certificate.clone()),
        marks: marks(&keys, &sealing_keys),
        lost_keys: lost_keys(observed.environment, &sealing_keys),
        revocations: revocations(
            observed.environment.status.as_ref(),
            environment,
            &keys,
            observed.recipients,
        ),
        sealing_keys,
        ..plan_renewal(spec, environment, &keys, now)
    };
    // The keys are planned all the same: an invalid selector must not delay a renewal.
    if let Some(message) = check_selector(spec.namespace_selector.as_ref()) {
        plan.outcome = (State::Stalled, Reason::Invalid, message);
    }
    plan
}

fn active<'a, 'k>(keys: &'a [KeyWithState<'k>]) -> Option<&'a KeyWithState<'k>> {
    keys.iter().find(|key| key.state == SealingKeyState::Active)
}

fn plan_renewal(
    spec: &EnvironmentSpec,
    environment: &ResolvedEnvironment,
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
        Ok(Renewal::Generate { replaced }) => Plan {
            // A clock behind must not make the new key older than the one it replaces.
            new_key: Some(NewKeySpec {
                environment: environment.name.clone(),
                secret: key_secret::secret_name(&environment.name, replaced),
                bits: settings.bits.unwrap_or(DEFAULT_BITS) as usize,
                created_at: keys
                    .first()
                    .map_or(now, |newest| newest.stored.created_at.max(now)),
                // A cutoff in the future has not caused this renewal.
                cutoff: settings
                    .cutoff_time
                    .as_ref()
                    .map(|Time(instant)| *instant)
                    .filter(|instant| *instant <= now),
            }),
            ..Plan::without_keys(
                State::Progressing,
                Reason::GeneratingKey,
                "generating a sealing key",
            )
        },
        Ok(Renewal::Wait(due)) => Plan {
            next: due.map_or(Requeue::OnChange, |due| Requeue::After(until(due, now))),
            ..Plan::without_keys(State::Done, Reason::KeysReady, keys_ready(keys))
        },
    }
}

fn keys_ready(keys: &[KeyWithState<'_>]) -> String {
    active(keys).map_or_else(String::new, |active| {
        format!("sealing key {} is active", active.stored.id())
    })
}

fn until(due: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(due.duration_since(now)).unwrap_or_default()
}

fn check_selector(selector: Option<&LabelSelector>) -> Option<String> {
    let selector = selector?.clone();
    Selector::try_from(selector)
        .is_err()
        .then(|| "namespaceSelector is not valid: check its operators and values".to_owned())
}

fn key_status(
    key: &KeyWithState<'_>,
    environment: &ResolvedEnvironment,
    recipients: &[Recipients],
) -> SealingKeyStatus {
    let sealed_secrets = needing(key.stored.id(), environment, recipients).count();
    SealingKeyStatus {
        key_id: key.stored.id().to_string(),
        state: key.state,
        created_at: Time(key.stored.effective_creation()),
        not_after: Time(key.stored.not_after),
        sealed_secrets: u32::try_from(sealed_secrets).unwrap_or(u32::MAX),
    }
}

/// The key Secrets whose label differs from the count. A revoked key is never in use.
fn marks(keys: &[KeyWithState<'_>], sealing_keys: &[SealingKeyStatus]) -> Vec<Mark> {
    let with_status = keys.iter().zip(sealing_keys);
    with_status
        .map(|(key, status)| (key.stored, is_in_use(status)))
        .filter(|(key, is_in_use)| key.is_marked_in_use != *is_in_use)
        .map(|(key, is_in_use)| Mark {
            secret: key.secret.clone(),
            is_in_use,
        })
        .collect()
}

/// The keys that the last status counted as in use and that no longer exist.
fn lost_keys(
    environment: &ReceivedEnvironment,
    sealing_keys: &[SealingKeyStatus],
) -> Vec<SealingKeyStatus> {
    let exists = |id: &String| sealing_keys.iter().any(|status| status.key_id == *id);
    let last_status = environment.status.iter();
    last_status
        .flat_map(|status| &status.sealing_keys)
        .filter(|status| is_in_use(status) && !exists(&status.key_id))
        .cloned()
        .collect()
}

/// Whether the controller unseals any SealedSecret with this key.
fn is_in_use(status: &SealingKeyStatus) -> bool {
    status.state != SealingKeyState::Revoked && status.sealed_secrets > 0
}

impl Plan {
    fn without_keys(state: State, reason: Reason, message: impl Into<String>) -> Self {
        Self {
            new_key: None,
            next: Requeue::OnChange,
            outcome: (state, reason, message.into()),
            marks: Vec::new(),
            lost_keys: Vec::new(),
            revocations: Vec::new(),
            certificate: None,
            sealing_keys: Vec::new(),
        }
    }

    /// Whether this key is revoked.
    pub(super) fn holds_revoked(&self, id: &str) -> bool {
        let mut keys = self.sealing_keys.iter();
        keys.any(|status| status.key_id == id && status.state == SealingKeyState::Revoked)
    }

    /// The status of the Environment after its key was generated or failed to be.
    pub(super) fn status(
        &self,
        environment: &ReceivedEnvironment,
        failure: Option<&GenerateKeyError>,
        now: Timestamp,
    ) -> EnvironmentStatus {
        let (state, reason, message) = match failure {
            None => self.outcome.clone(),
            Some(GenerateKeyError::Exists(_)) => (
                State::Retrying,
                Reason::KeySecretExists,
                failure_message(failure),
            ),
            Some(_) => (State::Retrying, Reason::ApiError, failure_message(failure)),
        };
        let generation = environment.metadata.generation.unwrap_or_default();
        let object_state = ObjectState {
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
            conditions: object_state.conditions_without_synced(previous.unwrap_or_default(), now),
            certificate: self.certificate.clone(),
            sealing_keys: self.sealing_keys.clone(),
        }
    }
}

fn failure_message(failure: Option<&GenerateKeyError>) -> String {
    failure.map(ToString::to_string).unwrap_or_default()
}

#[cfg(test)]
mod renewals;
#[cfg(test)]
mod tests;
