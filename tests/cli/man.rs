//! `sceau man`: every command has a page, made from its help.

use std::{collections::BTreeSet, fs};

use crate::support::TestProject;

/// `sceau keys drill` as the reference has it becomes `sceau-keys-drill.1`.
fn pages_that_the_reference_asks_for() -> BTreeSet<String> {
    let reference = sceau::reference();
    let headings = reference
        .lines()
        .filter_map(|line| line.trim_start_matches('#').strip_prefix(" sceau"));
    headings
        .map(|rest| format!("sceau{}.1", rest.replace(' ', "-")))
        .collect()
}

#[test]
fn every_command_of_the_reference_gets_a_page() {
    let project = TestProject::empty();
    let outcome = project.run("man share/man/man1").done();
    let entries = fs::read_dir(project.path("share/man/man1")).unwrap();
    let written: BTreeSet<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(written, pages_that_the_reference_asks_for());
    let said = format!("wrote {} manual pages into share/man/man1", written.len());
    assert!(outcome.stderr().contains(&said), "{}", outcome.stderr());
}

#[test]
fn a_page_has_the_flags_and_the_examples_of_its_command() {
    let project = TestProject::empty();
    project.run("man .").done();
    let page = project.text("sceau-keys-drill.1");
    assert!(page.contains(".TH sceau-keys-drill 1"), "{page}");
    assert!(page.contains("\\-\\-identity"), "{page}");
    assert!(page.contains("sceau keys drill prod.age"), "{page}");
}

#[test]
fn a_directory_that_is_a_file_is_refused() {
    let project = TestProject::empty().file("man1", "");
    let outcome = project.run("man man1").refused(1);
    assert!(outcome.stderr().contains("man1"), "{}", outcome.stderr());
    assert_eq!(project.text("man1"), "");
}
