//! Somebody leaves: what they could have read, as a list to work off, and which environments are
//! to be re-keyed.
//!
//! The list is kept once it is written: a run after an interruption goes by it, and only adds what
//! was not known before.

mod find;

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use jiff::{Timestamp, ToSpan as _};
use sealing::{EnvironmentName, KeyId};

use crate::{
    error::{CommandError, Result},
    history::{self, Question, Record, Unreadable},
    inventory::{self, Inventory},
    manifest::{self, Edit, New, Operation, Step},
    output::{self, Audience, NewFile},
    project::{self, Day, FILE_NAME, Project},
    rotations::{self, List, ListFile},
    sources,
};

/// Who leaves.
pub(crate) struct Offboarding<'a> {
    pub(crate) project: &'a Project,
    pub(crate) person: &'a str,
    /// The day they left, if it is not the one that is known, or today.
    pub(crate) left: Option<Day>,
    /// The last day for everything to be renewed.
    pub(crate) deadline: Option<Day>,
    /// The present instant.
    pub(crate) now: Timestamp,
}

/// What was found out about somebody who leaves.
pub(crate) struct Found {
    /// The list as it shall be.
    pub(crate) list: List,
    /// The file of the list, relative to the project's root.
    pub(crate) file: PathBuf,
    /// The list as it is.
    existing: Option<ListFile>,
    /// What could not be read at some commit, by file.
    pub(crate) unreadable: Vec<(String, Unreadable)>,
    /// What cannot be read now.
    pub(crate) unreadable_now: Vec<CommandError>,
}

/// For how many days a list is open by default.
const DAYS: i64 = 30;

