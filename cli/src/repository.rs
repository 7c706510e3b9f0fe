//! The repository that the project stands in: its manifests, their history, and who could read
//! what in it.

pub(crate) mod exposure;
pub(crate) mod files;
pub(crate) mod git;
pub(crate) mod history;
pub(crate) mod inventory;
pub(crate) mod sealed_files;
