//! `docs/messages.md`: every reason and every refusal with its cure, taken from the sources.
#![expect(clippy::panic, reason = "a harness says what it expected by panicking")]

mod command_errors;
mod sets;

use std::fmt::Write as _;

use command_errors::CommandErrors;
use sets::{SETS, Variant};

const HEADER: &str = "\
<!-- Generated from the sources by `UPDATE=1 cargo test -p repo`. -->
# Messages

What the controller and `sceau` report when something is wrong, and what to do then. Words in
capitals stand for what differs from case to case. No message holds a value of a secret.
";

#[test]
fn every_reason_and_every_refusal_is_documented_with_its_cure() {
    let mut text = HEADER.to_owned();
    for set in SETS {
        let variants = sets::variants(&repo::read(set.file), set.name);
        let _ = write!(text, "\n## {}\n\n{}\n\n", set.title, set.introduction);
        let rows = variants.into_iter().map(|variant| {
            let Variant { name, means, cure } = variant;
            vec![format!("`{name}`"), means, cure]
        });
        text.push_str(&table(&[set.heading, "Means", "What to do"], rows));
    }
    let errors = CommandErrors::of_sources();
    assert!(errors.by_kind.len() > 3, "errors are found at all");
    for (kind, rows) in errors.by_kind {
        let _ = write!(text, "\n## {}\n\n", command_errors::title(&kind));
        let rows = rows
            .into_iter()
            .map(|(message, hints)| vec![message, hints]);
        text.push_str(&table(&["Error", "What to do"], rows));
    }
    repo::check_generated("docs/messages.md", &text);
}

/// A table as Markdown has it; a bar in a cell would end the cell.
fn table(headings: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let mut text = line(headings.iter().map(|&heading| heading.to_owned()).collect());
    text.push_str(&line(vec!["---".to_owned(); headings.len()]));
    for cells in rows {
        let cells = cells.iter().map(|cell| cell.replace('|', "\\|"));
        text.push_str(&line(cells.collect()));
    }
    text
}
