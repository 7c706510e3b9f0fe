//! Which values a person could have read, and why.

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use jiff::Timestamp;
use sealing::{EnvironmentName, ItemRef};
use serde::{Deserialize, Serialize};

use self::access::Access;
use super::{
    history::{Record, Span, commits::Tree},
    inventory::{Inventory, SealedItem, UNKNOWN},
};
use crate::project::Project;

mod access;
#[cfg(test)]
mod tests;

pub(crate) use self::access::Departure;

/// Who is asked about, and what the project is like now.
pub(crate) struct Question<'a> {
    pub(crate) person: &'a str,
    pub(crate) project: &'a Project,
    /// The files, where they count as they are.
    pub(crate) uncommitted: Option<&'a Inventory>,
    /// The key of the certificate that is theirs now.
    pub(crate) own_key: Option<String>,
    /// What was sealed or committed later, the person could not read.
    pub(crate) until: Timestamp,
    /// The present instant.
    pub(crate) now: Timestamp,
}

/// Why a value could have been read.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Reason {
    /// Its seal was wrapped for the person's own key.
    Certificate,
    /// The person operated its environment while it was in use.
    Operated,
}

/// An item with values that the person could have read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) reasons: BTreeSet<Reason>,
    /// The ends of the sealed texts that could have been read.
    pub(crate) tag_suffixes: BTreeSet<String>,
    /// The file that held it last.
    pub(crate) file: String,
    pub(crate) owner: Option<String>,
    pub(crate) provider: Option<String>,
    /// A value that was sealed after this instant could not have been read.
    pub(crate) until: Timestamp,
}

/// What a person could have read.
#[derive(Debug, Default)]
pub(crate) struct Exposure {
    /// When they operated each environment.
    pub(crate) operated: BTreeMap<EnvironmentName, Vec<Span>>,
    /// The keys that each of these environments was sealed to meanwhile.
    pub(crate) key_ids: BTreeMap<EnvironmentName, BTreeSet<String>>,
    pub(crate) items: BTreeMap<ItemRef, Seen>,
}

impl Exposure {
    /// What a person could have read: the values of an environment that were in use while they
    /// operated it, and whatever was ever wrapped for their own key.
    pub(crate) fn of(record: &Record, question: &Question<'_>) -> Self {
        let access = Access::of(record, question);
        let mut gathering = Gathering {
            record,
            question,
            access: &access,
            opened: Vec::new(),
            own_keys: question.own_key.iter().cloned().collect(),
            exposure: Self::default(),
        };
        record
            .commits
            .walk(|index, tree| gathering.visit(index, tree));
        gathering.visit_working_tree();
        gathering.visit_changes();
        let exposure = gathering.exposure;
        Self {
            operated: access.spans,
            ..exposure
        }
    }
}

/// An exposure while commits are walked.
struct Gathering<'a> {
    record: &'a Record,
    question: &'a Question<'a>,
    access: &'a Access,
    /// By commit: the environments whose values were open to the person while it stood.
    opened: Vec<BTreeSet<EnvironmentName>>,
    own_keys: BTreeSet<String>,
    exposure: Exposure,
}

