//! Constructed histories: the id of a blob is its content.

use std::{collections::BTreeMap, path::PathBuf};

use jiff::{SignedDuration, Timestamp};

use sealing::EnvironmentName;

use super::*;
use crate::repository::{
    git::{Change, Commit, ObjectId},
    history::commits::Commits,
};

/// A history that grows by a commit each day at noon, beginning with 1 June 2026.
struct Story {
    commits: Vec<Commit>,
    branches: Vec<ObjectId>,
}

impl Story {
    fn new() -> Self {
        Self {
            commits: Vec::new(),
            branches: Vec::new(),
        }
    }

    fn commit(&mut self, day: i64, parents: &[usize], files: &[(&str, &str)]) -> usize {
        let index = self.commits.len();
        let time = noon(day).to_string();
        let change = |(path, text): &(&str, &str)| Change {
            path: (*path).into(),
            blob: (!text.is_empty()).then(|| ObjectId::new(&text.replace("NOW", &time))),
            is_link: false,
        };
        self.commits.push(Commit {
            id: ObjectId::new(&format!("commit{index}")),
            time: noon(day),
            parents: parents.to_vec(),
            changes: files.iter().map(change).collect(),
        });
        index
    }

    /// A history whose first commit says what alice operates, and seals `v1` for prod.
    fn beginning_with(operates: &str) -> Self {
        let mut story = Self::new();
        let files = [
            ("sceau.yaml", &*project(operates)),
            ("prod/a.yaml", &sealed("prod", "v1")),
        ];
        story.commit(1, &[], &files);
        story
    }

    /// A commit that says what alice operates from now on.
    fn operates(&mut self, day: i64, parent: usize, operates: &str) {
        self.commit(day, &[parent], &[("sceau.yaml", &project(operates))]);
    }

    /// A commit that seals a value for prod.
    fn seals(&mut self, day: i64, parent: usize, file: &str, text: &str) {
        self.commit(day, &[parent], &[(file, &sealed("prod", text))]);
    }

    fn record(self, head: usize) -> Record {
        let head = self.commits[head].id.clone();
        let commits = Commits::new(self.commits, &head, &self.branches, noon(30));
        let content = |id: &ObjectId| Ok(id.0.as_bytes().to_vec());
        Record::new(commits.unwrap(), "", content).unwrap()
    }

    /// The items that alice could have read, with their tag suffixes.
    fn read(self, head: usize) -> BTreeMap<String, String> {
        let exposure = exposure(&self.record(head));
        let shown = |(id, exposed): (ItemRef, ExposedItem)| {
            let tag_suffixes: Vec<_> = exposed.tag_suffixes.into_iter().collect();
            (id.to_string(), tag_suffixes.join(" "))
        };
        exposure.items.into_iter().map(shown).collect()
    }
}

fn noon(day: i64) -> Timestamp {
    let first: Timestamp = "2026-06-01T12:00:00Z".parse().unwrap();
    first + SignedDuration::from_hours(24 * (day - 1))
}

fn exposure(record: &Record) -> Exposure {
    exposure_until(record, noon(30))
}

fn exposure_until(record: &Record, until: Timestamp) -> Exposure {
    let present = Project::parse(PathBuf::new(), "").unwrap();
    Exposure::of(
        record,
        &ExposureQuery {
            person: "alice",
            project: &present,
            uncommitted: None,
            own_key: None,
            until,
            now: noon(30),
        },
    )
}

fn project(operates: &str) -> String {
    format!(
        "environments:\n  dev: {{paths: ['dev/**']}}\n  prod: {{paths: ['prod/**']}}\npeople:\n  alice: {operates}\n"
    )
}

/// A manifest that is sealed when it is committed.
fn sealed(environment: &str, text: &str) -> String {
    sealed_at("NOW", environment, text)
}

fn sealed_at(time: &str, environment: &str, text: &str) -> String {
    format!(
        "apiVersion: sceau.dev/v1alpha1\nkind: SealedSecret\nmetadata: {{name: api, namespace: shop}}\nspec:\n  environment: {environment}\n  scope: strict\n  seals:\n  - sealedAt: '{time}'\n    commitment: x\n    recipients: []\n    items: {{PIN: {text}}}\n"
    )
}

fn original(text: &str) -> String {
    format!(
        "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata: {{name: old, namespace: shop}}\nspec:\n  encryptedData: {{PIN: {text}}}\n"
    )
}

const OPERATES: &str = "{operates: [prod]}";

