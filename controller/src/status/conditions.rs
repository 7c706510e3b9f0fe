//! The four states and their conditions: the only combinations that kstatus, Flux and Argo CD all
//! read the same way.
//!
//! It knows neither reasons nor objects, so that SealedSecrets and Environments share it.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use prometheus_client::encoding::EncodeLabelValue;

/// What an object's conditions say as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
pub enum State {
    /// All is as the object says.
    Done,
    /// On its way.
    Progressing,
    /// A transient error; it is being tried again.
    Retrying,
    /// Nothing will happen before somebody changes something.
    Stalled,
}

const SYNCED: &str = "Synced";
const READY: &str = "Ready";

impl State {
    /// Types and statuses of its conditions. `Synced` stands first: printer columns and Argo CD's
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

/// What the conditions of one object are to say.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Verdict<'a> {
    pub(crate) state: State,
    pub(crate) reason: &'a str,
    pub(crate) message: &'a str,
    /// The generation that was looked at.
    pub(crate) generation: i64,
}

impl Verdict<'_> {
    /// The conditions, with `Synced` first. The time of a condition moves only when its status does.
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

    /// The same without `Synced`, for objects that nothing is synced from.
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

/// What conditions say about `generation`, and nothing when they speak of another one.
pub(crate) fn ready_condition(conditions: &[Condition], generation: i64) -> Option<&Condition> {
    conditions.iter().find(|condition| {
        condition.type_ == READY && condition.observed_generation == Some(generation)
    })
}

/// The state that conditions stand for, if they are a combination of ours.
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
