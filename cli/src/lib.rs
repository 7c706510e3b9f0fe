//! The command line `sceau`: seals secrets for an environment so that they may be committed, and
//! looks after the certificates that they are sealed to.
//!
//! [`run`] is the whole program; it owns no terminal, clock or working directory but is given
//! them as [`Io`]. Each command reads, decides with the pure functions of `resolve`, and writes.
//! Nothing here talks to a cluster but `cluster`, and plaintext is read in `sources` alone.

mod args;
mod cluster;
mod commands;
mod editing;
mod error;
mod flags;
mod git;
mod history;
mod inquiring;
mod inventory;
mod key_secrets;
mod login;
mod manifest;
mod offboarding;
mod output;
mod paths;
mod project;
mod recovery;
mod rekeying;
mod repository;
mod reseal;
mod resolve;
mod rotations;
mod sources;
mod ui;

use std::ffi::OsString;

use clap::Parser as _;

use crate::args::Arguments;

pub use args::reference;
pub use project::schema as project_file_schema;
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
/// | 4 | the cluster cannot be reached or refuses |
/// | 70 | a bug in sceau |
pub fn run(arguments: impl IntoIterator<Item = OsString>, io: &mut Io<'_>) -> u8 {
    let outcome = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => commands::run(&arguments.command, io),
        Err(answer) => match args::refusal(&answer) {
            Some(error) => Err(error),
            None => return ui::show_usage(io, &answer),
        },
    };
    match outcome {
        Ok(()) => 0,
        Err(error) => ui::show_error(io, &error),
    }
}
