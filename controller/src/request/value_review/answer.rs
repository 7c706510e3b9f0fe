//! The whole decision about one ValueReview. Pure: it takes what was read and returns what to do, and
//! turns what was found into a status.
//!
//! [`decide`] costs no private-key operation; [`Tracing::open`] costs one.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use sealing::{
    COMPARABLE_BYTES, EnvironmentName, Fingerprint, FingerprintKey, open_traced,
    resource::{SealedValue, ValueReview, ValueReviewStatus},
};

use crate::{
    fingerprint::reuse::{ReportedPlaces, ValueIndex},
    request::{Verdict, complete},
    sealed_secret::{outcome::Failure, plan},
    status::reason::Reason,
    store::{ClusterStore, ResolvedEnvironment, objects::ReceivedRequest},
};

/// What is to be done about an ValueReview.
#[derive(Debug)]
pub(super) enum Decision {
    Refuse(Refusal),
    /// Values that stand in more than one Secret are asked for.
    Reuse,
    /// A value is asked for.
    Trace(Tracing),
}

/// Why an ValueReview is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    #[error("there is no Environment {0}")]
    NoEnvironment(String),
    #[error("there is no fingerprint key at the moment: try again, or see the controller's log")]
    NoFingerprintKey,
    #[error("too many questions were asked: try again in {} s", in_seconds(*.0))]
    RateLimited(Duration),
    #[error("a value of less than {COMPARABLE_BYTES} bytes is not traced: it could be guessed")]
    TooShort,
    #[error("the value did not open: {}", .0.message)]
    Unopened(Failure),
    #[error("its spec is not one that this version can read, or asks not just one question")]
    InvalidSpec,
}

/// Whoever comes after so many whole seconds does not come too early.
fn in_seconds(wait: Duration) -> u64 {
    wait.as_millis()
        .div_ceil(1000)
        .try_into()
        .unwrap_or(u64::MAX)
}

/// A value that is to be traced.
#[derive(Debug)]
pub(super) struct Tracing {
    pub(super) environment: Arc<ResolvedEnvironment>,
    pub(super) seal: SealedValue,
    fingerprint_key: Arc<FingerprintKey>,
}

/// What an ValueReview is told.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Found(Places<ReportedPlaces>),
    Refused(Refusal),
    Reused(Places<Vec<ReportedPlaces>>),
}

/// What was found, as much of it as is told.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Places<T> {
    told: T,
    /// How many values or places there are in all.
    count: usize,
    /// Whether some are left out.
    is_cut: bool,
    /// Secrets that could not be compared.
    unknown: usize,
}

/// Decides what is to be done about an ValueReview that nobody has answered.
pub(super) fn decide(request: &ReceivedRequest<ValueReview>, store: &ClusterStore) -> Decision {
    choose(request, store).unwrap_or_else(Decision::Refuse)
}

fn choose(
    request: &ReceivedRequest<ValueReview>,
    store: &ClusterStore,
) -> Result<Decision, Refusal> {
    let spec = request.spec.as_ref().map_err(|_| Refusal::InvalidSpec)?;
    let fingerprint_key = store.fingerprint_key();
    let fingerprint_key = fingerprint_key.ok_or(Refusal::NoFingerprintKey)?;
    let trace = match (&spec.reuse, &spec.trace) {
        (Some(_), None) => return Ok(Decision::Reuse),
        (None, Some(trace)) => trace,
        _ => return Err(Refusal::InvalidSpec),
    };
    let environment = EnvironmentName::parse(trace.environment.as_str())
        .ok()
        .and_then(|name| store.environment(&name))
        .ok_or_else(|| Refusal::NoEnvironment(trace.environment.clone()))?;
    Ok(Decision::Trace(Tracing {
        environment: Arc::clone(environment),
        seal: trace.seal.clone(),
        fingerprint_key: Arc::clone(fingerprint_key),
    }))
}

/// What is asked, as metrics name it.
pub(super) fn question(request: &ReceivedRequest<ValueReview>) -> &'static str {
    let spec = request.spec.as_ref().ok();
    match spec.map(|spec| (&spec.reuse, &spec.trace)) {
        Some((Some(_), None)) => "reuse",
        Some((None, Some(_))) => "trace",
        _ => "unreadable",
    }
}

