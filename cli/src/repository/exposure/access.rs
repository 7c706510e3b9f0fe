//! Which environments a person operated, and when.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use sealing::EnvironmentName;
use std::path::Path;

use super::ExposureQuery;
use crate::{
    project::{Day, Person, Project},
    repository::history::{Record, Span},
};

/// The environments that a person operated.
#[derive(Debug, Default)]
pub(super) struct Access {
    /// By environment, the earliest first, without overlaps.
    pub(super) spans: BTreeMap<EnvironmentName, Vec<Span>>,
    /// By commit: the environments that its project file grants.
    granted: Vec<BTreeSet<EnvironmentName>>,
}

impl Access {
    /// Reads the access from the project files. A commit on the main line of HEAD is current until
    /// the next one. A commit on a side branch counts only for what it grants itself: inherited
    /// access ends when the parents' access ends.
    pub(super) fn of(record: &Record, query: &ExposureQuery<'_>) -> Self {
        let commits = &record.commits;
        let operated: Vec<_> = (0..commits.all.len())
            .map(|index| {
                let project_files = record.project_files[index].iter().map(|project| &**project);
                operated(project_files, query.person, commits.all[index].time)
            })
            .collect();
        let mut access = Self::default();
        let early = access_before_history(record, query);
        for (index, commit) in commits.all.iter().enumerate() {
            let current_until = match commits.next_on_main_line(index) {
                Some(next) => commits.all[next].time,
                None => commits.current[index].until,
            };
            // A branch that was never updated would otherwise keep a revoked grant alive for as
            // long as the branch exists.
            let is_own = |name: &EnvironmentName| {
                commits.on_main_line[index]
                    || commit.parents.iter().all(|parent| {
                        let inherited = operated[*parent].contains_key(name);
                        let is_beside = !commits.on_main_line[*parent];
                        !inherited || is_beside && access.granted[*parent].contains(name)
                    })
            };
            let own = operated[index].iter().filter(|(name, _)| is_own(name));
            let granted: BTreeMap<_, _> = own
                .filter(|_| commit.time <= query.until)
                .map(|(name, end)| (name.clone(), current_until.min(*end).min(query.until)))
                .collect();
            let mut names: BTreeSet<_> = granted.keys().cloned().collect();
            names.extend(early[index].keys().cloned());
            access.granted.push(names);
            access.add(commit.time, granted);
            access.add(Timestamp::UNIX_EPOCH, early[index].clone());
        }
        access.add_present(record, query);
        access.spans.values_mut().for_each(join);
        access
    }

    /// Adds what the project file grants now, committed or not.
    fn add_present(&mut self, record: &Record, query: &ExposureQuery<'_>) {
        // With a HEAD newer than the person's access, the file is newer too. It counts only if no
        // older project file contradicts it.
        let head = record.commits.all[record.commits.head].time;
        let until = query.now.min(query.until);
        if head > until {
            if !is_contradicted(record, query.until)[record.commits.head] {
                let ever = ever_operated([query.project], query);
                self.add(Timestamp::UNIX_EPOCH, ever);
            }
            return;
        }
        let present = operated([query.project], query.person, head);
        let granted = present
            .into_iter()
            .map(|(name, end)| (name, until.min(end)));
        self.add(head, granted.collect());
    }

    fn add(&mut self, from: Timestamp, granted: BTreeMap<EnvironmentName, Timestamp>) {
        for (name, until) in granted {
            let spans = self.spans.entry(name).or_default();
            spans.push(Span::new(from, until));
        }
    }

    /// The environments that they operated while a commit was current.
    pub(super) fn during(&self, index: usize, current: Span) -> BTreeSet<EnvironmentName> {
        let overlapping = self
            .spans
            .iter()
            .filter(|(_, spans)| spans.iter().any(|span| span.overlaps(current)));
        let mut operated: BTreeSet<_> = overlapping.map(|(name, _)| name.clone()).collect();
        operated.extend(self.granted[index].iter().cloned());
        operated
    }

    /// The environments that they operated after a value was sealed and before it was committed. A
    /// commit that was squashed, rebased or merged late has such values.
    pub(super) fn accessible_before(
        &self,
        sealed_at: Timestamp,
        commit: Timestamp,
    ) -> BTreeSet<EnvironmentName> {
        let is_before = |span: &Span| span.until <= commit && sealed_at <= span.until;
        let own = self.spans.iter();
        let own = own.filter(|(_, spans)| spans.iter().any(is_before));
        own.map(|(name, _)| name.clone()).collect()
    }

    /// The end of their access to an environment, or to any if its name is unknown.
    pub(super) fn end(&self, name: &str) -> Option<Timestamp> {
        let of_name = self
            .spans
            .iter()
            .filter(|(operated, _)| operated.as_str() == name);
        let own = of_name
            .flat_map(|(_, spans)| spans)
            .map(|span| span.until)
            .max();
        own.or_else(|| self.spans.values().flatten().map(|span| span.until).max())
    }
}

