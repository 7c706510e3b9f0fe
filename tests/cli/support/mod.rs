//! The harness: a project in a directory of its own, and what a command line did to it.

mod api_server;
mod keys;
mod outcome;
mod project;
mod recovery;
mod reseal_server;
mod tools;

pub(crate) use api_server::{ApiServer, kubeconfig};
pub(crate) use keys::TestKey;
pub(crate) use outcome::Outcome;
pub(crate) use project::{NOW, TestProject};
pub(crate) use recovery::Keeper;
pub(crate) use reseal_server::{Cluster, ResealServer};
pub(crate) use tools::gitleaks;
