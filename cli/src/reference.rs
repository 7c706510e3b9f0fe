//! The reference of all commands, generated from their help.

use std::fmt::Write as _;

use crate::commands;

/// The help of every command, as the text of `docs/cli.md`.
pub fn reference() -> String {
    let mut text = String::from(
        "<!-- Generated from the program's own help by the tests; see `docs_cli_md_is_current`. -->\n\
         # The commands of `sceau`\n",
    );
    let mut program = commands::definition().term_width(100);
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
    for subcommand in subcommands
        .filter(|subcommand| subcommand.get_name() != "help" && !subcommand.is_hide_set())
    {
        describe(subcommand, text);
    }
}
