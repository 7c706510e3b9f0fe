//! The harness: a project in a directory of its own, and what a command line did to it.

mod keys;
mod outcome;
mod project;
mod tools;

pub use keys::Key;
pub use outcome::Outcome;
pub use project::{NOW, TestProject};
pub use tools::gitleaks;
