//! What is told about an outcome: status, event, and when to look again. Pure.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use sealing::resource::{SealStatus, SealedSecretStatus};

use super::plan::Observed;
use crate::{
    backoff::Requeue,
    sealed_secret::outcome::{Outcome, Written},
    status::{
        conditions::{State, Verdict, ready_condition},
        reason::Reason,
    },
    telemetry::events::EventMessage,
};

/// What is told.
#[derive(Debug, PartialEq)]
pub(super) struct Report {
    /// Absent when it says what is said already.
    pub(super) status: Option<SealedSecretStatus>,
    /// Absent when there is no news.
    pub(super) event_message: Option<EventMessage>,
    pub(super) next: Requeue,
}

/// Decides what is told about an outcome.
pub(super) fn report(observed: &Observed, outcome: Outcome, now: Timestamp) -> Report {
    let previous = &observed.status;
    let generation = observed.object.generation();
    let (reason, message) = match &outcome {
        Ok(written) => (Reason::Unsealed, written.message.clone()),
        Err(failure) => (failure.reason, failure.message.clone()),
    };
    let verdict = Verdict {
        state: reason.state(),
        reason: reason.as_str(),
        message: &message,
        generation,
    };
    let is_news = ready_condition(&previous.conditions, generation)
        .is_none_or(|said| said.reason != verdict.reason || said.message != message);
    let status = status(previous, outcome, &verdict, now);
    Report {
        event_message: is_news.then(|| event_message(reason, message)).flatten(),
        status: (status != *previous).then_some(status),
        next: reason.next(),
    }
}

/// What was written last stays in the record when nothing is written now.
fn status(
    previous: &SealedSecretStatus,
    outcome: Outcome,
    verdict: &Verdict<'_>,
    now: Timestamp,
) -> SealedSecretStatus {
    let record = match outcome {
        Ok(written) => written_record(written),
        Err(_) => previous.clone(),
    };
    SealedSecretStatus {
        observed_generation: Some(verdict.generation),
        conditions: verdict.conditions(&previous.conditions, now),
        ..record
    }
}

fn written_record(written: Written) -> SealedSecretStatus {
    let opened_by = written.opened_by.iter();
    let seals = opened_by.map(|id| SealStatus {
        opened_by: id.to_string(),
    });
    let compared_since = written.compared.as_ref().map(|it| Time(it.since));
    SealedSecretStatus {
        seals: seals.collect(),
        unchanged: written.compared.map(|it| it.unchanged).unwrap_or_default(),
        compared_since,
        secret: Some(written.secret),
        ..SealedSecretStatus::default()
    }
}

fn event_message(reason: Reason, message: String) -> Option<EventMessage> {
    match reason.state() {
        State::Done => Some(EventMessage::normal(reason.as_str(), message)),
        State::Progressing => None,
        State::Retrying | State::Stalled => Some(EventMessage::warning(reason.as_str(), message)),
    }
}

#[cfg(test)]
mod tests;
