//! The whole decision about one ResealRequest. Pure: it takes what was read and returns what to do,
//! and turns outcomes into a status.
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
    request::{Verdict, complete},
    sealed_secret::{outcome::Failure, plan},
    status::reason::Reason,
    store::{ClusterStore, ResolvedEnvironment, objects::ReceivedRequest},
};

/// What is to be done about a request.
#[derive(Debug)]
pub(super) enum Decision {
    /// Nothing of it can be answered.
    Refuse(Refusal),
    /// Its seals are to be resealed.
    Reseal(Batch),
    /// Its environment has no active key at the moment.
    WaitForKey,
}

/// Why a request is refused as a whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    #[error("there is no Environment {0}")]
    NoEnvironment(String),
    #[error("request and answer do not fit into one object: ask for fewer seals at a time")]
    TooLarge,
    #[error("its spec is not one that this version can read")]
    InvalidSpec,
}

/// Seals to be wrapped for the active key.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) environment: Arc<ResolvedEnvironment>,
    pub(super) headers: Vec<SealHeader>,
    active: Recipient,
}

/// What a request is told.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// One outcome for each seal, in their order.
    Outcomes(Vec<ResealOutcome>),
    Refused(Refusal),
}

/// Decides what is to be done about a request that nobody has answered.
pub(super) fn decide(request: &ReceivedRequest<ResealRequest>, store: &ClusterStore) -> Decision {
    batch(request, store).map_or_else(Decision::Refuse, |batch| {
        batch.map_or(Decision::WaitForKey, Decision::Reseal)
    })
}

/// The seals with what they need, if the environment has an active key.
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
    let active = keys
        .iter()
        .find(|fact| fact.state == SealingKeyState::Active);
    Ok(active.map(|fact| Batch {
        environment: Arc::clone(environment),
        headers: spec.seals.clone(),
        active: fact.known.sealing_key.recipient().clone(),
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

    /// Where the seal stands is part of its context: with another place, the file key does not open.
    fn wrap(&self, number: usize, header: &SealHeader) -> Result<WrappedFileKey, Failure> {
        let place = SecretRef::parse(header.namespace.as_str(), header.name.as_str())
            .map_err(|error| malformed(&error))?;
        let seal = ParsedSeal::parse(number, &seal(header)).map_err(|error| malformed(&error))?;
        let environment = &self.environment;
        let context = Context::new(header.scope, &environment.name, &place);
        let to = std::slice::from_ref(&self.active);
        match sealing::reseal(&seal, &context, &environment.ring, to) {
            Ok(wrapped) => wrapped
                .into_iter()
                .next()
                .ok_or_else(|| Failure::new(Reason::Refused, "it was wrapped for nobody")),
            Err(ResealError::Seal(error)) => Err(Failure::new(Reason::Refused, error.to_string())),
            Err(ResealError::Unseal(error)) => Err(plan::refused(&error, environment)),
        }
    }
}

fn malformed(error: &impl Display) -> Failure {
    Failure::new(Reason::Malformed, error.to_string())
}

/// A header has neither time nor items, and resealing looks at none.
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

/// An object with all its parts has to fit into 1.5 MiB of etcd; the API server adds a little to it.
const LARGEST_OBJECT: usize = 1_400_000;

impl Answer {
    /// Whether it fits into the request that it answers.
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

    /// The status that tells it.
    pub(super) fn status(
        &self,
        request: &ReceivedRequest<ResealRequest>,
        now: Timestamp,
    ) -> ResealRequestStatus {
        let verdict = Verdict {
            is_answered: matches!(self, Self::Outcomes(_)),
            reason: self.reason(),
            message: self.message(),
        };
        ResealRequestStatus {
            observed_generation: Some(request.generation()),
            conditions: vec![complete(request, verdict, now)],
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
