//! The contents of a list: pure functions from what was read.

use std::{collections::BTreeSet, path::PathBuf};

use jiff::Timestamp;

use super::Offboarding;
use crate::{
    error::{CommandError, Result},
    project::{Day, FILE_NAME, Project},
    repository::{exposure::Exposure, inventory::Inventory},
    rotations::{self, Entry, List, ListFile, Operated, State},
};

/// The day on which a person left: the one in the project file, else the given one, else today. For
/// a person whom the file no longer names, the day of an open list comes before today.
pub(super) fn left(offboarding: &Offboarding<'_>, lists: &[ListFile]) -> Result<Day> {
    let Offboarding { person, now, .. } = offboarding;
    let today = Day::of(*now);
    let settings = offboarding.project.people.get(*person);
    let marked = settings.and_then(|person| person.left);
    let own = lists.iter().map(|file| &file.list);
    let open = own
        .filter(|list| list.closed.is_none())
        .map(|list| list.left)
        .max();
    let left = match (marked, offboarding.left) {
        (Some(marked), Some(given)) if marked != given => {
            return Err(CommandError::user(format!(
                "{FILE_NAME} marks {person} as left on {marked}, but you passed `--left {given}`"
            ))
            .hint(format!("remove `--left`, or correct {FILE_NAME} first")));
        }
        (Some(marked), _) => marked,
        (None, given) => {
            let open = open.filter(|_| settings.is_none());
            given.or(open).unwrap_or(today)
        }
    };
    if left > today {
        return Err(CommandError::user(format!(
            "{left} is in the future, and {person} can read values until then"
        ))
        .hint("run this on that day"));
    }
    Ok(left)
}

/// Rejects a project file that is a link: git records only the path in it.
pub(super) fn reject_link(project: &Project) -> Result<()> {
    if !project.root.join(FILE_NAME).is_symlink() {
        return Ok(());
    }
    Err(CommandError::user(format!(
        "{FILE_NAME} is a symbolic link, so its history does not say who operated what"
    ))
    .hint("replace the link with the file itself, and commit it"))
}

/// The list of that day; of several, the last.
pub(super) fn existing(left: Day, lists: &[ListFile]) -> Option<ListFile> {
    let own = lists.iter().filter(|file| file.list.left == left);
    own.max_by_key(|file| file.list.since).cloned()
}

/// The file of a new list. A person who comes back and leaves on the same day gets a second list.
pub(super) fn new_name(person: &str, left: Day, taken: &[PathBuf]) -> PathBuf {
    let first = rotations::file_name(person, left);
    let stem = first.with_extension("");
    let further = (2..).map(|number| format!("{}-{number}.yaml", stem.display()).into());
    let mut names = std::iter::once(first.clone()).chain(further);
    let name = names.find(|name| !taken.contains(name));
    name.unwrap_or(first)
}

/// Rejects a day before the person had any access, if they had access later.
pub(super) fn reject_too_early(person: &str, left: Day, later: &Exposure) -> Result<()> {
    let spans = later.operated.iter();
    let first = spans.flat_map(|(name, spans)| spans.iter().map(move |span| (span.from, name)));
    match first.min() {
        None => Ok(()),
        Some((from, name)) => Err(CommandError::user(format!(
            "{person} operated nothing by {left}: their access to {name} began on {}",
            Day::of(from)
        ))
        .hint("check the day and the year of `--left`")),
    }
}

/// The environments that they operated.
pub(super) fn environments(exposure: &Exposure) -> Vec<Operated> {
    let operated = exposure.operated.iter().map(|(name, spans)| {
        let key_ids = exposure.key_ids.get(name).into_iter().flatten();
        Operated {
            name: name.to_string(),
            spans: spans.clone(),
            key_ids: key_ids.cloned().collect(),
        }
    });
    operated.collect()
}

/// The items that they could have read, with their present file, owner and provider.
pub(super) fn entries(exposure: Exposure, inventory: &Inventory) -> Vec<Entry> {
    let entries = exposure.items.into_iter().map(|(id, exposed)| {
        let present = inventory
            .find(&id, &exposed.tag_suffixes)
            .into_iter()
            .next();
        let (owner, provider) = match &present {
            Some(it) => (it.sealed.owner.clone(), it.sealed.provider.clone()),
            None => (exposed.owner, exposed.provider),
        };
        Entry {
            environment: id.environment,
            namespace: id.namespace,
            name: id.name,
            item: id.item,
            file: present.map_or(exposed.file, |occurrence| occurrence.file),
            why: exposed.reasons.into_iter().collect(),
            owner,
            provider,
            since: exposed.until,
            exposed_tags: exposed.tag_suffixes.into_iter().collect(),
            rotated: None,
            known_by: None,
            unchanged: None,
            confirmed: None,
            confirmed_text: None,
        }
    });
    entries.collect()
}

/// Marks what was rotated before the list was written.
pub(super) fn mark(list: &mut List, inventory: &Inventory, now: Timestamp) {
    let mut all_done = true;
    for entry in &mut list.items {
        let found = rotations::occurrences(inventory, entry);
        let state = rotations::judge(entry, &found, &[], now);
        if let State::Rotated(at, evidence) = state {
            (entry.rotated, entry.known_by) = (Some(at), Some(evidence));
        }
        all_done &= state.is_done();
    }
    // An empty list is more often a wrong day or an incomplete clone, so it stays open.
    let is_closed = all_done && !list.items.is_empty();
    list.closed = is_closed.then(|| Day::of(now));
}

/// Keeps the contents of the earlier list, and adds what was not known. A list never loses an item.
pub(super) fn keep(list: &mut List, earlier: &List) {
    let further = std::mem::replace(&mut list.items, earlier.items.clone());
    for entry in further {
        if let Some(known) = list.items.iter_mut().find(|known| known.id() == entry.id()) {
            unite(&mut known.why, entry.why);
            unite(&mut known.exposed_tags, entry.exposed_tags);
        } else {
            list.closed = None;
            list.items.push(entry);
        }
    }
    let further = std::mem::replace(&mut list.environments, earlier.environments.clone());
    for operated in further {
        match list
            .environments
            .iter_mut()
            .find(|known| known.name == operated.name)
        {
            Some(known) => unite(&mut known.key_ids, operated.key_ids),
            None => list.environments.push(operated),
        }
    }
}

fn unite<T: Ord + Clone>(known: &mut Vec<T>, further: Vec<T>) {
    let before: BTreeSet<T> = known.iter().cloned().collect();
    known.extend(further.into_iter().filter(|value| !before.contains(value)));
}
