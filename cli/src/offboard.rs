//! The departure of a person: a list of the values that they could have read, and the environments
//! to re-key.
//!
//! A written list is kept. A later run continues with it, and only adds what was not known before.

mod find;

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use jiff::{Timestamp, ToSpan as _};
use sealing::{EnvironmentName, KeyId};

use crate::{
    error::{CommandError, Result},
    input,
    manifest::{self, Edit, New, Operation, Step},
    output::{self, Audience, NewFile},
    project::{self, Day, FILE_NAME, Project},
    repository::{
        exposure::{Exposure, ExposureQuery},
        history::{self, Record, UnreadableBlob},
        inventory::{self, Inventory},
    },
    rotations::{self, List, ListFile},
};

/// A person who leaves.
pub(crate) struct Offboarding<'a> {
    pub(crate) project: &'a Project,
    pub(crate) person: &'a str,
    /// The day they left, if it was given.
    pub(crate) left: Option<Day>,
    /// The last day to rotate everything.
    pub(crate) deadline: Option<Day>,
    /// The present instant.
    pub(crate) now: Timestamp,
}

/// The findings about a person who leaves.
pub(crate) struct Found {
    /// The list to write.
    pub(crate) list: List,
    /// The file of the list, relative to the project's root.
    pub(crate) file: PathBuf,
    /// The present list.
    existing: Option<ListFile>,
    /// Files that could not be read at some commit.
    pub(crate) unreadable: Vec<(String, UnreadableBlob)>,
    /// Manifests of the working tree that cannot be read.
    pub(crate) unreadable_now: Vec<CommandError>,
}

/// The days until the deadline, by default.
const DAYS: i64 = 30;

impl Offboarding<'_> {
    /// Finds what they could have read, from the repository alone. Nothing is written.
    pub(crate) fn find(&self) -> Result<Found> {
        find::reject_link(self.project)?;
        let record = history::read(self.project, self.now)?;
        self.reject_unknown(&record)?;
        let mut lists = rotations::read_all(&self.project.root)?;
        let names: Vec<PathBuf> = lists.iter().map(|file| file.name.clone()).collect();
        lists.retain(|file| {
            file.list.person == self.person && !record.is_back(&file.departure(), self.project)
        });
        let left = find::left(self, &lists)?;
        let existing = find::existing(left, &lists);
        let since = match &existing {
            Some(file) => file.list.since,
            None => whole_second(self.now.min(left.end())),
        };
        let inventory = inventory::of_project(self.project)?;
        // Files that are not committed may be newer than an existing list.
        let uncommitted = existing.is_none().then_some(&inventory);
        let query = ExposureQuery {
            person: self.person,
            project: self.project,
            uncommitted,
            own_key: self.own_key()?,
            until: since,
            now: self.now,
        };
        let exposure = Exposure::of(&record, &query);
        if exposure.operated.is_empty() && exposure.items.is_empty() {
            let until = self.now;
            let later = Exposure::of(&record, &ExposureQuery { until, ..query });
            find::reject_too_early(self.person, left, &later)?;
        }
        let mut list = List {
            person: self.person.to_owned(),
            left,
            since,
            deadline: self.deadline_or(existing.as_ref()),
            closed: existing.as_ref().and_then(|file| file.list.closed),
            environments: find::environments(&exposure),
            items: find::entries(exposure, &inventory),
        };
        if let Some(file) = &existing {
            find::keep(&mut list, &file.list);
        } else {
            self.add_pinned(&mut list)?;
            find::mark(&mut list, &inventory, self.now);
        }
        let Inventory { unreadable, .. } = inventory;
        Ok(Found {
            file: match &existing {
                Some(file) => file.name.clone(),
                None => find::new_name(self.person, left, &names),
            },
            list,
            existing,
            unreadable: record.unreadable.into_iter().collect(),
            unreadable_now: unreadable,
        })
    }

    fn reject_unknown(&self, record: &Record) -> Result<()> {
        let known = record.people();
        if self.project.people.contains_key(self.person) || known.contains(self.person) {
            return Ok(());
        }
        let error = unknown(self.person, &known);
        Err(match record.unreadable.get(FILE_NAME) {
            None => error,
            Some(fault) => error.hint(format!(
                "check commit {}, which may name them: {}",
                fault.commit, fault.problem
            )),
        })
    }

    fn own_key(&self) -> Result<Option<String>> {
        let settings = self.project.people.get(self.person);
        let Some(path) = settings.and_then(|person| person.certificate.as_ref()) else {
            return Ok(None);
        };
        let certificate = project::read_pinned(&self.project.root, path)?;
        Ok(certificate.map(|certificate| certificate.key_id().to_string()))
    }

    fn deadline_or(&self, existing: Option<&ListFile>) -> Day {
        let known = self
            .deadline
            .or_else(|| existing.map(|file| file.list.deadline));
        known.unwrap_or_else(|| {
            let today = Day::of(self.now);
            today.0.checked_add(DAYS.days()).map_or(today, Day)
        })
    }

    /// Adds the pinned certificates. An uncommitted one may have been in use while they operated.
    fn add_pinned(&self, list: &mut List) -> Result<()> {
        let since = list.since;
        for operated in &mut list.environments {
            if operated.spans.iter().any(|span| span.until >= since) {
                let pinned = pinned(self.project, &operated.name)?;
                operated.key_ids.extend(pinned.iter().map(KeyId::to_string));
                operated.key_ids.sort_unstable();
                operated.key_ids.dedup();
            }
        }
        Ok(())
    }
}

