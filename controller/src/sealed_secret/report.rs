//! The report of an outcome: status, event, and when to reconcile again. Pure.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use sealing::resource::{SealStatus, SealedSecretStatus};

use super::plan::Observed;
use crate::{
    backoff::Requeue,
    sealed_secret::outcome::{Outcome, Written},
    status::{
        conditions::{ObjectState, State, ready_condition},
        reason::Reason,
    },
    telemetry::events::EventMessage,
};

/// What to write about an outcome.
#[derive(Debug, PartialEq)]
pub(super) struct Report {
    /// Absent when the status does not change.
    pub(super) status: Option<SealedSecretStatus>,
    /// Absent when the condition does not change.
    pub(super) event_message: Option<EventMessage>,
    pub(super) next: Requeue,
}

/// Decides what to write about an outcome.
pub(super) fn report(observed: &Observed, outcome: Outcome, now: Timestamp) -> Report {
    let previous = &observed.status;
    let generation = observed.object.generation();
    let (reason, message) = match &outcome {
        Ok(written) => (Reason::Unsealed, written.message.clone()),
        Err(failure) => (failure.reason, failure.message.clone()),
    };
    let object_state = ObjectState {
        state: reason.state(),
        reason: reason.as_str(),
        message: &message,
        generation,
    };
    let is_news = ready_condition(&previous.conditions, generation)
        .is_none_or(|ready| ready.reason != object_state.reason || ready.message != message);
    let status = status(previous, outcome, &object_state, now);
    Report {
        event_message: is_news.then(|| event_message(reason, message)).flatten(),
        status: (status != *previous).then_some(status),
        next: reason.next(),
    }
}

/// The new status. A failure keeps the record of the Secret that was written last.
fn status(
    previous: &SealedSecretStatus,
    outcome: Outcome,
    object_state: &ObjectState<'_>,
    now: Timestamp,
) -> SealedSecretStatus {
    let record = match outcome {
        Ok(written) => written_record(written),
        Err(_) => previous.clone(),
    };
    SealedSecretStatus {
        observed_generation: Some(object_state.generation),
        conditions: object_state.conditions(&previous.conditions, now),
        ..record
    }
}

fn written_record(written: Written) -> SealedSecretStatus {
    let opened_by = written.opened_by.iter();
    let seals = opened_by.map(|id| SealStatus {
        opened_by: id.to_string(),
    });
    let compared_since = written
        .compared
        .as_ref()
        .map(|compared| Time(compared.since));
    SealedSecretStatus {
        seals: seals.collect(),
        unchanged: written
            .compared
            .map(|compared| compared.unchanged)
            .unwrap_or_default(),
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
