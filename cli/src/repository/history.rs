//! The git history of a project: what its project file, certificates and manifests project_files at each
//! commit, and how long each commit stood. Nothing is written.

pub(super) mod commits;
pub(super) mod record;
mod span;

use jiff::Timestamp;

use super::git::Git;
use crate::{error::Result, project::Project};

pub(crate) use self::{
    record::{Record, Unreadable},
    span::Span,
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
