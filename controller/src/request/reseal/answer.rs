//! The decision about one ResealRequest, and its status. Pure.
//!
//! [`decide`] costs no private-key operation; [`Batch::reseal`] costs one.

use std::{fmt::Display, sync::Arc};

use jiff::Timestamp;
use sealing::{
    Context, EnvironmentName, Recipient, ResealError, SecretRef,
    envelope::native::ParsedSeal,
    resource::{
        ResealOutcome, ResealRequest, ResealRequestStatus, ResealResult, Seal, SealHeader,
        SealingKeyState, WrappedFileKey,
    },
};

use crate::{
    request::{Completion, complete},
    sealed_secret::{outcome::Failure, plan},
    status::reason::Reason,
    store::{ClusterStore, ResolvedEnvironment, objects::ReceivedRequest},
};

/// What to do about a request.
#[derive(Debug)]
pub(super) enum Decision {
    /// Reject it as a whole.
    Refuse(Refusal),
    /// Reseal its seals.
    Reseal(Batch),
    /// Wait: its environment has no active key yet.
    WaitForKey,
}

/// Why a request is rejected as a whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    #[error("Environment {0} does not exist")]
    NoEnvironment(String),
    #[error("request and answer are too large for one object: send fewer seals in a request")]
    TooLarge,
    #[error("the spec does not match this controller's schema: check its fields")]
    InvalidSpec,
}

/// Seals to wrap for the active key.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) environment: Arc<ResolvedEnvironment>,
    pub(super) headers: Vec<SealHeader>,
    active: Recipient,
}

/// The answer to a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// One outcome for each seal, in the same order.
    Outcomes(Vec<ResealOutcome>),
    Refused(Refusal),
}

/// Decides what to do about an unanswered request.
pub(super) fn decide(request: &ReceivedRequest<ResealRequest>, store: &ClusterStore) -> Decision {
    batch(request, store).map_or_else(Decision::Refuse, |batch| {
        batch.map_or(Decision::WaitForKey, Decision::Reseal)
    })
}

/// The seals with their keys; `None` if the environment has no active key.
fn batch(
    request: &ReceivedRequest<ResealRequest>,
    store: &ClusterStore,
) -> Result<Option<Batch>, Refusal> {
    let spec = request.spec.as_ref().map_err(|_| Refusal::InvalidSpec)?;
    let environment = EnvironmentName::parse(spec.environment.as_str())
        .ok()
        .and_then(|name| store.environment(&name))
        .ok_or_else(|| Refusal::NoEnvironment(spec.environment.clone()))?;
    let keys = store.keys_of(environment);
    let active = keys.iter().find(|key| key.state == SealingKeyState::Active);
    Ok(active.map(|active| Batch {
        environment: Arc::clone(environment),
        headers: spec.seals.clone(),
        active: active.stored.sealing_key.recipient().clone(),
    }))
}

impl Batch {
    /// Reseals the seal of this index.
    pub(super) fn reseal(&self, index: usize) -> ResealOutcome {
        match self.wrap(index + 1, &self.headers[index]) {
            Ok(recipient) => ResealOutcome {
                result: ResealResult::Resealed,
                recipient: Some(recipient),
                message: None,
            },
            Err(failure) => ResealOutcome {
                result: result(failure.reason),
                recipient: None,
                message: Some(failure.message),
            },
        }
    }

    /// Namespace and name are part of the authenticated context: with others, the file key does not
    /// decrypt.
    fn wrap(&self, number: usize, header: &SealHeader) -> Result<WrappedFileKey, Failure> {
        let place = SecretRef::parse(header.namespace.as_str(), header.name.as_str())
            .map_err(|error| malformed(&error))?;
        let seal = ParsedSeal::parse(number, &seal(header)).map_err(|error| malformed(&error))?;
        let environment = &self.environment;
        let context = Context::new(header.scope, &environment.name, &place);
        let to = std::slice::from_ref(&self.active);
        match sealing::reseal(&seal, &context, &environment.ring, to) {
            Ok(wrapped) => wrapped.into_iter().next().ok_or_else(|| {
                Failure::new(Reason::Refused, "the file key was wrapped for no recipient")
            }),
            Err(ResealError::Seal(error)) => Err(Failure::new(Reason::Refused, error.to_string())),
            Err(ResealError::Unseal(error)) => Err(plan::refused(&error, environment)),
        }
    }
}

fn malformed(error: &impl Display) -> Failure {
    Failure::new(Reason::Malformed, error.to_string())
}

/// The header as a seal. Resealing needs neither time nor items, and a header has none.
fn seal(header: &SealHeader) -> Seal {
    Seal {
        sealed_at: Timestamp::UNIX_EPOCH.to_string(),
        commitment: header.commitment.clone(),
        recipients: header.recipients.clone(),
        items: [].into(),
    }
}

fn result(reason: Reason) -> ResealResult {
    match reason {
        Reason::Malformed => ResealResult::Malformed,
        Reason::RevokedSealingKey => ResealResult::RevokedSealingKey,
        Reason::UnknownSealingKey => ResealResult::UnknownSealingKey,
        _ => ResealResult::Refused,
    }
}

/// The largest object, in bytes. It must fit into 1.5 MiB of etcd, and the API server adds fields.
const LARGEST_OBJECT: usize = 1_400_000;

impl Answer {
    /// Whether it fits into the object of its request.
    pub(super) fn fits(&self, request: &ReceivedRequest<ResealRequest>) -> bool {
        let spec = request.spec.as_ref().ok();
        let object = serde_json::json!([request.metadata, spec]).to_string();
        let outcomes = serde_json::json!(self.outcomes()).to_string();
        object.len() + outcomes.len() <= LARGEST_OBJECT
    }

    /// The reason of the condition.
    pub(super) fn reason(&self) -> &'static str {
        match self {
            Self::Outcomes(_) => "Answered",
            Self::Refused(Refusal::NoEnvironment(_)) => "NoEnvironment",
            Self::Refused(Refusal::TooLarge) => "TooLarge",
            Self::Refused(Refusal::InvalidSpec) => "Malformed",
        }
    }

    /// The message of the condition.
    pub(super) fn message(&self) -> String {
        match self {
            Self::Outcomes(outcomes) => {
                let resealed = outcomes
                    .iter()
                    .filter(|outcome| outcome.result == ResealResult::Resealed);
                format!("{} of {} seals resealed", resealed.count(), outcomes.len())
            }
            Self::Refused(refusal) => refusal.to_string(),
        }
    }

    /// The status with this answer.
    pub(super) fn status(
        &self,
        request: &ReceivedRequest<ResealRequest>,
        now: Timestamp,
    ) -> ResealRequestStatus {
        let completion = Completion {
            is_answered: matches!(self, Self::Outcomes(_)),
            reason: self.reason(),
            message: self.message(),
        };
        ResealRequestStatus {
            observed_generation: Some(request.generation()),
            conditions: vec![complete(request, completion, now)],
            seals: self.outcomes().to_vec(),
        }
    }

    fn outcomes(&self) -> &[ResealOutcome] {
        match self {
            Self::Outcomes(outcomes) => outcomes,
            Self::Refused(_) => &[],
        }
    }
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Vec<ResealOutcome>> for Answer {
    fn from(outcomes: Vec<ResealOutcome>) -> Self {
        Self::Outcomes(outcomes)
    }
}

#[cfg(test)]
mod tests;
