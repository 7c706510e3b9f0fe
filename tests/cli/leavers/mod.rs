//! Six months of a repository whose truth was written by hand: `fixtures/leavers.txt`.

mod story;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use self::story::{Story, tell};

const TRUTH: &str = include_str!("../fixtures/leavers.txt");

/// The lines of the truth about a person or a matter, its name left out.
fn truth(about: &str) -> BTreeSet<String> {
    let lines = TRUTH.lines().filter(|line| !line.starts_with('#'));
    let own = lines.filter_map(|line| line.strip_prefix(about)?.strip_prefix(' '));
    own.map(str::to_owned).collect()
}

/// What `sceau offboard` finds about a person, as the truth writes it.
fn found(story: &Story, person: &str) -> BTreeSet<String> {
    let line = format!("offboard {person} --no-rekey");
    let outcome = story.project.run(&line).done();
    let rekeyed = outcome.stderr().lines().filter_map(|line| {
        let environment =
            line.strip_prefix("note: still to be re-keyed: sceau rekey --environment ")?;
        Some(format!("rekey {environment}"))
    });
    let mut found: BTreeSet<String> = rekeyed.collect();
    let states = states(story, person);
    let list = outcome
        .changed_files()
        .into_iter()
        .find(|it| it.starts_with("rotations/"))
        .unwrap()
        .to_owned();
    let list: Value = serde_saphyr::from_str(outcome.file(&list)).unwrap();
    for entry in list["items"].as_array().unwrap() {
        let field = |name: &str| entry[name].as_str().unwrap().to_owned();
        let id = format!(
            "{}:{}/{}/{}",
            field("environment"),
            field("namespace"),
            field("name"),
            field("item")
        );
        let exposed = entry["exposedTags"].as_array().unwrap().iter();
        let mut versions: Vec<String> = exposed
            .map(|it| story.version(&id, it.as_str().unwrap()))
            .collect();
        versions.sort();
        let is_marked = entry["rotated"].is_string();
        assert_ne!(
            is_marked,
            states.contains_key(&id),
            "{id} is either marked or open"
        );
        let state = states.get(&id).map_or("Rotated", String::as_str);
        found.insert(format!("{id} {} {state}", versions.join(",")));
    }
    found
}

/// The open items of a person, according to `sceau rotations`.
fn states(story: &Story, person: &str) -> BTreeMap<String, String> {
    let outcome = story.project.run("rotations -o json").done();
    let rows: Value = serde_json::from_str(outcome.stdout()).unwrap();
    let own = rows
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row["person"] == person);
    own.map(|row| {
        let field = |name: &str| row[name].as_str().unwrap().to_owned();
        let id = format!(
            "{}:{}/{}/{}",
            field("environment"),
            field("namespace"),
            field("name"),
            field("item")
        );
        (id, field("state"))
    })
    .collect()
}

#[test]
fn offboard_finds_exactly_what_each_of_them_could_have_read() {
    let story = tell();
    for person in ["alice", "bob", "carol", "dave"] {
        assert_eq!(found(&story, person), truth(person), "{person}");
    }
    assert_eq!(
        story.project.git(&["rev-list", "--all", "--count"]).trim(),
        "43"
    );
}

#[test]
fn unreadable_files_are_reported_with_their_commit() {
    let story = tell();
    let outcome = story.project.run("offboard alice --dry-run").done();
    assert_eq!(outcome.changed_files(), [""; 0]);
    let told: Vec<_> = outcome
        .stderr()
        .lines()
        .filter(|it| it.starts_with("warning: commit "))
        .collect();
    assert_eq!(told.len(), truth("told").len(), "{outcome}");
    for file in truth("told") {
        assert!(
            told.iter().any(|line| line.contains(&format!(": {file}:"))),
            "{outcome}"
        );
    }
}
