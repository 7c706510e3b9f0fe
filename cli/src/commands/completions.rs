//! `sceau completions`: completion scripts for shells.

use clap_complete::Shell;

use crate::{
    error::Result,
    ui::{self, Io},
};

/// Print a completion script for a shell
///
/// For bash: sceau completions bash > ~/.local/share/bash-completion/completions/sceau
///
/// For zsh, with a directory of your `fpath`: sceau completions zsh > ~/.zfunc/_sceau
///
/// For fish: sceau completions fish > ~/.config/fish/completions/sceau.fish
#[derive(Debug, clap::Args)]
pub(crate) struct CompletionsArguments {
    /// The shell
    shell: Shell,
}

pub(super) fn run(
    arguments: &CompletionsArguments,
    mut program: clap::Command,
    io: &mut Io<'_>,
) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut program, "sceau", &mut script);
    ui::print(io, script)
}