impl Tracing {
    /// The fingerprints that the value has wherever it stands.
    pub(super) fn open(&self) -> Result<[Fingerprint; 2], Refusal> {
        let environment = &self.environment;
        let value = open_traced(&self.seal, &environment.name, &environment.ring)
            .map_err(|error| Refusal::Unopened(plan::refused(&error, environment)))?;
        let fingerprints = self.fingerprint_key.of_traced(&value);
        fingerprints.ok_or(Refusal::TooShort)
    }
}

/// Places of an answer. The longest names make 700 bytes of one, and an object has to fit into
/// 1.5 MiB of etcd.
const MOST_PLACES: usize = 1_000;

impl Answer {
    pub(super) fn found(standing: &ValueIndex, fingerprints: &[Fingerprint]) -> Self {
        let told = standing.places_of(fingerprints, MOST_PLACES);
        Self::Found(Places {
            is_cut: told.is_cut(),
            count: told.count,
            told,
            unknown: standing.unknown,
        })
    }

    pub(super) fn reused(mut standing: ValueIndex) -> Self {
        let mut groups = standing.reused();
        let count = groups.len();
        let mut room = MOST_PLACES;
        groups.retain(|group| {
            let left = room.checked_sub(group.places.len());
            room = left.unwrap_or_default();
            left.is_some()
        });
        Self::Reused(Places {
            is_cut: groups.len() < count || groups.iter().any(ReportedPlaces::is_cut),
            told: groups,
            count,
            unknown: standing.unknown,
        })
    }

    /// How many places of a value were found.
    pub(super) fn places(&self) -> usize {
        match self {
            Self::Found(places) => places.count,
            Self::Refused(_) | Self::Reused(_) => 0,
        }
    }

    /// The reason of the condition.
    pub(super) fn reason(&self) -> &'static str {
        match self {
            Self::Found(_) | Self::Reused(_) => "Answered",
            Self::Refused(refusal) => match refusal {
                Refusal::NoEnvironment(_) => Reason::NoEnvironment.as_str(),
                Refusal::NoFingerprintKey => "NoFingerprintKey",
                Refusal::RateLimited(_) => "RateLimited",
                Refusal::TooShort => "TooShort",
                Refusal::Unopened(failure) => failure.reason.as_str(),
                Refusal::InvalidSpec => Reason::Malformed.as_str(),
            },
        }
    }

    /// The message of the condition.
    pub(super) fn message(&self) -> String {
        match self {
            Self::Found(places) => places.message("the value stands in", "place"),
            Self::Refused(refusal) => refusal.to_string(),
            Self::Reused(groups) => groups.message("reused:", "value"),
        }
    }

    /// The status that tells it.
    pub(super) fn status(
        &self,
        request: &ReceivedRequest<ValueReview>,
        now: Timestamp,
    ) -> ValueReviewStatus {
        let verdict = Verdict {
            is_answered: !matches!(self, Self::Refused(_)),
            reason: self.reason(),
            message: self.message(),
        };
        let mut status = ValueReviewStatus {
            observed_generation: Some(request.generation()),
            conditions: vec![complete(request, verdict, now)],
            ..ValueReviewStatus::default()
        };
        match self {
            Self::Found(found) => status.found.clone_from(&found.told.places),
            Self::Refused(_) => {}
            Self::Reused(groups) => {
                let groups = groups.told.iter();
                status.reused = groups.map(|group| group.places.clone()).collect();
            }
        }
        status
    }
}

impl<T> Places<T> {
    fn message(&self, what: &str, unit: &str) -> String {
        let mut message = match self.count {
            1 => format!("{what} 1 {unit}"),
            count => format!("{what} {count} {unit}s"),
        };
        if self.is_cut {
            message.push_str("; not all are told");
        }
        let unknown = match self.unknown {
            0 => return message,
            1 => "1 Secret".to_owned(),
            unknown => format!("{unknown} Secrets"),
        };
        message + "; " + &unknown + " could not be compared"
    }
}

#[cfg(test)]
mod tests;
