//! The git history of a project: its project file, certificates and manifests at each commit, and
//! how long each commit was current. Nothing is written.

pub(super) mod commits;
pub(super) mod record;
mod span;

use jiff::Timestamp;

use super::git::Git;
use crate::{error::Result, project::Project};

pub(crate) use self::{
    record::{Record, UnreadableBlob},
    span::Span,
};

/// Reads the history of the project's repository: every commit that a branch, a tag or HEAD
/// reaches.
///
/// # Errors
/// When git is not installed or fails, when there is no repository or no commit, and when the clone
/// is shallow.
pub(crate) fn read(project: &Project, now: Timestamp) -> Result<Record> {
    Record::read(&Git::open(&project.root)?, now)
}
