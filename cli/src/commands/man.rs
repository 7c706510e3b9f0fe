//! `sceau man`: the manual pages, for packagers of the program.

use std::path::PathBuf;

use clap_mangen::Man;

use crate::{
    error::Result,
    output::{self, Audience, Existing, NewFile},
    ui::{self, Io},
};

/// Write the manual pages into a directory
///
/// Every command has a page of its own, such as sceau-seal.1. The directory is made if it is not
/// there, and pages in it are replaced.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  sceau man /usr/local/share/man/man1")]
pub(crate) struct ManArguments {
    /// The directory
    directory: PathBuf,
}

pub(super) fn run(arguments: &ManArguments, program: clap::Command, io: &mut Io<'_>) -> Result<()> {
    let pages = pages(program);
    let staged = pages
        .iter()
        .map(|page| {
            let file = NewFile {
                directory: &io.directory,
                name: &arguments.directory.join(&page.name),
                bytes: &page.text,
                audience: Audience::Everyone,
            };
            output::stage(&file, Existing::Replace)
        })
        .collect::<Result<Vec<_>>>()?;
    output::commit(staged)?;
    let directory = arguments.directory.display();
    ui::note(
        io,
        format_args!("wrote {} manual pages into {directory}", pages.len()),
    );
    Ok(())
}

/// A manual page and the name of its file.
struct Page {
    name: PathBuf,
    text: Vec<u8>,
}

fn pages(mut program: clap::Command) -> Vec<Page> {
    program.build();
    let mut pages = Vec::new();
    collect(&program, &mut pages);
    pages
}

/// The page of a command and those of the commands below it.
fn collect(command: &clap::Command, pages: &mut Vec<Page>) {
    pages.push(page(command));
    let is_shown = |it: &&clap::Command| it.get_name() != "help" && !it.is_hide_set();
    for subcommand in command.get_subcommands().filter(is_shown) {
        collect(subcommand, pages);
    }
}

fn page(command: &clap::Command) -> Page {
    let man = Man::new(command.clone())
        .source(concat!("sceau ", env!("CARGO_PKG_VERSION")))
        .manual("sceau");
    let mut text = Vec::new();
    man.render(&mut text).expect("memory takes every byte");
    Page {
        name: man.get_filename().into(),
        text,
    }
}