impl Offboarding<'_> {
    /// Finds out, from the repository alone, what they could have read. Nothing is written.
    pub(crate) fn find(&self) -> Result<Found> {
        find::refuse_link(self.project)?;
        let record = history::read(self.project, self.now)?;
        self.refuse_unknown(&record)?;
        let mut lists = rotations::read_all(&self.project.root)?;
        let names: Vec<PathBuf> = lists.iter().map(|it| it.name.clone()).collect();
        lists.retain(|it| it.list.person == self.person && !record.is_back(it, self.project));
        let left = find::left(self, &lists)?;
        let existing = find::existing(left, &lists);
        let since = match &existing {
            Some(file) => file.list.since,
            None => whole_second(self.now.min(left.end())),
        };
        let inventory = inventory::of_project(self.project)?;
        // What is not committed may have been put there since the list was written.
        let uncommitted = existing.is_none().then_some(&inventory);
        let question = Question {
            person: self.person,
            project: self.project,
            uncommitted,
            own_key: self.own_key()?,
            until: since,
            now: self.now,
        };
        let reading = record.reading(&question);
        if reading.operated.is_empty() && reading.items.is_empty() {
            let until = self.now;
            let later = record.reading(&Question { until, ..question });
            find::refuse_too_early(self.person, left, &later)?;
        }
        let mut list = List {
            person: self.person.to_owned(),
            left,
            since,
            deadline: self.deadline_or(existing.as_ref()),
            closed: existing.as_ref().and_then(|it| it.list.closed),
            environments: find::environments(&reading),
            items: find::entries(reading, &inventory),
        };
        if let Some(file) = &existing {
            find::keep(&mut list, &file.list);
        } else {
            self.add_pinned(&mut list)?;
            find::tick(&mut list, &inventory, self.now);
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

    fn refuse_unknown(&self, record: &Record) -> Result<()> {
        let known = record.people();
        if self.project.people.contains_key(self.person) || known.contains(self.person) {
            return Ok(());
        }
        let error = unknown(self.person, &known);
        Err(match record.unreadable.get(FILE_NAME) {
            None => error,
            Some(fault) => error.hint(format!(
                "commit {} may name them: {}",
                fault.commit, fault.problem
            )),
        })
    }

    fn own_key(&self) -> Result<Option<String>> {
        let settings = self.project.people.get(self.person);
        let Some(path) = settings.and_then(|it| it.certificate.as_ref()) else {
            return Ok(None);
        };
        let certificate = project::read_pinned(&self.project.root, path)?;
        Ok(certificate.map(|it| it.key_id().to_string()))
    }

    fn deadline_or(&self, existing: Option<&ListFile>) -> Day {
        let known = self
            .deadline
            .or_else(|| existing.map(|it| it.list.deadline));
        known.unwrap_or_else(|| {
            let today = Day::of(self.now);
            today.0.checked_add(DAYS.days()).map_or(today, Day)
        })
    }

    /// A certificate that is pinned and not committed may have been there while they operated.
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

/// Lists know whole seconds, as commits do.
fn whole_second(instant: Timestamp) -> Timestamp {
    Timestamp::from_second(instant.as_second()).unwrap_or(instant)
}

fn unknown(person: &str, known: &BTreeSet<&str>) -> CommandError {
    let error = CommandError::user(format!(
        "no `{person}` among the people of {FILE_NAME}, now or in its history"
    ));
    let names: Vec<&str> = known.iter().copied().collect();
    match names.as_slice() {
        [] => error.hint(format!(
            "{FILE_NAME} never named anybody: say who operates what under `people:`"
        )),
        names => error.hint(format!("it has known {}", names.join(", "))),
    }
}

impl Found {
    /// Writes the list, unless it stands there as it shall be; says whether it did.
    pub(crate) fn write(&self, project: &Project) -> Result<bool> {
        if self
            .existing
            .as_ref()
            .is_some_and(|it| it.list == self.list)
        {
            return Ok(false);
        }
        rotations::write(&project.root, &self.file, &self.list.to_text()?)?;
        Ok(true)
    }
}

/// Notes in the project file that somebody has left, on one line; says whether it did. Whoever is
/// not in it any more, or has left before, needs no mark.
pub(crate) fn mark(project: &Project, person: &str, left: Day) -> Result<bool> {
    let settings = project.people.get(person);
    if settings.is_none_or(|it| it.left.is_some()) {
        return Ok(false);
    }
    let name = Path::new(FILE_NAME);
    let input = sources::read_file_input(name, &project.root)?;
    let mark = Edit {
        document: 0,
        path: ["people", person, "left"].map(Step::Field).to_vec(),
        operation: Operation::Set(New::Plain(left.to_string())),
    };
    let text = manifest::edit(&input.text, &[mark]).map_err(|fault| {
        CommandError::user(&fault)
            .at(format!("{FILE_NAME}:{}", fault.line))
            .hint(format!(
                "write `left: {left}` for {person} yourself, and run this again"
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

/// What is to be done about the keys of an environment that somebody operated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Rekeying {
    /// It has several clusters, and each takes a run of its own.
    EachCluster(EnvironmentName),
    /// It is pinned to a key from their time.
    Once(EnvironmentName),
}

/// The environments that are still sealed to keys from the person's time. One whose pinned
/// certificates are all newer was re-keyed already.
pub(crate) fn rekeyings(list: &List, project: &Project) -> Result<Vec<Rekeying>> {
    let mut due = Vec::new();
    for operated in &list.environments {
        let pinned = pinned(project, &operated.name)?;
        let is_old = |id: &KeyId| operated.key_ids.contains(&id.to_string());
        if let (true, Ok(name)) = (
            pinned.iter().any(is_old),
            EnvironmentName::parse(&operated.name),
        ) {
            due.push(match pinned.len() {
                1 => Rekeying::Once(name),
                _ => Rekeying::EachCluster(name),
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
        .find(|(it, _)| it.as_str() == name);
    let mut pinned = Vec::new();
    for path in named
        .iter()
        .flat_map(|(_, settings)| &settings.certificates)
    {
        pinned.extend(project::read_pinned(&project.root, path)?.map(|it| it.key_id()));
    }
    Ok(pinned)
}
