//! `sceau certificate`: the files of public certificates.

pub(crate) mod fetch;
pub(crate) mod generate;
pub(crate) mod show;

use self::{fetch::FetchArguments, generate::GenerateArguments, show::ShowArguments};
use crate::{error::Result, ui::Io};

/// The commands of `sceau certificate`.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum CertificateCommand {
    Show(ShowArguments),
    Fetch(FetchArguments),
    Generate(GenerateArguments),
}

pub(super) fn run(command: &CertificateCommand, io: &mut Io<'_>) -> Result<()> {
    match command {
        CertificateCommand::Show(arguments) => show::run(arguments, io),
        CertificateCommand::Fetch(arguments) => fetch::run(arguments, io),
        CertificateCommand::Generate(arguments) => generate::run(arguments, io),
    }
}
