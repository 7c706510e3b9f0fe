//! The repository that the project stands in: its files, their history, and who could read what in it.

pub(crate) mod exposure;
pub(crate) mod git;
pub(crate) mod history;
pub(crate) mod inventory;
