//! The whole decision about one ResealRequest. Pure: it takes what was read and returns what to do,
//! and turns outcomes into a status.
//!
//! [`decide`] costs no private-key operation; [`Batch::reseal`] costs one.

use std::{fmt::Display, sync::Arc, time::Duration};

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use sealing::{
    Context, EnvironmentName, Place, Recipient, ResealError,
    envelope::native::ParsedSeal,
    resource::{
        ResealOutcome, ResealRequestStatus, ResealResult, Seal, SealHeader, SealingKeyState,
        WrappedFileKey,
    },
};

use crate::{
    outcome::{Next, Obstacle, Reason},
    received::ReceivedResealRequest,
    reconcile::plan,
    surroundings::{KnownEnvironment, Surroundings},
};

/// What is to be done about a request.
#[derive(Debug)]
pub(super) enum Decision {
    /// Its time is over.
    Delete,
    /// It is answered, or being deleted: look again then.
    Leave(Next),
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
    Unreadable,
}

/// Seals to be wrapped for the active key.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) environment: Arc<KnownEnvironment>,
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

/// Decides what is to be done. What was answered once is never answered again.
pub(super) fn decide(
    request: &ReceivedResealRequest,
    surroundings: &Surroundings,
    time_to_live: Duration,
    now: Timestamp,
) -> Decision {
    let left = remaining_time(request, time_to_live, now);
    if request.is_being_deleted() {
        Decision::Leave(Next::OnChange)
    } else if left.is_zero() {
        Decision::Delete
    } else if answered_at(request).is_some() {
        Decision::Leave(Next::After(left))
    } else {
        batch(request, surroundings).map_or_else(Decision::Refuse, |batch| {
            batch.map_or(Decision::WaitForKey, Decision::Reseal)
        })
    }
}

/// Until it is to be deleted, counted from its answer, or from its creation when it has none.
fn remaining_time(
    request: &ReceivedResealRequest,
    time_to_live: Duration,
    now: Timestamp,
) -> Duration {
    let created_at = || request.metadata.creation_timestamp.as_ref().map(|it| it.0);
    let since = answered_at(request).or_else(created_at).unwrap_or(now);
    let age = Duration::try_from(now.duration_since(since)).unwrap_or_default();
    time_to_live.saturating_sub(age)
}

fn answered_at(request: &ReceivedResealRequest) -> Option<Timestamp> {
    let complete = request.status.as_ref()?.complete()?;
    Some(complete.last_transition_time.0)
}

/// The seals with what they need, if the environment has an active key.
fn batch(
    request: &ReceivedResealRequest,
    surroundings: &Surroundings,
) -> Result<Option<Batch>, Refusal> {
    let spec = request.spec.as_ref().map_err(|_| Refusal::Unreadable)?;
    let environment = EnvironmentName::parse(spec.environment.as_str())
        .ok()
        .and_then(|name| surroundings.environment(&name))
        .ok_or_else(|| Refusal::NoEnvironment(spec.environment.clone()))?;
    let keys = surroundings.keys_of(environment);
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
            Err(obstacle) => ResealOutcome {
                result: result(obstacle.reason),
                recipient: None,
                message: Some(obstacle.message),
            },
        }
    }

    /// Where the seal stands is part of its context: with another place, the file key does not open.
    fn wrap(&self, number: usize, header: &SealHeader) -> Result<WrappedFileKey, Obstacle> {
        let place = Place::parse(header.namespace.as_str(), header.name.as_str())
            .map_err(|error| malformed(&error))?;
        let seal = ParsedSeal::parse(number, &seal(header)).map_err(|error| malformed(&error))?;
        let environment = &self.environment;
        let context = Context::new(header.scope, &environment.name, &place);
        let to = std::slice::from_ref(&self.active);
        match sealing::reseal(&seal, &context, &environment.ring, to) {
            Ok(wrapped) => wrapped
                .into_iter()
                .next()
                .ok_or_else(|| Obstacle::new(Reason::Refused, "it was wrapped for nobody")),
            Err(ResealError::Seal(error)) => Err(Obstacle::new(Reason::Refused, error.to_string())),
            Err(ResealError::Unseal(error)) => Err(plan::refused(&error, environment)),
        }
    }
}

fn malformed(error: &impl Display) -> Obstacle {
    Obstacle::new(Reason::Malformed, error.to_string())
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
    pub(super) fn fits(&self, request: &ReceivedResealRequest) -> bool {
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
            Self::Refused(Refusal::Unreadable) => "Malformed",
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
        request: &ReceivedResealRequest,
        now: Timestamp,
    ) -> ResealRequestStatus {
        let generation = Some(request.generation());
        let is_complete = matches!(self, Self::Outcomes(_));
        let complete = Condition {
            type_: ResealRequestStatus::COMPLETE.to_owned(),
            status: if is_complete { "True" } else { "False" }.to_owned(),
            reason: self.reason().to_owned(),
            message: self.message(),
            last_transition_time: Time(now),
            observed_generation: generation,
        };
        ResealRequestStatus {
            observed_generation: generation,
            conditions: vec![complete],
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