/// The departure of a person, as a rotation list records it.
pub(crate) struct Departure<'a> {
    pub(crate) person: &'a str,
    pub(crate) left: Day,
    /// They could not read what was sealed or committed later.
    pub(crate) since: Timestamp,
    /// The file of the list, from the project's root.
    pub(crate) list: &'a Path,
}

impl Record {
    /// Whether a person got access again after their list was written. Either the main line of HEAD
    /// shows that they left and operated something afterwards; or the list is committed and the
    /// project file does not mark them as left.
    pub(crate) fn is_back(&self, departure: &Departure<'_>, present: &Project) -> bool {
        let Departure {
            person,
            left,
            since,
            list,
        } = departure;
        let operates = |project: &Project| {
            let settings = project.people.get(*person);
            let stays = |person: &&Person| person.left.is_none_or(|day| day > *left);
            let settings = settings.filter(stays);
            settings.is_some_and(|person| !person.operates(Timestamp::MIN).is_empty())
        };
        let is_there = operates(present);
        // A list that belongs to an earlier departure must not be continued: its date would hide
        // what the person could read since they came back.
        let (mut had_access, mut was_gone, mut is_committed) = (false, false, false);
        let name = list.to_string_lossy();
        let line = self.commits.all.iter().enumerate();
        for (index, commit) in line.filter(|(index, _)| self.commits.on_main_line[*index]) {
            let mut changes = commit.changes.iter();
            is_committed |=
                changes.any(|change| change.blob.is_some() && self.relative(&change.path) == name);
            let is_operator = self.project_files[index]
                .iter()
                .any(|project| operates(project));
            let returned = was_gone && commit.time > *since;
            if is_operator && (returned || is_committed && is_there) {
                return true;
            }
            had_access |= is_operator;
            was_gone = had_access && !is_operator;
        }
        was_gone && is_there
    }
}

/// By commit: the access before the project file has a history. Commits may be rewritten or
/// imported, or the file may be written late. The oldest project file then counts from the
/// beginning.
fn access_before_history(
    record: &Record,
    query: &ExposureQuery<'_>,
) -> Vec<BTreeMap<EnvironmentName, Timestamp>> {
    let contradicted = is_contradicted(record, query.until);
    // Only the first file that names an environment is the oldest evidence: later ones inherit it.
    let mut known: Vec<BTreeSet<EnvironmentName>> = Vec::new();
    let mut early = Vec::new();
    for (index, commit) in record.commits.all.iter().enumerate() {
        let parents = commit
            .parents
            .iter()
            .flat_map(|parent| known[*parent].clone());
        let mut inherited: BTreeSet<_> = parents.collect();
        let mut new = BTreeMap::new();
        if commit.time > query.until && !contradicted[index] {
            new = ever_operated(
                record.project_files[index].iter().map(|project| &**project),
                query,
            );
            new.retain(|name, _| !inherited.contains(name));
        }
        inherited.extend(new.keys().cloned());
        known.push(inherited);
        early.push(new);
    }
    early
}

/// By commit: whether it or an ancestor names people and is not newer than the person's access.
/// Such a file is complete evidence: a person whom it does not name operated nothing then.
fn is_contradicted(record: &Record, until: Timestamp) -> Vec<bool> {
    let mut contradicted: Vec<bool> = Vec::new();
    for (index, commit) in record.commits.all.iter().enumerate() {
        let names_people = record.project_files[index]
            .iter()
            .any(|project| !project.people.is_empty());
        let own = commit.time <= until && names_people;
        contradicted.push(own || commit.parents.iter().any(|parent| contradicted[*parent]));
    }
    contradicted
}

/// The environments that a person operated until they left, according to later project files.
fn ever_operated<'a>(
    project_files: impl IntoIterator<Item = &'a Project>,
    query: &ExposureQuery<'_>,
) -> BTreeMap<EnvironmentName, Timestamp> {
    let mut ever = operated(project_files, query.person, Timestamp::MIN);
    for end in ever.values_mut() {
        *end = query.until.min(*end);
    }
    ever
}

/// The environments that a person operates according to any of these project files, and the latest
/// end of that access.
fn operated<'a>(
    project_files: impl IntoIterator<Item = &'a Project>,
    person: &str,
    at: Timestamp,
) -> BTreeMap<EnvironmentName, Timestamp> {
    let mut operated: BTreeMap<_, Timestamp> = BTreeMap::new();
    for settings in project_files
        .into_iter()
        .filter_map(|project| project.people.get(person))
    {
        let end = settings.left.map_or(Timestamp::MAX, Day::end);
        for name in settings.operates(at) {
            let latest = operated.entry(name.clone()).or_insert(end);
            *latest = end.max(*latest);
        }
    }
    operated
}

/// Sorts spans, and joins those that overlap or touch.
fn join(spans: &mut Vec<Span>) {
    spans.sort_unstable();
    let mut joined: Vec<Span> = Vec::new();
    for span in spans.drain(..) {
        match joined.last_mut() {
            Some(last) if span.from <= last.until => last.until = last.until.max(span.until),
            _ => joined.push(span),
        }
    }
    *spans = joined;
}
