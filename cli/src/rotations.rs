//! The rotation lists, one for each person who left: which items are open, marked or confirmed.
//!
//! Each run decides again whether a value was rotated, from the present files. A mark records the
//! decision, and is removed when it no longer holds.

mod list;
mod report;
mod state;

use std::collections::{BTreeMap, btree_map::Entry as Slot};

use jiff::Timestamp;
use sealing::{EnvironmentName, ItemRef, resource::SealedSecret};
use zeroize::Zeroizing;

use crate::{
    cluster::{Cluster, ClusterError, login::Login},
    error::{CommandError, Result},
    manifest::{self, Edit},
    project::{Day, Project},
    repository::inventory::{Inventory, Occurrence},
};

pub use self::list::schema;
pub(crate) use self::{
    list::{DIRECTORY, Entry, List, ListFile, Operated, file_name, read_all, without_list, write},
    report::{RotationRow, render},
    state::{ClusterEvidence, State, judge},
};

/// The lists with the state of each item.
pub(crate) struct JudgedLists {
    pub(crate) lists: Vec<ListFile>,
    /// By list: the states of its items, in their order.
    states: Vec<Vec<State>>,
    /// In the same way, the tag suffixes of their texts.
    texts: Vec<Vec<String>>,
    /// Fields to write besides marks, with the index of their list.
    remarks: Vec<(usize, Edit<'static>)>,
}

/// The evidence that items are judged by.
pub(crate) struct Judging<'a> {
    pub(crate) project: &'a Project,
    pub(crate) inventory: &'a Inventory,
    /// The login to the clusters, if they are read too.
    pub(crate) login: Option<Login>,
    pub(crate) now: Timestamp,
}

impl Judging<'_> {
    /// Judges every item of the lists. The cluster is read only for items that are rotated
    /// according to the files.
    pub(crate) fn judge_all(&self, lists: Vec<ListFile>) -> Result<JudgedLists> {
        let mut clusters = Clusters {
            judging: self,
            connections: BTreeMap::new(),
            objects: BTreeMap::new(),
        };
        let (mut states, mut remarks) = (Vec::new(), Vec::new());
        let texts = lists.iter().map(|file| self.texts(&file.list)).collect();
        for (list, file) in lists.iter().enumerate() {
            let items = file.list.items.iter().enumerate();
            let own = items.map(|(item, entry)| {
                let occurrences = &occurrences(self.inventory, entry)[..];
                let state = judge(entry, occurrences, &[], self.now);
                match state {
                    State::Rotated(..) if self.login.is_some() && !occurrences.is_empty() => {
                        let evidence = clusters.evidence(entry, occurrences)?;
                        let unchanged = find_unchanged(occurrences, &evidence);
                        remarks.extend(
                            unchanged.map(|tag_suffix| (list, state::remark(item, tag_suffix))),
                        );
                        Ok(judge(entry, occurrences, &evidence, self.now))
                    }
                    _ => Ok(state),
                }
            });
            states.push(own.collect::<Result<_>>()?);
        }
        Ok(JudgedLists {
            lists,
            states,
            texts,
            remarks,
        })
    }

    fn texts(&self, list: &List) -> Vec<String> {
        let texts = |entry: &Entry| state::texts(&occurrences(self.inventory, entry));
        list.items.iter().map(texts).collect()
    }
}

/// The present occurrences of an item of a list: under its own name, and under any name with a text
/// that is known to hold the exposed value.
pub(crate) fn occurrences(inventory: &Inventory, entry: &Entry) -> Vec<Occurrence> {
    inventory.find(
        &entry.id(),
        entry.exposed_tags.iter().chain(&entry.unchanged),
    )
}

impl JudgedLists {
    /// The open items, the most urgent first.
    pub(crate) fn rows(&self, inventory: &Inventory, now: Timestamp) -> Vec<RotationRow> {
        let today = Day::of(now);
        let mut rows = Vec::new();
        for (file, states) in self.lists.iter().zip(&self.states) {
            for (index, state) in states
                .iter()
                .enumerate()
                .filter(|(_, state)| !state.is_done())
            {
                let mut row = RotationRow::new(file, index, *state, today);
                let occurrences = occurrences(inventory, &file.list.items[index]);
                if !occurrences.is_empty() {
                    row.is_in(&occurrences);
                }
                rows.push(row);
            }
        }
        rows.sort_by(RotationRow::compare);
        rows
    }