#[track_caller]
fn check(story: Story, head: usize, expected: &[(&str, &str)]) {
    let expected: BTreeMap<_, _> = expected
        .iter()
        .map(|(id, texts)| ((*id).to_owned(), (*texts).to_owned()))
        .collect();
    assert_eq!(story.read(head), expected);
}

#[test]
fn values_in_use_while_the_person_operated_the_environment_are_exposed() {
    let mut story = Story::new();
    story.commit(
        1,
        &[],
        &[
            ("prod/a.yaml", &sealed("prod", "v1")),
            ("dev/a.yaml", &sealed("dev", "d1")),
        ],
    );
    story.seals(2, 0, "prod/a.yaml", "v2");
    story.operates(3, 1, OPERATES);
    story.seals(4, 2, "prod/a.yaml", "v3");
    story.operates(5, 3, "{}");
    story.seals(6, 4, "prod/a.yaml", "v4");
    let record = story.record(5);
    let exposure = exposure(&record);
    let span = exposure.operated.values().next().unwrap()[0];
    assert_eq!((span.from, span.until), (noon(3), noon(5)));
    let exposed = &exposure.items.values().next().unwrap();
    assert_eq!(
        exposed.tag_suffixes.iter().collect::<Vec<_>>(),
        ["v2", "v3"]
    );
    assert_eq!((exposure.items.len(), exposed.until), (1, noon(5)));
}

#[test]
fn access_ends_with_the_day_that_the_person_left() {
    let mut story = Story::beginning_with(OPERATES);
    let left = project("{operates: [prod], left: 2026-06-02}");
    story.commit(2, &[0], &[("sceau.yaml", &left)]);
    story.seals(4, 1, "prod/a.yaml", "v2");
    check(story, 2, &[("prod:shop/api/PIN", "v1")]);
}

#[test]
fn values_sealed_during_their_access_count_whenever_they_are_committed() {
    let mut story = Story::new();
    story.commit(1, &[], &[("sceau.yaml", &project("{}"))]);
    story.operates(2, 0, OPERATES);
    story.operates(4, 1, "{}");
    let squashed = sealed_at("2026-06-03T00:00:00Z", "prod", "v1");
    story.commit(5, &[2], &[("prod/a.yaml", &squashed)]);
    // Rotated, in an environment that they did not operate.
    let other = sealed_at("2026-06-03T00:00:00Z", "dev", "d1");
    story.commit(
        6,
        &[3],
        &[
            ("prod/a.yaml", &sealed("prod", "v2")),
            ("dev/a.yaml", &other),
        ],
    );
    check(story, 4, &[("prod:shop/api/PIN", "v1")]);
}

#[test]
fn a_branch_counts_for_its_values_and_for_what_it_grants_itself() {
    let mut story = Story::beginning_with(OPERATES);
    // A branch that was not merged, with a value of its own.
    story.seals(2, 0, "prod/b.yaml", "b1");
    story.operates(3, 0, "{}");
    // That branch still grants prod, but the access has ended.
    story.seals(4, 2, "prod/a.yaml", "v2");
    check(story, 3, &[("prod:shop/api/PIN", "b1 v1")]);

    let mut story = Story::beginning_with("{}");
    story.operates(2, 0, OPERATES);
    story.seals(3, 0, "prod/a.yaml", "v2");
    check(story, 2, &[("prod:shop/api/PIN", "v1 v2")]);
}

#[test]
fn an_older_branch_is_exposed_once_their_access_begins() {
    let mut story = Story::beginning_with("{}");
    story.seals(2, 0, "prod/b.yaml", "b1");
    story.commit(3, &[1], &[("docs/a.md", "text")]);
    story.seals(4, 0, "prod/a.yaml", "v2");
    story.operates(5, 3, OPERATES);
    check(story, 4, &[("prod:shop/api/PIN", "b1 v1 v2")]);
}

#[test]
fn a_branch_that_is_merged_later_does_not_extend_their_access() {
    let mut story = Story::beginning_with(OPERATES);
    story.operates(2, 0, "{}");
    story.seals(3, 1, "prod/a.yaml", "v2");
    let beside = story.commit(5, &[0], &[("docs/a.md", "text")]);
    let merge = story.commit(6, &[2, beside], &[("docs/a.md", "text")]);
    check(story, merge, &[("prod:shop/api/PIN", "v1")]);
}

