//! What has become of an item that somebody could have read: decided from its entry, from what
//! the files hold now, and from what the cluster says about it.

use jiff::{SignedDuration, Timestamp};
use sealing::resource::SealedSecret;
use serde::Serialize;

use super::list::{Entry, Evidence, List};
use crate::{
    inventory::{self, Occurrence},
    manifest::{Edit, New, Operation, Step},
    project::Day,
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
    Original,
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
        matches!(self, Self::Gone | Self::Original)
    }
}

/// What the cluster says about a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Witness {
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
    witnesses: &[Witness],
    now: Timestamp,
) -> State {
    let is_seen = |it: &Occurrence| entry.seen.contains(&it.sealed.ending);
    if occurrences.iter().any(is_seen) {
        return State::SameText;
    }
    let is_unchanged = |it: &Occurrence| entry.unchanged.as_ref() == Some(&it.sealed.ending);
    if occurrences.iter().any(is_unchanged) {
        return State::Unchanged;
    }
    let sealed: Option<Vec<_>> = occurrences.iter().map(|it| it.sealed.sealed_at).collect();
    match (sealed, entry.confirmed, entry.renewed) {
        (None, Some(_), _) if entry.confirmed_text == Some(texts(occurrences)) => State::Confirmed,
        (None, ..) => State::Original,
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
    let mut endings: Vec<&str> = occurrences.iter().map(|it| &*it.sealed.ending).collect();
    endings.sort_unstable();
    endings.dedup();
    endings.join(" ")
}

fn renewed(entry: &Entry, at: Timestamp, witnesses: &[Witness]) -> State {
    if witnesses.contains(&Witness::Unchanged) {
        return State::Unchanged;
    }
    let all_differ = !witnesses.is_empty() && witnesses.iter().all(|it| *it == Witness::Differs);
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
pub(crate) fn witness(live: &SealedSecret, item: &str, ending: &str, since: Timestamp) -> Witness {
    let mut seals = live.spec.seals.iter();
    let text = seals.find_map(|seal| seal.items.get(item));
    let has_text = text.is_some_and(|text| inventory::ending(text) == ending);
    let Some(status) = live.status.as_ref().filter(|_| has_text) else {
        return Witness::Silent;
    };
    let is_current = status.observed_generation.is_some()
        && status.observed_generation == live.metadata.generation;
    let is_ready = |it: &_| matches!(it, ("Ready", "True"));
    let mut conditions = status.conditions.iter();
    if !is_current || !conditions.any(|it| is_ready(&(it.type_.as_str(), it.status.as_str()))) {
        return Witness::Silent;
    }
    let given = status.unchanged.iter().find(|it| it.item == item);
    let is_compared = status
        .compared_since
        .as_ref()
        .is_some_and(|it| it.0 <= since);
    let is_later = |text: &str| text.parse::<Timestamp>().is_ok_and(|at| at > since);
    match given {
        Some(unchanged) if !is_later(&unchanged.since) => Witness::Unchanged,
        _ if is_compared => Witness::Differs,
        _ => Witness::Silent,
    }
}

/// What has to be written into a list so that its ticks are true: a tick that is not true any more
/// is taken back.
pub(crate) fn ticks(list: &List, states: &[State], today: Day) -> Vec<Edit<'static>> {
    let mut edits = Vec::new();
    for (index, (entry, state)) in list.items.iter().zip(states).enumerate() {
        match state {
            State::Renewed(at, evidence)
                if entry.renewed.is_none() || entry.known_by < Some(*evidence) =>
            {
                edits.push(set_in_item(index, "renewed", New::Quoted(at.to_string())));
                let evidence = New::Plain(evidence.as_str().to_owned());
                edits.push(set_in_item(index, "knownBy", evidence));
            }
            State::Renewed(..) | State::Confirmed => {}
            _ if entry.renewed.is_some() => {
                let fields = ["renewed", "knownBy"];
                edits.extend(fields.map(|field| set_in_item(index, field, New::Null)));
            }
            _ => {}
        }
    }
    let is_done = states.iter().all(|it| it.is_done());
    let closed = match (is_done, list.closed) {
        (true, None) => Some(New::Quoted(today.to_string())),
        (false, Some(_)) => Some(New::Null),
        _ => None,
    };
    edits.extend(closed.map(|new| set(vec![Step::Field("closed")], new)));
    edits
}

/// What notes under which sealed text the value of an item of a list is the one from before, so that
/// it is known without the cluster too.
pub(crate) fn remark(item: usize, ending: &str) -> Edit<'static> {
    set_in_item(item, "unchanged", New::Quoted(ending.to_owned()))
}

/// What notes that the old value of an item of a list works no more, and which texts it has by
/// then; of one that was removed, none.
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
