//! The four states and their conditions. kstatus, Flux and Argo CD read only these combinations the
//! same way.
//!
//! It depends on no reason and no kind, so SealedSecrets and Environments share it.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use prometheus_client::encoding::EncodeLabelValue;

/// The state that an object's conditions express.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
pub enum State {
    /// The object is reconciled.
    Done,
    /// The controller waits for something that is about to happen.
    Progressing,
    /// A transient error. The controller retries.
    Retrying,
    /// Nothing happens until a person changes something.
    Stalled,
}

const SYNCED: &str = "Synced";
const READY: &str = "Ready";

impl State {
    /// Types and statuses of its conditions. `Synced` is first: printer columns and Argo CD's
    /// script read it.
    fn conditions(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Done => &[(SYNCED, "True"), (READY, "True")],
            Self::Progressing => &[
                (SYNCED, "Unknown"),
                (READY, "Unknown"),
                ("Reconciling", "True"),
            ],
            Self::Retrying => &[
                (SYNCED, "Unknown"),
                (READY, "False"),
                ("Reconciling", "True"),
            ],
            Self::Stalled => &[(SYNCED, "False"), (READY, "False"), ("Stalled", "True")],
        }
    }
}

/// The input for the conditions of one object.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ObjectState<'a> {
    pub(crate) state: State,
    pub(crate) reason: &'a str,
    pub(crate) message: &'a str,
    /// The generation that was reconciled.
    pub(crate) generation: i64,
}

impl ObjectState<'_> {
    /// The conditions, with `Synced` first. As the Kubernetes API conventions require,
    /// `lastTransitionTime` changes only when the status of a condition does.
    pub(crate) fn conditions(&self, previous: &[Condition], now: Timestamp) -> Vec<Condition> {
        self.state
            .conditions()
            .iter()
            .map(|&(type_, status)| Condition {
                last_transition_time: time_of(type_, status, previous).unwrap_or(Time(now)),
                message: self.message.to_owned(),
                observed_generation: Some(self.generation),
                reason: self.reason.to_owned(),
                status: status.to_owned(),
                type_: type_.to_owned(),
            })
            .collect()
    }

    /// The conditions without `Synced`, for objects that are not synced into others.
    pub(crate) fn conditions_without_synced(
        &self,
        previous: &[Condition],
        now: Timestamp,
    ) -> Vec<Condition> {
        let mut conditions = self.conditions(previous, now);
        conditions.retain(|condition| condition.type_ != SYNCED);
        conditions
    }
}

fn time_of(type_: &str, status: &str, previous: &[Condition]) -> Option<Time> {
    previous
        .iter()
        .find(|condition| condition.type_ == type_ && condition.status == status)
        .map(|condition| condition.last_transition_time.clone())
}

/// The condition `Ready`, if it describes `generation`.
pub(crate) fn ready_condition(conditions: &[Condition], generation: i64) -> Option<&Condition> {
    conditions.iter().find(|condition| {
        condition.type_ == READY && condition.observed_generation == Some(generation)
    })
}

/// The state that conditions express; `None` for other combinations.
pub(crate) fn state_of(conditions: &[Condition]) -> Option<State> {
    let says = |type_: &str, status: &str| {
        conditions
            .iter()
            .any(|condition| condition.type_ == type_ && condition.status == status)
    };
    [
        State::Done,
        State::Progressing,
        State::Retrying,
        State::Stalled,
    ]
    .into_iter()
    .find(|state| {
        state
            .conditions()
            .iter()
            .all(|(type_, status)| says(type_, status))
    })
}

#[cfg(test)]
mod tests;
