//! What has become of an item that somebody could have read: decided from its entry, from what
//! the files hold now, and from what the cluster says about it.

use jiff::{SignedDuration, Timestamp};
use sealing::resource::SealedSecret;
use serde::Serialize;

use super::list::{Entry, Evidence, List};
use crate::{
    manifest::{Hop, Scalar, Setting},
    project::Day,
    repository::inventory::{self, Occurrence},
};

/// What has become of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) enum State {
    /// Somebody confirmed that the old value works no more.
    Confirmed,
    /// No manifest holds it any more, and its value may still work where it came from.
    Gone,
    /// Its seal says that it will be made in the future.
    InFuture,
    /// Its seal is not newer than what they could have read.
    NotRenewed,
    /// It is one of the original's, whose text also changes without its value.
    Bitnami,
    /// Its value was renewed.
    Renewed(Timestamp, Evidence),
    /// Its sealed text is one that they could have read.
    SameText,
    /// The controller says that it was sealed again with the value that it had.
    Unchanged,
}

impl State {
    /// Whether nothing is left to do.
    pub(crate) fn is_done(self) -> bool {
        matches!(self, Self::Confirmed | Self::Renewed(..))
    }

    /// Whether only a person can say that it is done.
    pub(crate) fn wants_confirmation(self) -> bool {
        matches!(self, Self::Gone | Self::Bitnami)
    }
}

/// What the cluster says about a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClusterEvidence {
    /// It is not the value from before.
    Differs,
    /// Nothing.
    Silent,
    /// It is the value from before.
    Unchanged,
}

/// By how much clocks may differ.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

/// Decides what has become of an item that the files hold in these places.
pub(crate) fn judge(
    entry: &Entry,
    occurrences: &[Occurrence],
    witnesses: &[ClusterEvidence],
    now: Timestamp,
) -> State {
    let is_seen = |occurrence: &Occurrence| entry.seen.contains(&occurrence.sealed.tag_suffix);
    if occurrences.iter().any(is_seen) {
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
    match (sealed, entry.confirmed, entry.renewed) {
        (None, Some(_), _) if entry.confirmed_text == Some(texts(occurrences)) => State::Confirmed,
        (None, ..) => State::Bitnami,
        (Some(times), Some(_), _) if times.is_empty() => State::Confirmed,
        (Some(times), None, Some(at)) if times.is_empty() => {
            State::Renewed(at, entry.known_by.unwrap_or(Evidence::Seal))
        }
        (Some(times), ..) => match (times.iter().min(), times.iter().max()) {
            (Some(_), Some(latest)) if *latest > now + SKEW => State::InFuture,
            (Some(earliest), _) if *earliest > entry.since => renewed(entry, *earliest, witnesses),
            (Some(_), _) => State::NotRenewed,
            (None, _) => State::Gone,
        },
    }
}

/// The ends of the texts that an item has, as a confirmation notes them.
pub(super) fn texts(occurrences: &[Occurrence]) -> String {
    let mut tag_suffixes: Vec<&str> = occurrences
        .iter()
        .map(|occurrence| &*occurrence.sealed.tag_suffix)
        .collect();
    tag_suffixes.sort_unstable();
    tag_suffixes.dedup();
    tag_suffixes.join(" ")
}

fn renewed(entry: &Entry, at: Timestamp, witnesses: &[ClusterEvidence]) -> State {
    if witnesses.contains(&ClusterEvidence::Unchanged) {
        return State::Unchanged;
    }
    let all_differ = !witnesses.is_empty()
        && witnesses
            .iter()
            .all(|evidence| *evidence == ClusterEvidence::Differs);
    let was_told = entry.renewed == Some(at) && entry.known_by == Some(Evidence::Controller);
    let evidence = if all_differ || was_told {
        Evidence::Controller
    } else {
        Evidence::Seal
    };
    State::Renewed(at, evidence)
}

/// What a SealedSecret in the cluster says about the value of an item whose sealed text in the
/// files ends so. Its status counts when it is done with what stands in its spec, and that holds
/// the same text.
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
    let is_later = |text: &str| text.parse::<Timestamp>().is_ok_and(|at| at > since);
    match given {
        Some(unchanged) if !is_later(&unchanged.since) => ClusterEvidence::Unchanged,
        _ if is_compared => ClusterEvidence::Differs,
        _ => ClusterEvidence::Silent,
    }
}

/// What has to be written into a list so that its ticks are true: a tick that is not true any more
/// is taken back.
pub(crate) fn ticks(list: &List, states: &[State], today: Day) -> Vec<Setting<'static>> {
    let mut settings = Vec::new();
    for (index, (entry, state)) in list.items.iter().zip(states).enumerate() {
        let mut set = |field, scalar| {
            settings.push(Setting {
                way: vec![Hop::Field("items"), Hop::Index(index)],
                field,
                scalar,
            });
        };
        match state {
            State::Renewed(at, evidence)
                if entry.renewed.is_none() || entry.known_by < Some(*evidence) =>
            {
                set("renewed", Scalar::Quoted(at.to_string()));
                set("knownBy", Scalar::Plain(evidence.as_str().to_owned()));
            }
            State::Renewed(..) | State::Confirmed => {}
            _ if entry.renewed.is_some() => {
                set("renewed", Scalar::Null);
                set("knownBy", Scalar::Null);
            }
            _ => {}
        }
    }
    let is_done = states.iter().all(|state| state.is_done());
    let closed = match (is_done, list.closed) {
        (true, None) => Some(Scalar::Quoted(today.to_string())),
        (false, Some(_)) => Some(Scalar::Null),
        _ => None,
    };
    settings.extend(closed.map(|scalar| Setting {
        way: Vec::new(),
        field: "closed",
        scalar,
    }));
    settings
}

/// What notes under which sealed text the value of an item of a list is the one from before, so that
/// it is known without the cluster too.
pub(crate) fn remark(item: usize, tag_suffix: &str) -> Setting<'static> {
    Setting {
        way: vec![Hop::Field("items"), Hop::Index(item)],
        field: "unchanged",
        scalar: Scalar::Quoted(tag_suffix.to_owned()),
    }
}

/// What notes that the old value of an item of a list works no more, and which texts it has by
/// then; of one that was removed, none.
pub(crate) fn confirmation(item: usize, texts: &str, today: Day) -> [Setting<'static>; 2] {
    let setting = |field, scalar| Setting {
        way: vec![Hop::Field("items"), Hop::Index(item)],
        field,
        scalar,
    };
    [
        setting("confirmed", Scalar::Quoted(today.to_string())),
        setting("confirmedText", Scalar::Quoted(texts.to_owned())),
    ]
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
