//! The repository of the project: its manifests, their history, and who could read which values.

pub(crate) mod exposure;
pub(crate) mod files;
pub(crate) mod git;
pub(crate) mod history;
pub(crate) mod inventory;
pub(crate) mod sealed_files;
