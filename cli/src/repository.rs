//! The files of a repository: which of them are manifests, and what is sealed in them.

pub(crate) mod files;
pub(crate) mod sealed_files;
