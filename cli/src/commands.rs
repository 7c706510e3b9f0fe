//! The command line: every command in a module of its own that holds its arguments, whose doc
//! comments are its help, and its `run`. No command knows another; what means the same in several
//! is in `flags`.

mod certificate;
mod completions;
mod init;
mod inspect;
mod keys;
mod man;
mod offboard;
mod rekey;
mod rename;
mod report;
mod reseal;
mod rotations;
mod seal;
mod set;
mod trace;
mod unseal;
mod unset;

use clap::{CommandFactory as _, Parser, Subcommand};

use self::{
    certificate::CertificateCommand, completions::CompletionsArguments, init::InitArguments,
    inspect::InspectArguments, keys::KeysCommand, man::ManArguments, offboard::OffboardArguments,
    rekey::RekeyArguments, rename::RenameArguments, report::ReportCommand, reseal::ResealArguments,
    rotations::RotationsArguments, seal::SealArguments, set::SetArguments, trace::TraceArguments,
    unseal::UnsealArguments, unset::UnsetArguments,
};
use crate::{error::Result, ui::Io};

/// Seal secrets for an environment, commit them, and let the cluster unseal them
///
/// A developer seals a Secret with the environment's public certificate and commits the result.
/// The controller in the cluster unseals it into a Kubernetes Secret: only in the namespace, under
/// the name and in the environment that it was sealed for. Sealing needs neither a private key nor
/// the cluster.
///
/// The project file `sceau.yaml`, at the repository's root, says which environments there are,
/// which certificates they are sealed to and which paths belong to them.
#[derive(Debug, Parser)]
#[command(name = "sceau", version, max_term_width = 100, after_long_help = AFTER_HELP)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const AFTER_HELP: &str = "\
Exit codes:
   0  done
   1  the input is wrong: a file, a value, the project file
   2  the command line is wrong
   3  a check found something
   4  the cluster cannot be reached or refuses
  70  a bug in sceau

Environment variables:
  NO_COLOR    when set, nothing is coloured, on a terminal either
  KUBECONFIG  the kubeconfig files of the commands that ask a cluster

Examples:
  Set a repository up, and pin the certificate of its production cluster:
    sceau init
    sceau certificate fetch --environment prod

  Seal a Secret into the file that Argo CD or Flux will apply:
    sceau seal secret.yaml --write deploy/api/prod/secret.yaml

  Give one item another value, in the file, without any private key:
    sceau set deploy/api/prod/secret.yaml DATABASE_URL

  See what a sealed file says without any key:
    sceau inspect deploy/api/prod/secret.yaml

  Bring every seal to the certificates that are pinned now:
    sceau reseal";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Init(InitArguments),
    Seal(SealArguments),
    Set(SetArguments),
    Unset(UnsetArguments),
    Rename(RenameArguments),
    Unseal(UnsealArguments),
    Reseal(ResealArguments),
    Rekey(RekeyArguments),
    Offboard(OffboardArguments),
    Rotations(RotationsArguments),
    /// Report what operations should know of the values in a cluster
    #[command(subcommand)]
    Report(ReportCommand),
    Trace(TraceArguments),
    Inspect(InspectArguments),
    /// Back sealing keys up, restore them, and prove that a backup is good
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Show, fetch and generate certificates
    #[command(subcommand)]
    Certificate(CertificateCommand),
    Completions(CompletionsArguments),
    Man(ManArguments),
}

/// The command line with all its commands, for completions and the reference.
pub(crate) fn definition() -> clap::Command {
    Arguments::command()
}

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
        Command::Completions(arguments) => completions::run(arguments, definition(), io),
        Command::Man(arguments) => man::run(arguments, definition(), io),
    }
}