    /// Confirms that the old value of an item is revoked, on every list where only that is missing.
    pub(crate) fn confirm(&mut self, id: &ItemRef, today: Day) -> Result<()> {
        let mut is_listed = false;
        for (list, (file, states)) in self.lists.iter().zip(&mut self.states).enumerate() {
            for (item, entry) in file.list.items.iter().enumerate() {
                if entry.id() != *id {
                    continue;
                }
                is_listed = true;
                if states[item].needs_confirmation() {
                    states[item] = State::Confirmed;
                    let noted = state::confirmation(item, &self.texts[list][item], today);
                    self.remarks.extend(noted.map(|edit| (list, edit)));
                } else if !states[item].is_done() {
                    return Err(not_confirmable(id, &file.list.person));
                }
            }
        }
        if is_listed {
            return Ok(());
        }
        Err(
            CommandError::user(format!("{id} is not on a list under {DIRECTORY}/"))
                .hint("list the open items with `sceau rotations`"),
        )
    }

    /// The lists whose marks have to change, each with its new text.
    pub(crate) fn changed(&self, today: Day) -> Result<Vec<(&ListFile, Zeroizing<String>)>> {
        let mut changed = Vec::new();
        for (index, (file, states)) in self.lists.iter().zip(&self.states).enumerate() {
            let own = self.remarks.iter().filter(|(list, _)| *list == index);
            let mut edits: Vec<_> = own.map(|(_, edit)| edit.clone()).collect();
            edits.extend(state::marks(&file.list, states, today));
            if edits.is_empty() {
                continue;
            }
            let text = manifest::edit(&file.text, &edits).map_err(|fault| {
                let place = format!("{}:{}", file.name.display(), fault.line);
                CommandError::user(&fault).at(place).hints(fault.hint)
            })?;
            changed.push((file, text));
        }
        Ok(changed)
    }
}

/// The tag suffix of the first sealed text that holds the exposed value, according to the cluster.
fn find_unchanged<'a>(
    occurrences: &'a [Occurrence],
    evidence: &[ClusterEvidence],
) -> Option<&'a str> {
    let mut both = occurrences.iter().zip(evidence);
    let (unchanged, _) = both.find(|(_, evidence)| **evidence == ClusterEvidence::Unchanged)?;
    Some(&unchanged.sealed.tag_suffix)
}

fn not_confirmable(id: &ItemRef, person: &str) -> CommandError {
    CommandError::user(format!(
        "cannot confirm {id}: according to the files, {person} could have read its present value"
    ))
    .hint("rotate it with `sceau set FILE ITEM`: it needs no confirmation then")
}

/// The clusters of the environments, and the objects that were already read.
struct Clusters<'a> {
    judging: &'a Judging<'a>,
    connections: BTreeMap<String, Option<Cluster>>,
    objects: BTreeMap<(String, String, String), Option<Box<SealedSecret>>>,
}

impl Clusters<'_> {
    fn evidence(
        &mut self,
        entry: &Entry,
        occurrences: &[Occurrence],
    ) -> Result<Vec<ClusterEvidence>> {
        let live = self.object(entry)?;
        let judge_occurrence = |occurrence: &Occurrence| match live {
            Some(live) => state::cluster_evidence(
                live,
                &entry.item,
                &occurrence.sealed.tag_suffix,
                entry.since,
            ),
            None => ClusterEvidence::Silent,
        };
        Ok(occurrences.iter().map(judge_occurrence).collect())
    }

    fn object(&mut self, entry: &Entry) -> Result<Option<&SealedSecret>> {
        let place = (
            entry.environment.clone(),
            entry.namespace.clone(),
            entry.name.clone(),
        );
        if !self.objects.contains_key(&place) {
            let object = match self.cluster(&entry.environment)? {
                Some(cluster) => {
                    let read = cluster.sealed_secret(&entry.namespace, &entry.name);
                    read.map_err(explain)?.map(Box::new)
                }
                None => None,
            };
            self.objects.insert(place.clone(), object);
        }
        Ok(self
            .objects
            .get(&place)
            .and_then(|object| object.as_deref()))
    }

    /// The cluster of an environment; nothing if the project does not have it.
    fn cluster(&mut self, environment: &str) -> Result<Option<&Cluster>> {
        let Judging { project, login, .. } = self.judging;
        let slot = match self.connections.entry(environment.to_owned()) {
            Slot::Occupied(known) => known.into_mut(),
            Slot::Vacant(new) => {
                let name = EnvironmentName::parse(environment).ok();
                let name = name.filter(|name| project.environments.contains_key(name));
                let cluster = match (name, login) {
                    (Some(name), Some(login)) => Some(login.cluster(&name, project)?),
                    _ => None,
                };
                new.insert(cluster)
            }
        };
        Ok(slot.as_ref())
    }
}

fn explain(error: ClusterError) -> CommandError {
    match error {
        ClusterError::Refused(_) => CommandError::cluster(error).hint(
            "grant your user `get` on sealedsecrets.sceau.dev in the namespaces of the lists",
        ),
        other => other.into(),
    }
}
