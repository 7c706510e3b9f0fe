//! What the git history of a project says about its people: which environments they operated
//! when, which keys were theirs, and which values they could have read.
//!
//! Everything is decided from what `git` read. Nothing is written.

mod access;
mod commits;
mod reading;
mod record;

#[cfg(test)]
mod tests;

use jiff::Timestamp;

use crate::{error::Result, git::Git, inventory::Inventory, project::Project};

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
    Record::read(&Git::open(&project.root)?, now)
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
