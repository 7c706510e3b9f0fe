//! The state of an exposed item: decided from its entry in the list, from the present files, and
//! from the status of its SealedSecret in the cluster.

use jiff::{SignedDuration, Timestamp};
use sealing::resource::SealedSecret;
use serde::Serialize;

use super::list::{Entry, Evidence, List};
use crate::{
    manifest::{Edit, New, Operation, Step},
    project::Day,
    repository::inventory::{self, Occurrence},
};

/// The state of an exposed item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) enum State {
    /// A person confirmed that the old value is revoked.
    Confirmed,
    /// No manifest has it any longer, and its value may still be valid at the provider.
    Gone,
    /// Its seal has a time in the future.
    InFuture,
    /// It was sealed before the person left.
    NotRotated,
    /// It is in the kubeseal format, whose text may change without the value.
    Bitnami,
    /// Its value was rotated.
    Rotated(Timestamp, Evidence),
    /// Its sealed text is one that the person could have read.
    SameText,
    /// The controller reports that it was sealed again with its old value.
    Unchanged,
}

impl State {
    /// Whether nothing is left to do.
    pub(crate) fn is_done(self) -> bool {
        matches!(self, Self::Confirmed | Self::Rotated(..))
    }

    /// Whether only a person can confirm that it is done.
    pub(crate) fn needs_confirmation(self) -> bool {
        matches!(self, Self::Gone | Self::Bitnami)
    }
}

/// What the cluster reports about a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClusterEvidence {
    /// It is not the exposed value.
    Differs,
    /// Nothing.
    Silent,
    /// It is the exposed value.
    Unchanged,
}

/// The largest difference between clocks that is accepted.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

/// Decides the state of an item with these occurrences in the files.
pub(crate) fn judge(
    entry: &Entry,
    occurrences: &[Occurrence],
    evidence: &[ClusterEvidence],
    now: Timestamp,
) -> State {
    // The order matters. A sealed text that was exposed proves the old value, whatever time its
    // seal has: anyone who can edit the file can write that time.
    let is_exposed =
        |occurrence: &Occurrence| entry.exposed_tags.contains(&occurrence.sealed.tag_suffix);
    if occurrences.iter().any(is_exposed) {
        return State::SameText;
    }
    let is_unchanged =
        |occurrence: &Occurrence| entry.unchanged.as_ref() == Some(&occurrence.sealed.tag_suffix);
    if occurrences.iter().any(is_unchanged) {
        return State::Unchanged;
    }
    let sealed: Option<Vec<_>> = occurrences
        .iter()
        .map(|occurrence| occurrence.sealed.sealed_at)
        .collect();
    // An item in several files is as old as the oldest of its seals. A confirmation counts for the
    // texts of that day only, and for a native item only after it was removed.
    match (sealed, entry.confirmed, entry.rotated) {
        (None, Some(_), _) if entry.confirmed_text == Some(texts(occurrences)) => State::Confirmed,
        (None, ..) => State::Bitnami,
        (Some(times), Some(_), _) if times.is_empty() => State::Confirmed,
        (Some(times), None, Some(at)) if times.is_empty() => {
            State::Rotated(at, entry.known_by.unwrap_or(Evidence::Seal))
        }
        (Some(times), ..) => match (times.iter().min(), times.iter().max()) {
            (Some(_), Some(latest)) if *latest > now + SKEW => State::InFuture,
            (Some(earliest), _) if *earliest > entry.since => rotated(entry, *earliest, evidence),
            (Some(_), _) => State::NotRotated,
            (None, _) => State::Gone,
        },
    }
}

/// The tag suffixes of an item's texts, as a confirmation records them.
pub(super) fn texts(occurrences: &[Occurrence]) -> String {
    let mut tag_suffixes: Vec<&str> = occurrences
        .iter()
        .map(|occurrence| &*occurrence.sealed.tag_suffix)
        .collect();
    tag_suffixes.sort_unstable();
    tag_suffixes.dedup();
    tag_suffixes.join(" ")
}

fn rotated(entry: &Entry, at: Timestamp, evidence: &[ClusterEvidence]) -> State {
    if evidence.contains(&ClusterEvidence::Unchanged) {
        return State::Unchanged;
    }
    let all_differ = !evidence.is_empty()
        && evidence
            .iter()
            .all(|evidence| *evidence == ClusterEvidence::Differs);
    let was_reported = entry.rotated == Some(at) && entry.known_by == Some(Evidence::Controller);
    let evidence = if all_differ || was_reported {
        Evidence::Controller
    } else {
        Evidence::Seal
    };
    State::Rotated(at, evidence)
}

