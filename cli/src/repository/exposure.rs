//! Which values a person could have read, and why: decided from the git history alone.

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

/// A person, and the present state of the project.
pub(crate) struct ExposureQuery<'a> {
    pub(crate) person: &'a str,
    pub(crate) project: &'a Project,
    /// The files of the working tree, if they count too.
    pub(crate) uncommitted: Option<&'a Inventory>,
    /// The key of the person's present certificate.
    pub(crate) own_key: Option<String>,
    /// The person could not read what was sealed or committed later.
    pub(crate) until: Timestamp,
    /// The present instant.
    pub(crate) now: Timestamp,
}

/// Why a person could have read a value.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Reason {
    /// Its seal was wrapped for their own key.
    Certificate,
    /// They operated its environment while it was in use.
    Operated,
}

/// An item with values that the person could have read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ExposedItem {
    pub(crate) reasons: BTreeSet<Reason>,
    /// The tag suffixes of the sealed texts that they could have decrypted.
    pub(crate) tag_suffixes: BTreeSet<String>,
    /// The file that held it last.
    pub(crate) file: String,
    pub(crate) owner: Option<String>,
    pub(crate) provider: Option<String>,
    /// They could not read a value that was sealed after this instant.
    pub(crate) until: Timestamp,
}

/// The values that a person could have read.
#[derive(Debug, Default)]
pub(crate) struct Exposure {
    /// The times at which they operated each environment.
    pub(crate) operated: BTreeMap<EnvironmentName, Vec<Span>>,
    /// The keys that each of these environments was sealed to during that time.
    pub(crate) key_ids: BTreeMap<EnvironmentName, BTreeSet<String>>,
    pub(crate) items: BTreeMap<ItemRef, ExposedItem>,
}

