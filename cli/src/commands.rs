//! The command line. Each command is a module with its arguments and its `run`. The doc comments of
//! the arguments are the help. No command imports another; shared flags are in `flags`.

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
/// You seal a Secret with the environment's public certificate and commit the result. The
/// controller in the cluster unseals it into a Kubernetes Secret, but only in the environment and
/// namespace and under the name that it was sealed for. Sealing needs neither a private key nor the
/// cluster.
///
/// The project file `sceau.yaml` at the root of the repository lists the environments, the
/// certificates that they are sealed to and the paths that belong to them.
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
   4  the cluster is unreachable or rejected the request
  70  a bug in sceau

Environment variables:
  NO_COLOR    when set, output has no colours, on a terminal either
  KUBECONFIG  the kubeconfig files of the commands that connect to a cluster

Examples:
  Set up a repository, and pin the certificate of its production cluster:
    sceau init
    sceau certificate fetch --environment prod

  Seal a Secret into the file that Argo CD or Flux will apply:
    sceau seal secret.yaml --write deploy/api/prod/secret.yaml

  Rotate the value of one item in its file, without a private key:
    sceau set deploy/api/prod/secret.yaml DATABASE_URL

  Show what a sealed file says without a key:
    sceau inspect deploy/api/prod/secret.yaml

  Reseal what is not sealed to the pinned certificates:
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
    /// Report on the values in a cluster
    #[command(subcommand)]
    Report(ReportCommand),
    Trace(TraceArguments),
    Inspect(InspectArguments),
    /// Back up sealing keys, restore them, and test that a backup works
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
