//! When a person operated which environment.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use sealing::EnvironmentName;
use std::path::Path;

use super::Question;
use crate::{
    project::{Day, Person, Project},
    repository::history::{Record, Span},
};

/// The environments that a person operated.
#[derive(Debug, Default)]
pub(super) struct Access {
    /// By environment, the earliest first; they do not touch each other.
    pub(super) spans: BTreeMap<EnvironmentName, Vec<Span>>,
    /// By commit: what the project file granted there.
    granted: Vec<BTreeSet<EnvironmentName>>,
}

impl Access {
    /// Reads it from the project files. On the line of HEAD each commit holds until the next one;
    /// a commit beside it counts only for what it grants itself: what it has from its parents
    /// ends when they say so.
    pub(super) fn of(record: &Record, question: &Question<'_>) -> Self {
        let commits = &record.commits;
        let operated: Vec<_> = (0..commits.all.len())
            .map(|index| {
                let project_files = record.project_files[index].iter().map(|project| &**project);
                operated(project_files, question.person, commits.all[index].time)
            })
            .collect();
        let mut access = Self::default();
        let early = access_before_history(record, question);
        for (index, commit) in commits.all.iter().enumerate() {
            let stands = match commits.next_on_main_line(index) {
                Some(next) => commits.all[next].time,
                None => commits.standing[index].until,
            };
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
                .filter(|_| commit.time <= question.until)
                .map(|(name, end)| (name.clone(), stands.min(*end).min(question.until)))
                .collect();
            let mut names: BTreeSet<_> = granted.keys().cloned().collect();
            names.extend(early[index].keys().cloned());
            access.granted.push(names);
            access.add(commit.time, granted);
            access.add(Timestamp::UNIX_EPOCH, early[index].clone());
        }
        access.add_present(record, question);
        access.spans.values_mut().for_each(join);
        access
    }

    /// What the project file says now, committed or not.
    fn add_present(&mut self, record: &Record, question: &Question<'_>) {
        let head = record.commits.all[record.commits.head].time;
        let until = question.now.min(question.until);
        if head > until {
            if !is_contradicted(record, question.until)[record.commits.head] {
                let ever = ever_operated([question.project], question);
                self.add(Timestamp::UNIX_EPOCH, ever);
            }
            return;
        }
        let present = operated([question.project], question.person, head);
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

    /// The environments that they operated while a commit stood.
    pub(super) fn during(&self, index: usize, standing: Span) -> BTreeSet<EnvironmentName> {
        let overlapping = self
            .spans
            .iter()
            .filter(|(_, spans)| spans.iter().any(|span| span.overlaps(standing)));
        let mut open: BTreeSet<_> = overlapping.map(|(name, _)| name.clone()).collect();
        open.extend(self.granted[index].iter().cloned());
        open
    }

    /// The environments that they operated when a value may have been in use that a commit only
    /// brings later, as one does that was squashed, rebased or merged after they left.
    pub(super) fn open_before(
        &self,
        sealed_at: Timestamp,
        commit: Timestamp,
    ) -> BTreeSet<EnvironmentName> {
        let is_before = |span: &Span| span.until <= commit && sealed_at <= span.until;
        let own = self.spans.iter();
        let own = own.filter(|(_, spans)| spans.iter().any(is_before));
        own.map(|(name, _)| name.clone()).collect()
    }

    /// When they last operated an environment, or any if its name is not known.
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

/// A person left, as a list of what they could have read says.
pub(crate) struct Departure<'a> {
    pub(crate) person: &'a str,
    pub(crate) left: Day,
    /// What was sealed or committed later, they could not read.
    pub(crate) since: Timestamp,
    /// The file of the list, from the project's root.
    pub(crate) list: &'a Path,
}

impl Record {
    /// Whether a person had access again after a list about them was written: they had left, as
    /// the line of HEAD says, and operated something afterwards; or the list is committed, and the
    /// project file does not say that they left.
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

/// By commit: what a project file grants whose own history is newer than the person's time, since
/// commits were rewritten or imported or it was only written then. It is the oldest word that there
/// is, so it holds from the beginning.
fn access_before_history(
    record: &Record,
    question: &Question<'_>,
) -> Vec<BTreeMap<EnvironmentName, Timestamp>> {
    let contradicted = is_contradicted(record, question.until);
    let mut known: Vec<BTreeSet<EnvironmentName>> = Vec::new();
    let mut early = Vec::new();
    for (index, commit) in record.commits.all.iter().enumerate() {
        let parents = commit
            .parents
            .iter()
            .flat_map(|parent| known[*parent].clone());
        let mut inherited: BTreeSet<_> = parents.collect();
        let mut new = BTreeMap::new();
        if commit.time > question.until && !contradicted[index] {
            new = ever_operated(
                record.project_files[index].iter().map(|project| &**project),
                question,
            );
            new.retain(|name, _| !inherited.contains(name));
        }
        inherited.extend(new.keys().cloned());
        known.push(inherited);
        early.push(new);
    }
    early
}

/// By commit: whether it or one before it is from the person's time, and names people: whoever is
/// not among them operated nothing then.
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

/// The environments that a person operated until they left, by files from after that.
fn ever_operated<'a>(
    project_files: impl IntoIterator<Item = &'a Project>,
    question: &Question<'_>,
) -> BTreeMap<EnvironmentName, Timestamp> {
    let mut ever = operated(project_files, question.person, Timestamp::MIN);
    for end in ever.values_mut() {
        *end = question.until.min(*end);
    }
    ever
}

/// The environments that a person operates by what may be project_files, and until when at the latest.
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

/// Puts spans in order, and those together that touch each other.
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