/// What the status of a SealedSecret reports about an item. It counts only if the controller has
/// finished the present spec, and if the spec has the same sealed text as the files.
pub(crate) fn cluster_evidence(
    live: &SealedSecret,
    item: &str,
    tag_suffix: &str,
    since: Timestamp,
) -> ClusterEvidence {
    let mut seals = live.spec.seals.iter();
    let text = seals.find_map(|seal| seal.items.get(item));
    let has_text = text.is_some_and(|text| inventory::tag_suffix(text) == tag_suffix);
    let Some(status) = live.status.as_ref().filter(|_| has_text) else {
        return ClusterEvidence::Silent;
    };
    let is_current = status.observed_generation.is_some()
        && status.observed_generation == live.metadata.generation;
    let is_ready = |condition: &_| matches!(condition, ("Ready", "True"));
    let mut conditions = status.conditions.iter();
    if !is_current
        || !conditions
            .any(|condition| is_ready(&(condition.type_.as_str(), condition.status.as_str())))
    {
        return ClusterEvidence::Silent;
    }
    let given = status
        .unchanged
        .iter()
        .find(|unchanged| unchanged.item == item);
    let is_compared = status
        .compared_since
        .as_ref()
        .is_some_and(|time| time.0 <= since);
    // The controller may know a value from before that is newer than the person's access.
    let is_later = |text: &str| text.parse::<Timestamp>().is_ok_and(|at| at > since);
    match given {
        Some(unchanged) if !is_later(&unchanged.since) => ClusterEvidence::Unchanged,
        _ if is_compared => ClusterEvidence::Differs,
        _ => ClusterEvidence::Silent,
    }
}

/// The fields of a list that have to change. A mark that no longer holds is removed.
pub(crate) fn marks(list: &List, states: &[State], today: Day) -> Vec<Edit<'static>> {
    let mut edits = Vec::new();
    for (index, (entry, state)) in list.items.iter().zip(states).enumerate() {
        match state {
            State::Rotated(at, evidence)
                if entry.rotated.is_none() || entry.known_by < Some(*evidence) =>
            {
                edits.push(set_in_item(index, "rotated", New::Quoted(at.to_string())));
                let evidence = New::Plain(evidence.as_str().to_owned());
                edits.push(set_in_item(index, "knownBy", evidence));
            }
            State::Rotated(..) | State::Confirmed => {}
            _ if entry.rotated.is_some() => {
                let fields = ["rotated", "knownBy"];
                edits.extend(fields.map(|field| set_in_item(index, field, New::Null)));
            }
            _ => {}
        }
    }
    let is_done = states.iter().all(|state| state.is_done());
    let closed = match (is_done, list.closed) {
        (true, None) => Some(New::Quoted(today.to_string())),
        (false, Some(_)) => Some(New::Null),
        _ => None,
    };
    edits.extend(closed.map(|new| set(vec![Step::Field("closed")], new)));
    edits
}

/// The field that records the sealed text in which the controller found the exposed value. Later
/// runs then know it without the cluster.
pub(crate) fn remark(item: usize, tag_suffix: &str) -> Edit<'static> {
    set_in_item(item, "unchanged", New::Quoted(tag_suffix.to_owned()))
}

/// The fields that record a confirmation: its day, and the texts of the item on that day.
pub(crate) fn confirmation(item: usize, texts: &str, today: Day) -> [Edit<'static>; 2] {
    [
        set_in_item(item, "confirmed", New::Quoted(today.to_string())),
        set_in_item(item, "confirmedText", New::Quoted(texts.to_owned())),
    ]
}

fn set_in_item(item: usize, field: &'static str, new: New) -> Edit<'static> {
    let path = [Step::Field("items"), Step::Index(item), Step::Field(field)];
    set(path.to_vec(), new)
}

fn set(path: Vec<Step<'static>>, new: New) -> Edit<'static> {
    Edit {
        document: 0,
        path,
        operation: Operation::Set(new),
    }
}

impl Evidence {
    fn as_str(self) -> &'static str {
        match self {
            Self::Controller => "controller",
            Self::Seal => "seal",
        }
    }
}

#[cfg(test)]
mod tests;