impl Exposure {
    /// The values of an environment that were in use while the person operated it, and all values
    /// that were ever wrapped for their own key.
    pub(crate) fn of(record: &Record, query: &ExposureQuery<'_>) -> Self {
        let access = Access::of(record, query);
        let mut gathering = Gathering {
            record,
            query,
            access: &access,
            accessible: Vec::new(),
            own_keys: query.own_key.iter().cloned().collect(),
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

/// An exposure that is gathered while commits are walked.
struct Gathering<'a> {
    record: &'a Record,
    query: &'a ExposureQuery<'a>,
    access: &'a Access,
    /// By commit: the environments that the person operated while it was current.
    accessible: Vec<BTreeSet<EnvironmentName>>,
    own_keys: BTreeSet<String>,
    exposure: Exposure,
}

impl Gathering<'_> {
    fn visit(&mut self, index: usize, tree: &Tree) {
        let record = self.record;
        let project_files = &record.project_files[index];
        for own in project_files
            .iter()
            .filter_map(|project| project.people.get(self.query.person))
        {
            let key_id = own
                .certificate
                .as_ref()
                .and_then(|path| record.key_id(tree, path));
            self.own_keys.extend(key_id.map(str::to_owned));
        }
        let accessible = self.access.during(index, record.commits.current[index]);
        self.add_key_ids(&accessible, project_files, tree);
        // A large history would be quadratic if each commit added all of its files. The files that
        // a commit did not change were added with its parent, unless access or path rules differ.
        if self.is_like_parent(index, &accessible) {
            for change in &record.commits.all[index].changes {
                self.add_file(&change.path, index, tree, &accessible);
            }
        } else {
            for path in tree.keys() {
                self.add_file(path, index, tree, &accessible);
            }
        }
        self.accessible.push(accessible);
    }

    /// Whether everything accessible in a commit, except what it changed, was accessible in its
    /// parent under the same project file.
    fn is_like_parent(&self, index: usize, accessible: &BTreeSet<EnvironmentName>) -> bool {
        let project_files = &self.record.project_files;
        let first = self.record.commits.all[index].parents.first();
        accessible.is_empty()
            || first.is_some_and(|first| {
                let same = project_files[index]
                    .iter()
                    .zip(&project_files[*first])
                    .all(|(own, old)| Rc::ptr_eq(own, old));
                same && project_files[index].len() == project_files[*first].len()
                    && accessible.is_subset(&self.accessible[*first])
            })
    }

    fn add_key_ids(
        &mut self,
        accessible: &BTreeSet<EnvironmentName>,
        project_files: &[Rc<Project>],
        tree: &Tree,
    ) {
        for name in accessible {
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
        accessible: &BTreeSet<EnvironmentName>,
    ) {
        let project_files = &self.record.project_files[index];
        let is_late_commit = self.record.commits.all[index].time > self.query.until;
        let items = tree
            .get(path)
            .and_then(|blob| self.record.manifests.get(blob));
        let path = self.record.relative(path);
        let until = self.query.until;
        for item in items.into_iter().flatten() {
            // `sealedAt` is not authenticated: it excludes an item only where the commit is late
            // too.
            let is_late = is_late_commit && item.sealed_at.is_some_and(|at| at > until);
            for id in ids(item, path, project_files) {
                if is_accessible(&id, accessible) && !is_late {
                    self.add(id, item, path, Reason::Operated);
                }
            }
        }
    }

    /// Adds files that are not committed. They count from the last commit on, unless their seals
    /// are newer than the person's access.
    fn visit_working_tree(&mut self) {
        let head = self.record.commits.head;
        let accessible = self.access.during(head, self.record.commits.current[head]);
        for (id, occurrences) in self
            .query
            .uncommitted
            .iter()
            .flat_map(|inventory| &inventory.items)
        {
            for it in occurrences {
                let is_late = it.sealed.sealed_at.is_some_and(|at| at > self.query.until);
                if is_accessible(id, &accessible) && !is_late {
                    self.add(id.clone(), &it.sealed, &it.file, Reason::Operated);
                }
                if self.is_for_own_key(&it.sealed) {
                    self.add(id.clone(), &it.sealed, &it.file, Reason::Certificate);
                }
            }
        }
    }

    /// Adds what counts whenever it was committed.
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

    /// Adds what was sealed while they operated its environment, and committed afterwards.
    fn add_late(&mut self, ids: BTreeSet<ItemRef>, item: &SealedItem, path: &str, time: Timestamp) {
        let Some(sealed_at) = item.sealed_at else {
            return;
        };
        let accessible = self.access.accessible_before(sealed_at, time);
        for id in ids.into_iter().filter(|id| is_accessible(id, &accessible)) {
            self.add(id, item, path, Reason::Operated);
        }
    }

    fn is_for_own_key(&self, item: &SealedItem) -> bool {
        item.key_ids.iter().any(|id| self.own_keys.contains(id))
    }

    fn add(&mut self, id: ItemRef, item: &SealedItem, path: &str, reason: Reason) {
        // Their own key decrypts this text only, so a value that is sealed later is not exposed. An
        // operator reads every value until the end of their access.
        let until = match reason {
            Reason::Certificate => item.sealed_at,
            Reason::Operated => self.access.end(&id.environment),
        };
        let until = until.unwrap_or(self.query.until).min(self.query.until);
        let exposed = self
            .exposure
            .items
            .entry(id)
            .or_insert_with(|| ExposedItem {
                reasons: BTreeSet::new(),
                tag_suffixes: BTreeSet::new(),
                file: String::new(),
                owner: None,
                provider: None,
                until,
            });
        exposed.reasons.insert(reason);
        exposed.tag_suffixes.insert(item.tag_suffix.clone());
        path.clone_into(&mut exposed.file);
        exposed.owner.clone_from(&item.owner);
        exposed.provider.clone_from(&item.provider);
        exposed.until = exposed.until.max(until);
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

/// Whether an item is in one of these environments. An item of an unknown environment may be in any
/// of them, so it counts.
fn is_accessible(id: &ItemRef, accessible: &BTreeSet<EnvironmentName>) -> bool {
    let is_named = |name: &EnvironmentName| name.as_str() == id.environment;
    accessible.iter().any(is_named) || id.environment == UNKNOWN && !accessible.is_empty()
}
