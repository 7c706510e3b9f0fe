//! The commands: each in a module of its own that holds its arguments, whose doc comments are its
//! help, and its `run`. None of them knows another.

pub(crate) mod certificate;
pub(crate) mod completions;
pub(crate) mod init;
pub(crate) mod inspect;
pub(crate) mod keys;
pub(crate) mod man;
pub(crate) mod offboard;
pub(crate) mod rekey;
pub(crate) mod rename;
pub(crate) mod report;
pub(crate) mod reseal;
pub(crate) mod rotations;
pub(crate) mod seal;
pub(crate) mod set;
pub(crate) mod trace;
pub(crate) mod unseal;
pub(crate) mod unset;

use crate::{args::Command, error::Result, ui::Io};

/// Runs the command that was typed.
pub(crate) fn run(command: &Command, io: &mut Io<'_>) -> Result<()> {
    match command {
        Command::Init(arguments) => init::run(arguments, io),
        Command::Seal(arguments) => seal::run(arguments, io),
        Command::Set(arguments) => set::run(arguments, io),
        Command::Unset(arguments) => unset::run(arguments, io),
        Command::Rename(arguments) => rename::run(arguments, io),
        Command::Unseal(arguments) => unseal::run(arguments, io),
        Command::Reseal(arguments) => reseal::run(arguments, io),
        Command::Rekey(arguments) => rekey::run(arguments, io),
        Command::Offboard(arguments) => offboard::run(arguments, io),
        Command::Rotations(arguments) => rotations::run(arguments, io),
        Command::Report(command) => report::run(command, io),
        Command::Trace(arguments) => trace::run(arguments, io),
        Command::Inspect(arguments) => inspect::run(arguments, io),
        Command::Keys(command) => keys::run(command, io),
        Command::Certificate(command) => certificate::run(command, io),
        Command::Completions(arguments) => completions::run(arguments, io),
        Command::Man(arguments) => man::run(arguments, io),
    }
}