impl Gathering<'_> {
    fn visit(&mut self, index: usize, tree: &Tree) {
        let record = self.record;
        let project_files = &record.project_files[index];
        for own in project_files
            .iter()
            .filter_map(|project| project.people.get(self.question.person))
        {
            let key_id = own
                .certificate
                .as_ref()
                .and_then(|path| record.key_id(tree, path));
            self.own_keys.extend(key_id.map(str::to_owned));
        }
        let open = self.access.during(index, record.commits.standing[index]);
        self.add_key_ids(&open, project_files, tree);
        if self.is_like_parent(index, &open) {
            for change in &record.commits.all[index].changes {
                self.add_file(&change.path, index, tree, &open);
            }
        } else {
            for path in tree.keys() {
                self.add_file(path, index, tree, &open);
            }
        }
        self.opened.push(open);
    }

    /// Whether everything that is open in a commit, but for what it changed, was open in its
    /// parent and meant the same there.
    fn is_like_parent(&self, index: usize, open: &BTreeSet<EnvironmentName>) -> bool {
        let project_files = &self.record.project_files;
        let first = self.record.commits.all[index].parents.first();
        open.is_empty()
            || first.is_some_and(|first| {
                let same = project_files[index]
                    .iter()
                    .zip(&project_files[*first])
                    .all(|(own, old)| Rc::ptr_eq(own, old));
                same && project_files[index].len() == project_files[*first].len()
                    && open.is_subset(&self.opened[*first])
            })
    }

    fn add_key_ids(
        &mut self,
        open: &BTreeSet<EnvironmentName>,
        project_files: &[Rc<Project>],
        tree: &Tree,
    ) {
        for name in open {
            let settings = project_files
                .iter()
                .filter_map(|project| project.environments.get(name));
            let pinned = settings.flat_map(|settings| &settings.certificates);
            let key_ids = pinned.filter_map(|path| self.record.key_id(tree, path));
            let known = self.exposure.key_ids.entry(name.clone()).or_default();
            known.extend(key_ids.map(str::to_owned));
        }
    }

    fn add_file(
        &mut self,
        path: &str,
        index: usize,
        tree: &Tree,
        open: &BTreeSet<EnvironmentName>,
    ) {
        let project_files = &self.record.project_files[index];
        let is_late_commit = self.record.commits.all[index].time > self.question.until;
        let items = tree
            .get(path)
            .and_then(|blob| self.record.manifests.get(blob));
        let path = self.record.relative(path);
        let until = self.question.until;
        for item in items.into_iter().flatten() {
            // Only where a commit is newer than their time.
            let is_late = is_late_commit && item.sealed_at.is_some_and(|at| at > until);
            for id in ids(item, path, project_files) {
                if is_open(&id, open) && !is_late {
                    self.add(id, item, path, Reason::Operated);
                }
            }
        }
    }

    /// What is not committed counts from the last commit on, unless it says that it is newer.
    fn visit_working_tree(&mut self) {
        let head = self.record.commits.head;
        let open = self.access.during(head, self.record.commits.standing[head]);
        for (id, occurrences) in self
            .question
            .uncommitted
            .iter()
            .flat_map(|inventory| &inventory.items)
        {
            for it in occurrences {
                let is_late = it
                    .sealed
                    .sealed_at
                    .is_some_and(|at| at > self.question.until);
                if is_open(id, &open) && !is_late {
                    self.add(id.clone(), &it.sealed, &it.file, Reason::Operated);
                }
                if self.is_for_own_key(&it.sealed) {
                    self.add(id.clone(), &it.sealed, &it.file, Reason::Certificate);
                }
            }
        }
    }

    /// What counts whenever it was committed.
    fn visit_changes(&mut self) {
        let record = self.record;
        for (index, commit) in record.commits.all.iter().enumerate() {
            for change in &commit.changes {
                let blob = change.blob.as_ref();
                let items = blob.and_then(|blob| record.manifests.get(blob));
                let path = record.relative(&change.path);
                for item in items.into_iter().flatten() {
                    let ids = ids(item, path, &record.project_files[index]);
                    if self.is_for_own_key(item) {
                        for id in ids.clone() {
                            self.add(id, item, path, Reason::Certificate);
                        }
                    }
                    self.add_late(ids, item, path, commit.time);
                }
            }
        }
    }

    /// Adds what was sealed while they operated its environment, and committed only afterwards.
    fn add_late(&mut self, ids: BTreeSet<ItemRef>, item: &SealedItem, path: &str, time: Timestamp) {
        let Some(sealed_at) = item.sealed_at else {
            return;
        };
        let open = self.access.open_before(sealed_at, time);
        for id in ids.into_iter().filter(|id| is_open(id, &open)) {
            self.add(id, item, path, Reason::Operated);
        }
    }

    fn is_for_own_key(&self, item: &SealedItem) -> bool {
        item.key_ids.iter().any(|id| self.own_keys.contains(id))
    }

    fn add(&mut self, id: ItemRef, item: &SealedItem, path: &str, reason: Reason) {
        let until = match reason {
            Reason::Certificate => item.sealed_at,
            Reason::Operated => self.access.end(&id.environment),
        };
        let until = until
            .unwrap_or(self.question.until)
            .min(self.question.until);
        let seen = self.exposure.items.entry(id).or_insert_with(|| Seen {
            reasons: BTreeSet::new(),
            tag_suffixes: BTreeSet::new(),
            file: String::new(),
            owner: None,
            provider: None,
            until,
        });
        seen.reasons.insert(reason);
        seen.tag_suffixes.insert(item.tag_suffix.clone());
        path.clone_into(&mut seen.file);
        seen.owner.clone_from(&item.owner);
        seen.provider.clone_from(&item.provider);
        seen.until = seen.until.max(until);
    }
}

fn ids(item: &SealedItem, path: &str, project_files: &[Rc<Project>]) -> BTreeSet<ItemRef> {
    if project_files.is_empty() {
        return item.ids(path, None).into_iter().collect();
    }
    let projects = project_files.iter().map(|project| &**project);
    projects
        .flat_map(|project| item.ids(path, Some(project)))
        .collect()
}

/// An item of an environment that nothing names may be of any.
fn is_open(id: &ItemRef, open: &BTreeSet<EnvironmentName>) -> bool {
    let is_named = |name: &EnvironmentName| name.as_str() == id.environment;
    open.iter().any(is_named) || id.environment == UNKNOWN && !open.is_empty()
}
