//! The decision about one ValueReview, and its status. Pure.
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
    request::{Completion, complete},
    sealed_secret::{outcome::Failure, plan},
    status::reason::Reason,
    store::{ClusterStore, ResolvedEnvironment, objects::ReceivedRequest},
};

/// What to do about a ValueReview.
#[derive(Debug)]
pub(super) enum Decision {
    Refuse(Refusal),
    /// Find the values that are in more than one Secret.
    Reuse,
    /// Find the Secrets that hold one value.
    Trace(Tracing),
}

/// Why a ValueReview is rejected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    #[error("Environment {0} does not exist")]
    NoEnvironment(String),
    #[error("the fingerprint key does not exist yet: try again, or check the controller's log")]
    NoFingerprintKey,
    #[error("too many ValueReviews: try again in {} s", in_seconds(*.0))]
    RateLimited(Duration),
    #[error("values of less than {COMPARABLE_BYTES} bytes are not traced: they could be guessed")]
    TooShort,
    #[error("the value was not decrypted: {}", .0.message)]
    Unopened(Failure),
    #[error("the spec does not match this controller's schema: set either reuse or trace")]
    InvalidSpec,
}

/// Rounded up: a retry after this many whole seconds is not too early.
fn in_seconds(wait: Duration) -> u64 {
    wait.as_millis()
        .div_ceil(1000)
        .try_into()
        .unwrap_or(u64::MAX)
}

/// A value to trace.
#[derive(Debug)]
pub(super) struct Tracing {
    pub(super) environment: Arc<ResolvedEnvironment>,
    pub(super) seal: SealedValue,
    fingerprint_key: Arc<FingerprintKey>,
}

/// The answer to a ValueReview.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Found(Places<ReportedPlaces>),
    Refused(Refusal),
    Reused(Places<Vec<ReportedPlaces>>),
}

/// The items that were found, up to a limit.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Places<T> {
    reported: T,
    /// The number of all values or items.
    count: usize,
    /// Whether some are omitted.
    is_cut: bool,
    /// The number of Secrets that could not be compared.
    unknown: usize,
}

/// Decides what to do about an unanswered ValueReview.
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

/// The question, as a label value.
pub(super) fn question(request: &ReceivedRequest<ValueReview>) -> &'static str {
    let spec = request.spec.as_ref().ok();
    match spec.map(|spec| (&spec.reuse, &spec.trace)) {
        Some((Some(_), None)) => "reuse",
        Some((None, Some(_))) => "trace",
        _ => "unreadable",
    }
}

impl Tracing {
    /// The fingerprints of the value.
    pub(super) fn open(&self) -> Result<[Fingerprint; 2], Refusal> {
        let environment = &self.environment;
        let value = open_traced(&self.seal, &environment.name, &environment.ring)
            .map_err(|error| Refusal::Unopened(plan::refused(&error, environment)))?;
        let fingerprints = self.fingerprint_key.of_traced(&value);
        fingerprints.ok_or(Refusal::TooShort)
    }
}

/// Most items in an answer. With the longest names, one has 700 bytes, and an object must fit into
/// 1.5 MiB of etcd.
const MOST_PLACES: usize = 1_000;

impl Answer {
    pub(super) fn found(index: &ValueIndex, fingerprints: &[Fingerprint]) -> Self {
        let reported = index.places_of(fingerprints, MOST_PLACES);
        Self::Found(Places {
            is_cut: reported.is_cut(),
            count: reported.count,
            reported,
            unknown: index.unknown,
        })
    }

    pub(super) fn reused(mut index: ValueIndex) -> Self {
        let mut groups = index.reused();
        let count = groups.len();
        let mut left = MOST_PLACES;
        groups.retain(|group| {
            let remaining = left.checked_sub(group.places.len());
            left = remaining.unwrap_or_default();
            remaining.is_some()
        });
        Self::Reused(Places {
            is_cut: groups.len() < count || groups.iter().any(ReportedPlaces::is_cut),
            reported: groups,
            count,
            unknown: index.unknown,
        })
    }

    /// The number of items that have the traced value.
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
            Self::Found(places) => places.message("the value is in", "place"),
            Self::Refused(refusal) => refusal.to_string(),
            Self::Reused(groups) => groups.message("reused:", "value"),
        }
    }

    /// The status with this answer.
    pub(super) fn status(
        &self,
        request: &ReceivedRequest<ValueReview>,
        now: Timestamp,
    ) -> ValueReviewStatus {
        let completion = Completion {
            is_answered: !matches!(self, Self::Refused(_)),
            reason: self.reason(),
            message: self.message(),
        };
        let mut status = ValueReviewStatus {
            observed_generation: Some(request.generation()),
            conditions: vec![complete(request, completion, now)],
            ..ValueReviewStatus::default()
        };
        match self {
            Self::Found(found) => status.found.clone_from(&found.reported.places),
            Self::Refused(_) => {}
            Self::Reused(groups) => {
                let groups = groups.reported.iter();
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
            message.push_str("; not all are listed");
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
