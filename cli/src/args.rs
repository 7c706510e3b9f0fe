//! The command line: the program's own help, and its commands.
//!
//! What belongs to one command stands with it in `commands`, and what means the same in several in
//! `flags` and `login`.

use std::{error::Error as _, fmt::Write as _};

use clap::{
    CommandFactory as _, Parser, Subcommand,
    error::{ContextKind, ContextValue, ErrorKind},
};

use crate::{
    commands::{
        certificate::CertificateCommand, completions::CompletionsArguments, init::InitArguments,
        inspect::InspectArguments, keys::KeysCommand, man::ManArguments,
        offboard::OffboardArguments, rekey::RekeyArguments, rename::RenameArguments,
        report::ReportCommand, reseal::ResealArguments, rotations::RotationsArguments,
        seal::SealArguments, set::SetArguments, trace::TraceArguments, unseal::UnsealArguments,
        unset::UnsetArguments,
    },
    error::{CommandError, without_name},
};

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

/// The error for a command line that clap would repeat although it may hold a value.
pub(crate) fn refusal(answer: &clap::Error) -> Option<CommandError> {
    let context = |kind| match answer.get(kind) {
        Some(ContextValue::String(text)) => text.as_str(),
        _ => "",
    };
    let argument = context(ContextKind::InvalidArg);
    let value = context(ContextKind::InvalidValue);
    let names_item = ["--item ", "--from-stdin "]
        .iter()
        .any(|flag| argument.starts_with(flag));
    let is_pair = match answer.kind() {
        ErrorKind::InvalidSubcommand => context(ContextKind::InvalidSubcommand).contains('='),
        ErrorKind::InvalidValue => value.contains('='),
        ErrorKind::UnknownArgument => argument == "--from-literal" || argument.contains('='),
        ErrorKind::ValueValidation => names_item && value.contains('='),
        _ => false,
    };
    if is_pair {
        return Some(value_on_the_command_line());
    }
    let problem = answer
        .source()
        .filter(|_| answer.kind() == ErrorKind::ValueValidation)?;
    let problem = without_name(&problem.to_string(), value);
    Some(CommandError::usage(format!("{argument}: {problem}")))
}

fn value_on_the_command_line() -> CommandError {
    CommandError::usage(
        "a value on the command line is seen by other programs and kept in the shell's history",
    )
    .hint("let it be asked for with `--item NAME`, or give it by `--from-stdin NAME` or `--from-file NAME=FILE`")
    .hint("the value just typed may be in the history already: renew it if it is in use")
}

/// The command line with all its commands, for completions and the reference.
pub(crate) fn command() -> clap::Command {
    Arguments::command()
}

/// The help of every command, as the text of `docs/cli.md`.
pub fn reference() -> String {
    let mut text = String::from(
        "<!-- Generated from the program's own help by the tests; see `docs_cli_md_is_current`. -->\n\
         # The commands of `sceau`\n",
    );
    let mut program = command().term_width(100);
    program.build();
    describe(&mut program, &mut text);
    text
}

fn describe(command: &mut clap::Command, text: &mut String) {
    let name = command.get_bin_name().unwrap_or("sceau").to_owned();
    let help = command.render_long_help().to_string();
    let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
    let depth = "#".repeat(name.split(' ').count() + 1);
    let help = lines.join("\n");
    let _ = write!(
        text,
        "\n{depth} {name}\n\n```text\n{}\n```\n",
        help.trim_end()
    );
    let subcommands = command.get_subcommands_mut();
    for subcommand in subcommands.filter(|it| it.get_name() != "help" && !it.is_hide_set()) {
        describe(subcommand, text);
    }
}
