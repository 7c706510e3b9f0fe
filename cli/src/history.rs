//! What the git history of a project says about its people: which environments they operated
//! when, which keys were theirs, and which values they could have read.
//!
//! `git` is the only part that runs the program git; `log` reads what it prints, and everything
//! else decides from that alone. Nothing is written.

mod access;
mod commits;
mod git;
mod log;
mod reading;
mod record;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::{
    error::Result,
    inventory::Inventory,
    project::{self, Project},
};

pub(crate) use self::{
    access::Span,
    reading::{Reading, Reason},
    record::{Record, Unreadable},
};

/// Reads the history of the repository that the project stands in: every commit that a branch, a
/// tag or HEAD reaches.
///
/// # Errors
/// When git is not installed or refuses, when there is no repository or no commit, and when the
/// clone is shallow.
pub(crate) fn read(project: &Project, now: Timestamp) -> Result<Record> {
    Record::read(&git::Git::open(&project.root)?, now)
}

/// The files below a directory that git tracks, relative to it; none outside of a repository.
///
/// # Errors
/// When git is not installed or refuses.
pub(crate) fn tracked_files(directory: &Path) -> Result<Vec<PathBuf>> {
    match project::repository_root(directory) {
        Some(_) => git::Git::tracked(directory),
        None => Ok(Vec::new()),
    }
}

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
