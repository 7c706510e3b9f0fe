//! Commits as a graph in time: how long each one was current, and its files.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    rc::Rc,
};

use jiff::{SignedDuration, Timestamp};

use super::span::Span;
use crate::repository::git::{Commit, ObjectId};

/// The files of a commit.
pub(crate) type Tree = BTreeMap<Rc<str>, ObjectId>;

/// Every commit of a repository, parents before children.
#[derive(Debug)]
pub(crate) struct Commits {
    pub(crate) all: Vec<Commit>,
    /// From each commit until the last of its children: it was the tip of some branch then.
    pub(crate) current: Vec<Span>,
    /// Whether a commit is HEAD, or reached from it by first parents only.
    pub(crate) on_main_line: Vec<bool>,
    /// The index of HEAD.
    pub(crate) head: usize,
    children: Vec<Vec<usize>>,
}

impl Commits {
    /// Orders commits. The tip of a branch and a commit without children are current until `now`.
    /// Returns nothing if HEAD is not among the commits.
    ///
    /// The clock of a committer may be ahead: a commit from the future counts as one from just now.
    pub(crate) fn new(
        mut all: Vec<Commit>,
        head: &ObjectId,
        branches: &[ObjectId],
        now: Timestamp,
    ) -> Option<Self> {
        for commit in all.iter_mut().filter(|commit| commit.time > now) {
            commit.time = now - SignedDuration::from_secs(1);
        }
        let head = all.iter().position(|commit| commit.id == *head)?;
        let branches: HashSet<&ObjectId> = branches.iter().collect();
        let mut children = vec![Vec::new(); all.len()];
        for (index, commit) in all.iter().enumerate() {
            for parent in &commit.parents {
                children[*parent].push(index);
            }
        }
        let current = (0..all.len()).map(|index| {
            let from = all[index].time;
            let next = children[index].iter().map(|child| all[*child].time).max();
            // A later commit elsewhere does not end a branch: people read its tip until now.
            let is_tip = index == head || branches.contains(&all[index].id);
            let until = next.filter(|_| !is_tip).unwrap_or(now);
            Span::new(from, until)
        });
        Some(Self {
            current: current.collect(),
            on_main_line: main_line(&all, head),
            head,
            children,
            all,
        })
    }

    /// The children of a commit.
    pub(crate) fn children(&self, index: usize) -> &[usize] {
        &self.children[index]
    }

    /// The next commit on the line of first parents that leads to HEAD.
    pub(crate) fn next_on_main_line(&self, index: usize) -> Option<usize> {
        let is_next =
            |child: &&usize| self.on_main_line[**child] && self.all[**child].parents[0] == index;
        self.children[index].iter().find(is_next).copied()
    }

    /// Visits every commit with its files, parents before children.
    pub(crate) fn walk(&self, mut visit: impl FnMut(usize, &Tree)) {
        // A tree is kept only until the last of its children has taken it: all trees at once would
        // be as large as the history.
        let mut waiting = vec![0_usize; self.all.len()];
        for commit in &self.all {
            if let Some(first) = commit.parents.first() {
                waiting[*first] += 1;
            }
        }
        let mut trees: HashMap<usize, Tree> = HashMap::new();
        for (index, commit) in self.all.iter().enumerate() {
            let mut tree = Tree::new();
            if let Some(first) = commit.parents.first() {
                waiting[*first] -= 1;
                let known = match waiting[*first] {
                    0 => trees.remove(first),
                    _ => trees.get(first).cloned(),
                };
                tree = known.unwrap_or_default();
            }
            for change in &commit.changes {
                match &change.blob {
                    Some(blob) => tree.insert(Rc::clone(&change.path), blob.clone()),
                    None => tree.remove(&change.path),
                };
            }
            visit(index, &tree);
            if waiting[index] > 0 {
                trees.insert(index, tree);
            }
        }
    }
}

fn main_line(all: &[Commit], head: usize) -> Vec<bool> {
    let mut on_main_line = vec![false; all.len()];
    let mut at = Some(head);
    while let Some(index) = at {
        on_main_line[index] = true;
        at = all[index].parents.first().copied();
    }
    on_main_line
}
