//! The command line `sceau`: seals secrets for an environment so that they can be committed, and
//! manages the certificates that they are sealed to.
//!
//! [`run`] is the whole program. Terminal, clock and working directory are passed in as [`Io`].
//! Each command reads, decides with pure functions, and writes. Only `cluster` talks to a cluster.
//! Only `input` reads plaintext.

mod cluster;
mod commands;
mod edit;
mod error;
mod flags;
mod input;
mod keys;
mod manifest;
mod offboard;
mod output;
mod paths;
mod project;
mod reference;
mod rekey;
mod repository;
mod reseal;
mod rotations;
mod ui;
mod usage;
mod value_review;

use std::ffi::OsString;

use clap::Parser as _;

use crate::commands::Arguments;

pub use project::schema as project_file_schema;
pub use reference::reference;
pub use rotations::schema as rotations_file_schema;
pub use ui::{Io, Terminals};

/// The exit code of a bug.
pub const BUG: u8 = 70;

/// Runs one command line, the program's name first, and returns the exit code.
///
/// | exit code | means |
/// | --- | --- |
/// | 0 | done |
/// | 1 | the input is wrong |
/// | 2 | the command line is wrong |
/// | 3 | a check found something |
/// | 4 | the cluster is unreachable or rejected the request |
/// | 70 | a bug in sceau |
pub fn run(arguments: impl IntoIterator<Item = OsString>, io: &mut Io<'_>) -> u8 {
    let outcome = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => commands::run(&arguments.command, io),
        Err(answer) => match usage::refusal(&answer) {
            Some(error) => Err(error),
            None => return ui::show_usage(io, &answer),
        },
    };
    match outcome {
        Ok(()) => 0,
        Err(error) => ui::show_error(io, &error),
    }
}