#[test]
fn a_history_newer_than_their_access_counts_for_it() {
    let early = sealed_at("2026-06-01T00:00:00Z", "prod", "v1");
    for operates in [OPERATES, "{operates: [prod], left: 2026-06-03}"] {
        let mut story = Story::new();
        let files = [
            ("prod/a.yaml", &*early),
            ("prod/b.yaml", &sealed("prod", "v2")),
            ("prod/c.yaml", &original("o1")),
        ];
        story.commit(10, &[], &files);
        story.operates(11, 0, operates);
        // Rotated, and the grant is not new.
        story.commit(12, &[1], &[("prod/c.yaml", &original("o2"))]);
        let exposure = exposure_until(&story.record(2), noon(4));
        let prod: EnvironmentName = "prod".parse().unwrap();
        assert_eq!(exposure.operated[&prod].len(), 1, "{operates}");
        let tag_suffixes: Vec<_> = exposure
            .items
            .values()
            .flat_map(|exposed| &exposed.tag_suffixes)
            .collect();
        assert_eq!(tag_suffixes, ["v1", "o1"], "{operates}");
    }
}

#[test]
fn a_later_project_file_does_not_contradict_an_earlier_one() {
    let mut story = Story::new();
    let bob = project(OPERATES).replace("alice", "bob");
    story.commit(
        2,
        &[],
        &[("sceau.yaml", &bob), ("prod/a.yaml", &sealed("prod", "v1"))],
    );
    story.operates(10, 0, OPERATES);
    let exposure = exposure_until(&story.record(1), noon(4));
    assert!(exposure.operated.is_empty() && exposure.items.is_empty());
}

#[test]
fn a_clock_that_is_ahead_hides_nothing() {
    let mut story = Story::new();
    story.commit(1, &[], &[("sceau.yaml", &project("{}"))]);
    story.operates(31, 0, OPERATES);
    story.seals(32, 1, "prod/a.yaml", "v1");
    story.seals(32, 1, "prod/b.yaml", "v2");
    check(story, 2, &[("prod:shop/api/PIN", "v1 v2")]);
}

#[test]
fn commits_of_one_second_and_clocks_that_go_back_hide_nothing() {
    let mut story = Story::new();
    story.commit(2, &[], &[("prod/a.yaml", &sealed("prod", "v1"))]);
    story.operates(2, 0, OPERATES);
    story.seals(2, 1, "prod/a.yaml", "v2");
    story.seals(1, 2, "prod/a.yaml", "v3");
    story.operates(1, 3, "{}");
    check(story, 4, &[("prod:shop/api/PIN", "v1 v2 v3")]);
}

#[test]
fn an_unreadable_project_file_counts_as_the_ones_before_and_after() {
    let mut story = Story::beginning_with("{}");
    story.commit(2, &[0], &[("sceau.yaml", "people: [")]);
    story.seals(3, 1, "prod/a.yaml", "v2");
    story.operates(4, 2, OPERATES);
    story.commit(5, &[3], &[("sceau.yaml", "people: [[")]);
    story.seals(6, 4, "prod/a.yaml", "v3");
    story.operates(7, 5, "{}");
    story.seals(8, 6, "prod/a.yaml", "v4");
    let record = story.record(7);
    let unreadable = &record.unreadable["sceau.yaml"];
    assert_eq!(unreadable.commit, "commit4");
    let tag_suffixes = exposure(&record)
        .items
        .into_values()
        .next()
        .unwrap()
        .tag_suffixes;
    assert_eq!(
        tag_suffixes.into_iter().collect::<Vec<_>>(),
        ["v1", "v2", "v3"]
    );
}

#[test]
fn path_rules_of_each_commit_decide_the_environment_of_kubeseal_manifests() {
    let mut story = Story::new();
    story.commit(
        1,
        &[],
        &[
            ("sceau.yaml", &project(OPERATES)),
            ("prod/a.yaml", &original("v1")),
        ],
    );
    // In dev from here on, and in no environment at the end.
    story.commit(
        2,
        &[0],
        &[("prod/a.yaml", ""), ("dev/a.yaml", &original("v2"))],
    );
    story.commit(3, &[1], &[("dev/a.yaml", ""), ("a.yaml", &original("v3"))]);
    check(
        story,
        2,
        &[("?:shop/old/PIN", "v3"), ("prod:shop/old/PIN", "v1")],
    );
}

#[test]
fn unreadable_files_are_reported_with_their_commit() {
    let mut story = Story::new();
    story.commit(
        1,
        &[],
        &[("prod/a.yaml", "kind: SealedSecret\nspec: {a: [}\n")],
    );
    story.seals(2, 0, "prod/a.yaml", "v1");
    let record = story.record(1);
    let unreadable = &record.unreadable["prod/a.yaml"];
    assert_eq!(unreadable.commit, "commit0");
    assert!(
        unreadable.problem.starts_with("prod/a.yaml:2 "),
        "{}",
        unreadable.problem
    );
}