/// Lists have whole seconds, as commits do.
fn whole_second(instant: Timestamp) -> Timestamp {
    Timestamp::from_second(instant.as_second()).unwrap_or(instant)
}

fn unknown(person: &str, known: &BTreeSet<&str>) -> CommandError {
    let error = CommandError::user(format!(
        "{FILE_NAME} does not name `{person}`, now or in its history"
    ));
    let names: Vec<&str> = known.iter().copied().collect();
    match names.as_slice() {
        [] => error.hint(format!(
            "list the people and what they operate under `people:` in {FILE_NAME}"
        )),
        names => error.hint(format!("use one of its names: {}", names.join(", "))),
    }
}

impl Found {
    /// Writes the list, unless it is unchanged. Returns whether it was written.
    pub(crate) fn write(&self, project: &Project) -> Result<bool> {
        if self
            .existing
            .as_ref()
            .is_some_and(|file| file.list == self.list)
        {
            return Ok(false);
        }
        rotations::write(&project.root, &self.file, &self.list.to_text()?)?;
        Ok(true)
    }
}

/// Marks a person as left in the project file, on one line. Returns whether it did: a person whom
/// the file no longer names, or who is already marked, stays as they are.
pub(crate) fn mark_left(project: &Project, person: &str, left: Day) -> Result<bool> {
    let settings = project.people.get(person);
    if settings.is_none_or(|person| person.left.is_some()) {
        return Ok(false);
    }
    let name = Path::new(FILE_NAME);
    let input = input::read_file_input(name, &project.root)?;
    let mark = Edit {
        document: 0,
        path: ["people", person, "left"].map(Step::Field).to_vec(),
        operation: Operation::Set(New::Plain(left.to_string())),
    };
    let text = manifest::edit(&input.text, &[mark]).map_err(|fault| {
        CommandError::user(&fault)
            .at(format!("{FILE_NAME}:{}", fault.line))
            .hint(format!(
                "add `left: {left}` for {person} yourself, and run this again"
            ))
    })?;
    output::write(&NewFile {
        directory: &project.root,
        name,
        bytes: text.as_bytes(),
        audience: Audience::Everyone,
    })?;
    Ok(true)
}

/// An environment to re-key, because the person operated it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DueRekey {
    /// It has several clusters, and each needs a run of its own.
    EachCluster(EnvironmentName),
    /// It has one cluster.
    Once(EnvironmentName),
}

/// The environments that are still sealed to keys from the person's time. An environment whose
/// pinned certificates are all newer was already re-keyed.
pub(crate) fn due_rekeys(list: &List, project: &Project) -> Result<Vec<DueRekey>> {
    let mut due = Vec::new();
    for operated in &list.environments {
        let pinned = pinned(project, &operated.name)?;
        let is_old = |id: &KeyId| operated.key_ids.contains(&id.to_string());
        if let (true, Ok(name)) = (
            pinned.iter().any(is_old),
            EnvironmentName::parse(&operated.name),
        ) {
            due.push(match pinned.len() {
                1 => DueRekey::Once(name),
                _ => DueRekey::EachCluster(name),
            });
        }
    }
    Ok(due)
}

/// The keys whose certificates are pinned for an environment now.
fn pinned(project: &Project, name: &str) -> Result<Vec<KeyId>> {
    let named = project
        .environments
        .iter()
        .find(|(environment, _)| environment.as_str() == name);
    let mut pinned = Vec::new();
    for path in named
        .iter()
        .flat_map(|(_, settings)| &settings.certificates)
    {
        pinned.extend(
            project::read_pinned(&project.root, path)?.map(|certificate| certificate.key_id()),
        );
    }
    Ok(pinned)
}
