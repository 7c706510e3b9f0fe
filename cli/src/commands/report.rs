//! `sceau report`: reports on the values in a cluster.

pub(crate) mod reuse;

use clap::Subcommand;

use self::reuse::ReuseArguments;
use crate::{error::Result, ui::Io};

#[derive(Debug, Subcommand)]
pub(crate) enum ReportCommand {
    Reuse(ReuseArguments),
}

pub(super) fn run(command: &ReportCommand, io: &mut Io<'_>) -> Result<()> {
    match command {
        ReportCommand::Reuse(arguments) => reuse::run(arguments, io),
    }
}
