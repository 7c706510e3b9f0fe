//! The lists of values to renew, one for each person who left: what is open, what is ticked, and
//! what somebody confirms.
//!
//! Whether a value was renewed is decided anew each time, from what the files hold now; a tick
//! records it and is taken back when it is not true any more.

mod list;
mod report;
mod state;

use std::collections::{BTreeMap, btree_map::Entry as Slot};

use jiff::Timestamp;
use sealing::{EnvironmentName, resource::SealedSecret};
use zeroize::Zeroizing;

use crate::{
    cluster::{Cluster, ClusterError},
    error::{CommandError, Result},
    inventory::{Inventory, ItemId, Occurrence},
    login::Login,
    manifest::{self, Edit},
    project::{Day, Project},
};

pub use self::list::schema;
pub(crate) use self::{
    list::{DIRECTORY, Entry, List, ListFile, Operated, file_name, read_all, without_list, write},
    report::{Row, render},
    state::{State, Witness, judge},
};

/// What has become of everything on the lists.
pub(crate) struct Progress {
    pub(crate) lists: Vec<ListFile>,
    /// For each list the states of its items, in their order.
    states: Vec<Vec<State>>,
    /// In the same way, the ends of the texts that they have.
    texts: Vec<Vec<String>>,
    /// What is to be noted besides ticks: the list, and the field.
    remarks: Vec<(usize, Edit<'static>)>,
}

/// What is asked about items.
pub(crate) struct Judging<'a> {
    pub(crate) project: &'a Project,
    pub(crate) inventory: &'a Inventory,
    /// Where the clusters are asked too.
    pub(crate) login: Option<Login>,
    pub(crate) now: Timestamp,
}

impl Judging<'_> {
    /// Judges every item of the lists. The cluster is asked about those that the files show as
    /// renewed.
    pub(crate) fn judge_all(&self, lists: Vec<ListFile>) -> Result<Progress> {
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
                    State::Renewed(..) if self.login.is_some() && !occurrences.is_empty() => {
                        let witnesses = clusters.witnesses(entry, occurrences)?;
                        let unchanged = find_unchanged(occurrences, &witnesses);
                        remarks.extend(unchanged.map(|it| (list, state::remark(item, it))));
                        Ok(judge(entry, occurrences, &witnesses, self.now))
                    }
                    _ => Ok(state),
                }
            });
            states.push(own.collect::<Result<_>>()?);
        }
        Ok(Progress {
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

/// Where an item of a list stands now, under its own name, and under any other with a text that
/// is known for the value from before.
pub(crate) fn occurrences(inventory: &Inventory, entry: &Entry) -> Vec<Occurrence> {
    inventory.find(&entry.id(), entry.seen.iter().chain(&entry.unchanged))
}

impl Progress {
    /// What is open, the most urgent first.
    pub(crate) fn rows(&self, inventory: &Inventory, now: Timestamp) -> Vec<Row> {
        let today = Day::of(now);
        let mut rows = Vec::new();
        for (file, states) in self.lists.iter().zip(&self.states) {
            for (index, state) in states.iter().enumerate().filter(|(_, it)| !it.is_done()) {
                let mut row = Row::new(file, index, *state, today);
                let occurrences = occurrences(inventory, &file.list.items[index]);
                if !occurrences.is_empty() {
                    row.is_in(&occurrences);
                }
                rows.push(row);
            }
        }
        rows.sort_by(Row::compare);
        rows
    }

    /// Notes that the old value of an item works no more, wherever that is all that is missing.
    pub(crate) fn confirm(&mut self, id: &ItemId, today: Day) -> Result<()> {
        let mut is_listed = false;
        for (list, (file, states)) in self.lists.iter().zip(&mut self.states).enumerate() {
            for (item, entry) in file.list.items.iter().enumerate() {
                if entry.id() != *id {
                    continue;
                }
                is_listed = true;
                if states[item].wants_confirmation() {
                    states[item] = State::Confirmed;
                    let noted = state::confirmation(item, &self.texts[list][item], today);
                    self.remarks.extend(noted.map(|it| (list, it)));
                } else if !states[item].is_done() {
                    return Err(not_by_word(id, &file.list.person));
                }
            }
        }
        if is_listed {
            return Ok(());
        }
        Err(
            CommandError::user(format!("{id} is on no list under {DIRECTORY}/"))
                .hint("see what is open with `sceau rotations`"),
        )
    }

    /// The lists that have to change so that their ticks are true, each with its new text.
    pub(crate) fn changed(&self, today: Day) -> Result<Vec<(&ListFile, Zeroizing<String>)>> {
        let mut changed = Vec::new();
        for (index, (file, states)) in self.lists.iter().zip(&self.states).enumerate() {
            let own = self.remarks.iter().filter(|(list, _)| *list == index);
            let mut edits: Vec<_> = own.map(|(_, edit)| edit.clone()).collect();
            edits.extend(state::ticks(&file.list, states, today));
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

/// The end of the first sealed text that the cluster says has the value from before.
fn find_unchanged<'a>(occurrences: &'a [Occurrence], witnesses: &[Witness]) -> Option<&'a str> {
    let mut both = occurrences.iter().zip(witnesses);
    let (unchanged, _) = both.find(|(_, witness)| **witness == Witness::Unchanged)?;
    Some(&unchanged.sealed.ending)
}

fn not_by_word(id: &ItemId, person: &str) -> CommandError {
    CommandError::user(format!(
        "the value of {id} is one that {person} could have read, as far as the files show"
    ))
    .hint("give it a new one with `sceau set FILE ITEM`: that ticks it without anybody's word")
}

/// The clusters of the environments, and what they were asked for already.
struct Clusters<'a> {
    judging: &'a Judging<'a>,
    connections: BTreeMap<String, Option<Cluster>>,
    objects: BTreeMap<(String, String, String), Option<Box<SealedSecret>>>,
}

impl Clusters<'_> {
    fn witnesses(&mut self, entry: &Entry, occurrences: &[Occurrence]) -> Result<Vec<Witness>> {
        let live = self.object(entry)?;
        let witness = |it: &Occurrence| match live {
            Some(live) => state::witness(live, &entry.item, &it.sealed.ending, entry.since),
            None => Witness::Silent,
        };
        Ok(occurrences.iter().map(witness).collect())
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
        Ok(self.objects.get(&place).and_then(|it| it.as_deref()))
    }

    /// The cluster of an environment that the project has.
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
        ClusterError::Refused(_) => CommandError::cluster(error)
            .hint("you need `get` on sealedsecrets.sceau.dev in the namespaces of the lists"),
        other => other.into(),
    }
}
