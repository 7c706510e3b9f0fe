//! `sceau offboard`: what it writes, what it refuses, and that it may be interrupted anywhere.

use std::fs;

use insta::assert_snapshot;

use crate::{
    seal_manifests::SECRET,
    support::{ResealServer, TestKey, TestProject},
};

const FILE: &str = "deploy/api/prod/secret.yaml";
const LIST: &str = "rotations/2026-11-22-alice.yaml";

const PROJECT: &str = "\
# Who operates what.
environments:
  prod: {certificates: [certificates/prod.pem], paths: [\"deploy/*/prod/**\"]}
people:
  alice: {operates: [prod], left: null}   # since the beginning
  bob: {operates: [prod]}
";

/// A project with a Secret sealed for prod, committed half an hour ago.
pub(crate) fn project() -> TestProject {
    let mut project = TestProject::new()
        .file("sceau.yaml", PROJECT)
        .file("secret.yaml", SECRET);
    project.set_clock("2026-11-22T11:30:00Z");
    project
        .run(&format!("seal secret.yaml --environment prod -w {FILE}"))
        .done();
    fs::remove_file(project.path("secret.yaml")).unwrap();
    committed(project)
}

/// Commits a project as its first commit.
fn committed(mut project: TestProject) -> TestProject {
    project.set_clock("2026-11-22T11:30:00Z");
    let _ = project.git(&["init", "--quiet"]);
    project.commit("Seal api");
    project.set_clock(crate::support::NOW);
    project
}

#[test]
fn a_person_is_marked_and_what_they_could_have_read_is_listed() {
    let outcome = project().run("offboard alice --no-rekey");
    assert_snapshot!(outcome, @"
    exit 0
    stderr:
      note: rotations/2026-11-22-alice.yaml lists 1 item that alice could have read; to rotate: 1
      note: sceau.yaml marks alice as left on 2026-11-22
      note: still to be re-keyed: sceau rekey --environment prod
      note: commit it: git add rotations && git commit --all --message 'Offboard alice'
      note: rotate each item with `sceau set FILE ITEM` by 2026-12-22: alice may have read its value
      note: show the open items with `sceau rotations`, and mark rotated ones with `sceau rotations --mark`
    files: rotations/2026-11-22-alice.yaml, sceau.yaml
    ");
    let expected = PROJECT.replace("left: null", "left: 2026-11-22");
    assert_eq!(outcome.file("sceau.yaml"), expected);
    let list = outcome.filtered_file(LIST);
    let (list, _) = list.rsplit_once("  - ").unwrap();
    assert_snapshot!(list, @r#"
    # Values that a person who left could have read. `sceau offboard` writes this list, `sceau rotations`
    # shows the open items, and `sceau rotations --mark` marks the rotated ones.
    person: alice
    left: "2026-11-22"
    since: "2026-11-22T12:00:00Z"
    deadline: "2026-12-22"
    environments:
    - name: prod
      spans:
      - from: "2026-11-22T11:30:00Z"
        until: "2026-11-22T12:00:00Z"
      keyIds:
      - [KEY Prod]
    items:
    - environment: prod
      namespace: shop
      name: api
      item: password
      file: deploy/api/prod/secret.yaml
      why:
      - operated
      since: "2026-11-22T12:00:00Z"
      exposedTags:
    "#);
}

#[test]
fn a_dry_run_writes_nothing() {
    let project = project();
    assert_snapshot!(project.run("offboard alice --dry-run"), @"
    exit 0
    stdout:
      ENVIRONMENT   SECRET     ITEM       WHY        ROTATED   FILE                          OWNER   PROVIDER
      prod          shop/api   password   Operated             deploy/api/prod/secret.yaml
    files: unchanged
    ");
    let outcome = project.run("offboard alice --dry-run -o json --left 2026-11-20");
    // It was sealed after that day, and so was everything that they might have read.
    let list: serde_json::Value = serde_json::from_str(outcome.stdout()).unwrap();
    assert_eq!(
        (&list["items"], &list["since"]),
        (
            &serde_json::json!([]),
            &serde_json::json!("2026-11-21T00:00:00Z")
        )
    );
    assert_eq!(outcome.changed_files(), [""; 0]);
}

#[test]
fn who_leaves_must_be_known_and_gone() {
    let project = project();
    assert_snapshot!(project.run("offboard alicia").refused(1), @"
    exit 1
    stderr:
      error: sceau.yaml does not name `alicia`, now or in its history
      hint: use one of its names: alice, bob
    files: unchanged
    ");
    assert_snapshot!(project.run("offboard alice --left 2026-11-23").refused(1), @"
    exit 1
    stderr:
      error: 2026-11-23 is in the future, and alice can read values until then
      hint: run this on that day
    files: unchanged
    ");
    let left = PROJECT.replace("left: null", "left: '2026-11-01'");
    let project = project.file("sceau.yaml", left);
    assert_snapshot!(project.run("offboard alice --left 2026-11-02").refused(1), @"
    exit 1
    stderr:
      error: sceau.yaml marks alice as left on 2026-11-01, but you passed `--left 2026-11-02`
      hint: remove `--left`, or correct sceau.yaml first
    files: unchanged
    ");
}

#[test]
fn notice_is_not_leaving() {
    let notice = PROJECT.replace("left: null", "left: 2026-12-31");
    let project = project().file("sceau.yaml", notice);
    let outcome = project.run("offboard alice").refused(1);
    assert!(
        outcome.stderr().contains("2026-12-31 is in the future"),
        "{outcome}"
    );
}

#[test]
fn what_is_set_and_not_committed_after_the_list_was_written_is_new() {
    const BITNAMI: &str = "deploy/old/prod/secret.yaml";
    let project = project().file(
        BITNAMI,
        "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata: {name: old, namespace: shop}\nspec:\n  encryptedData: {}\n",
    );
    let mut project = project.stdin("correct horse");
    for item in ["password", "pin"] {
        project
            .run(&format!("set {BITNAMI} {item} --from-stdin"))
            .done();
    }
    // Not committed, and there when she left.
    let first = project.run("offboard alice --no-rekey").done();
    assert_eq!(first.file(LIST).matches("name: old").count(), 2);
    project.set_clock("2026-11-23T12:00:00Z");
    for file in [FILE, BITNAMI] {
        project
            .run(&format!("set {file} password --from-stdin"))
            .done();
    }
    let again = project.run("offboard alice --no-rekey").done();
    assert_eq!(again.changed_files(), [""; 0], "{again}");
}

#[test]
fn a_person_removed_from_the_project_file_is_found_in_history() {
    let project = project().file(
        "sceau.yaml",
        PROJECT.replace("  bob: {operates: [prod]}\n", ""),
    );
    project.commit("Bob is gone");
    let outcome = project.run("offboard bob --no-rekey").done();
    assert_eq!(outcome.changed_files(), ["rotations/2026-11-22-bob.yaml"]);
    assert!(
        outcome
            .file("rotations/2026-11-22-bob.yaml")
            .contains("item: ")
    );
    // On another day it is the same list.
    let mut project = project;
    project.set_clock("2026-11-25T12:00:00Z");
    assert_eq!(
        project
            .run("offboard bob --no-rekey")
            .done()
            .changed_files(),
        [""; 0]
    );
}

/// A project whose cluster has the pinned key.
fn with_cluster(server: &ResealServer) -> TestProject {
    let project = project().file("kubeconfig", server.kubeconfig());
    fs::write(project.path(".git/info/exclude"), "kubeconfig\n").unwrap();
    project
}

const OFFBOARD: &str = "offboard alice --kubeconfig kubeconfig";

#[test]
fn environments_are_re_keyed_once() {
    let server = ResealServer::renewing(&[TestKey::Prod], TestKey::Other);
    let mut project = with_cluster(&server);
    assert_snapshot!(project.run(OFFBOARD), @"
    exit 0
    stdout:
      RESULT     ENVIRONMENT   SECRET     SEAL   WHERE
      Resealed   prod          shop/api   1      deploy/api/prod/secret.yaml:1
    stderr:
      note: rotations/2026-11-22-alice.yaml lists 1 item that alice could have read; to rotate: 1
      note: sceau.yaml marks alice as left on 2026-11-22
      note: requested a new sealing key for prod
      note: seals: 1 resealed
      note: resealing does not protect values that were already read: rotate them with `sceau set`
      note: certificates/prod.pem pins [KEY Other]
      note: commit it: git commit --all --message 'Re-key prod'
      note: commit it: git add rotations && git commit --all --message 'Offboard alice'
      note: rotate each item with `sceau set FILE ITEM` by 2026-12-22: alice may have read its value
      note: show the open items with `sceau rotations`, and mark rotated ones with `sceau rotations --mark`
    files: certificates/prod.pem, deploy/api/prod/secret.yaml, rotations/2026-11-22-alice.yaml, sceau.yaml
    ");
    assert!(project.text(FILE).contains(TestKey::Other.id()));
    let again = project.run(OFFBOARD).done();
    assert_eq!(again.changed_files(), [""; 0], "{again}");
    project.set_clock("2026-11-22T13:00:00Z");
    project.commit("Offboard alice");
    project.set_clock("2026-11-24T12:00:00Z");
    let later = project.run(OFFBOARD).done();
    assert_eq!(later.changed_files(), [""; 0], "{later}");
    assert_eq!(server.asked().renewals, 1);
}

/// Each row is a moment at which the program may have been killed: what stood in the files then.
#[test]
fn interrupted_anywhere_it_comes_to_the_same_end() {
    const WRITTEN: [&str; 4] = [LIST, "sceau.yaml", FILE, "certificates/prod.pem"];
    let server = ResealServer::renewing(&[TestKey::Prod], TestKey::Other);
    let whole = with_cluster(&server);
    let before = whole.text("sceau.yaml");
    let done = whole.run(OFFBOARD).done();
    assert_ne!(done.file("sceau.yaml"), before);
    for written in 0..=WRITTEN.len() {
        let server = match written {
            0..=2 => ResealServer::renewing(&[TestKey::Prod], TestKey::Other),
            _ => ResealServer::with_keys(&[TestKey::Other, TestKey::Prod]),
        };
        let first = done.before.iter().filter(|(name, _)| *name != "kubeconfig");
        let project = first.fold(TestProject::empty(), |project, (name, text)| {
            project.file(name, text)
        });
        let project = committed(project).file("kubeconfig", server.kubeconfig());
        let project = WRITTEN[..written]
            .iter()
            .fold(project, |project, name| project.file(name, done.file(name)));
        let outcome = project.run(OFFBOARD);
        assert_eq!(outcome.code, 0, "{written}: {outcome}");
        for name in ["sceau.yaml", LIST] {
            assert_eq!(outcome.file(name), done.file(name), "{written}: {name}");
        }
        assert!(
            outcome.file(FILE).contains(TestKey::Other.id()),
            "{written}: {outcome}"
        );
        assert!(
            !outcome.file(FILE).contains(TestKey::Prod.id()),
            "{written}: {outcome}"
        );
        let shown = project.run("certificate show certificates/prod.pem").done();
        assert!(
            shown.stdout().contains(TestKey::Other.id()),
            "{written}: {shown}"
        );
    }
}

#[test]
fn an_unreachable_cluster_does_not_prevent_the_list() {
    let project = project().file("kubeconfig", crate::support::kubeconfig("127.0.0.1:1"));
    let outcome = project.run(OFFBOARD);
    assert_eq!(outcome.code, 4, "{outcome}");
    assert_eq!(outcome.changed_files(), [LIST, "sceau.yaml"]);
    assert!(
        outcome.stderr().contains("run this again to continue"),
        "{outcome}"
    );
}

#[test]
fn an_environment_of_several_clusters_takes_a_run_against_each() {
    let project = project();
    let two = PROJECT.replace(
        "[certificates/prod.pem]",
        "[certificates/prod.pem, certificates/dev.pem]",
    );
    let project = project.file("sceau.yaml", two);
    let outcome = project.run("offboard alice").done();
    assert!(
        outcome
            .stderr()
            .contains("sceau rekey --environment prod --context CONTEXT"),
        "{outcome}"
    );
}

#[test]
fn a_shallow_clone_does_not_know_enough() {
    let project = project();
    project.commit("Another one");
    let clone = TestProject::empty();
    let from = format!("file://{}", project.path("").display());
    let _ = clone.git(&["clone", "--quiet", "--depth", "1", &from, "."]);
    assert_snapshot!(clone.run("offboard alice").refused(1), @"
    exit 1
    stderr:
      error: this clone is shallow: git has no history from before its first commit
      hint: fetch the rest: git fetch --unshallow
    files: unchanged
    ");
    let _ = clone.git(&["fetch", "--quiet", "--unshallow"]);
    let _ = clone.run("offboard alice --no-rekey").done();
}

#[test]
fn without_a_repository_or_a_commit_there_is_no_history() {
    let bare = TestProject::new().file("sceau.yaml", PROJECT);
    // The temporary directory may stand in a repository: not this one.
    let outcome = bare.run("offboard alice").refused(1);
    assert!(
        outcome.stderr().contains("not a git repository"),
        "{outcome}"
    );
    let _ = bare.git(&["init", "--quiet"]);
    assert_snapshot!(bare.run("offboard alice").refused(1), @"
    exit 1
    stderr:
      error: this repository has no commits
      hint: commit the project first
    files: unchanged
    ");
}

#[test]
fn without_git_it_says_so() {
    let outcome = project()
        .spawn("offboard alice", &[("PATH", "/nonexistent")])
        .refused(1);
    assert_snapshot!(outcome, @"
    exit 1
    stderr:
      error: cannot run git: no such file or directory
      hint: install git: sceau lists the files of a repository and reads their history with it
    files: unchanged
    ");
}

#[test]
fn a_hook_of_another_repository_does_not_lead_astray() {
    let project = project();
    let elsewhere = TestProject::empty();
    let _ = elsewhere.git(&["init", "--quiet"]);
    let git_dir = elsewhere.path(".git").display().to_string();
    let path = std::env::var("PATH").unwrap();
    let variables = [
        ("PATH", path.as_str()),
        ("GIT_DIR", &git_dir),
        ("GIT_INDEX_FILE", "/nonexistent"),
    ];
    let outcome = project.spawn("offboard alice --dry-run --left 2026-11-22", &variables);
    assert!(
        outcome.done().stdout().contains("shop/api"),
        "this repository was read"
    );
}

#[test]
fn settings_of_the_user_change_nothing_about_what_is_read() {
    const SETTINGS: [(&str, &str); 8] = [
        ("log.showRoot", "false"),
        ("log.showSignature", "true"),
        ("log.diffMerges", "off"),
        ("color.ui", "always"),
        ("diff.orderFile", "/nonexistent"),
        ("diff.relative", "true"),
        ("diff.renames", "copies"),
        ("core.quotePath", "true"),
    ];
    let project = project();
    let expected = project.run("offboard alice --dry-run").done();
    for (name, value) in SETTINGS {
        let _ = project.git(&["config", name, value]);
    }
    let outcome = project.run("offboard alice --dry-run").done();
    assert_eq!(outcome.stdout(), expected.stdout());
}

#[test]
fn a_person_who_comes_back_and_leaves_again_gets_a_new_list() {
    let mut project = project();
    project.run("offboard alice --no-rekey").done();
    project.set_clock("2026-11-23T12:00:00Z");
    let back = project.file("sceau.yaml", PROJECT);
    back.commit("Alice is back");
    let outcome = back.run("offboard alice --no-rekey").done();
    assert_eq!(
        outcome.changed_files(),
        ["rotations/2026-11-23-alice.yaml", "sceau.yaml"]
    );
}

#[test]
fn a_second_leaving_on_the_same_day_has_a_list_of_its_own() {
    let mut project = project().stdin("battery staple");
    project.run("offboard alice --no-rekey").done();
    project.commit("Offboard alice");
    project.set_clock("2026-11-22T13:00:00Z");
    let back = project.file("sceau.yaml", PROJECT);
    back.run(&format!("set {FILE} password --from-stdin"))
        .done();
    back.commit("Alice is back");
    let mut project = back;
    project.set_clock("2026-11-22T14:00:00Z");
    let outcome = project.run("offboard alice --no-rekey").done();
    let second = "rotations/2026-11-22-alice-2.yaml";
    assert_eq!(outcome.changed_files(), [second, "sceau.yaml"]);
    assert!(!outcome.file(second).contains("rotated:"), "{outcome}");
    project.commit("Offboard alice again");
    let again = project.run("offboard alice --no-rekey").done();
    assert_eq!(again.changed_files(), [""; 0], "{again}");
}

#[test]
fn a_person_removed_twice_has_two_lists() {
    let gone = PROJECT.replace("  bob: {operates: [prod]}\n", "");
    let mut project = project().stdin("battery staple").file("sceau.yaml", &gone);
    project.commit("Bob is gone");
    project.run("offboard bob --no-rekey").done();
    project.set_clock("2026-11-23T12:00:00Z");
    let mut project = project.file("sceau.yaml", PROJECT);
    project
        .run(&format!("set {FILE} password --from-stdin"))
        .done();
    project.commit("Bob is back");
    project.set_clock("2026-11-24T12:00:00Z");
    let project = project.file("sceau.yaml", &gone);
    project.commit("Bob is gone again");
    let outcome = project.run("offboard bob --no-rekey").done();
    let second = "rotations/2026-11-24-bob.yaml";
    assert_eq!(outcome.changed_files(), [second]);
    assert!(!outcome.file(second).contains("rotated:"), "{outcome}");
}

#[test]
fn a_day_before_they_had_any_access_is_refused() {
    let mut project = project();
    project.set_clock("2026-11-24T12:00:00Z");
    let carol = format!("{PROJECT}  carol: {{operates: [prod]}}\n");
    let project = project.file("sceau.yaml", carol);
    project.commit("Carol is new");
    assert_snapshot!(project.run("offboard carol --left 2026-11-23").refused(1), @"
    exit 1
    stderr:
      error: carol operated nothing by 2026-11-23: their access to prod began on 2026-11-24
      hint: check the day and the year of `--left`
    files: unchanged
    ");
    // Nobody contradicts that alice was there: it is told that nothing was found, and not closed.
    let outcome = project
        .run("offboard alice --left 2025-11-22 --no-rekey")
        .done();
    assert!(outcome.stderr().contains("the list is empty"), "{outcome}");
    assert!(
        !outcome
            .file("rotations/2025-11-22-alice.yaml")
            .contains("closed")
    );
}

#[test]
fn a_linked_project_file_has_no_history() {
    let project = project();
    let file = project.path("sceau.yaml");
    fs::rename(&file, project.path("people.yaml")).unwrap();
    std::os::unix::fs::symlink("people.yaml", &file).unwrap();
    project.commit("A link");
    let now = project.run("offboard alice --no-rekey").refused(1);
    assert!(
        now.stderr()
            .contains("error: sceau.yaml is a symbolic link"),
        "{now}"
    );
    fs::remove_file(&file).unwrap();
    fs::rename(project.path("people.yaml"), &file).unwrap();
    project.commit("The file itself");
    let then = project.run("offboard alice --no-rekey").refused(1);
    assert!(
        then.stderr().contains(": sceau.yaml is a symbolic link"),
        "{then}"
    );
    assert!(then.stderr().contains("error: commit "), "{then}");
}

#[test]
fn a_renamed_item_with_its_old_value_is_listed_by_its_new_name() {
    let mut project = project().private_key("../prod.key", TestKey::Prod);
    project.run("offboard alice --no-rekey").done();
    project.commit("Offboard alice");
    project.set_clock("2026-11-24T12:00:00Z");
    project
        .run(&format!(
            "rename {FILE} password passphrase --keys ../prod.key"
        ))
        .done();
    project.commit("Rename");
    let outcome = project.run("offboard alice --no-rekey").done();
    assert!(outcome.file(LIST).contains("item: passphrase"), "{outcome}");
}

#[test]
fn grafts_hide_nothing() {
    let project = project().file(
        "sceau.yaml",
        PROJECT.replace("  bob: {operates: [prod]}\n", ""),
    );
    project.commit("Bob is gone");
    let head = project.git(&["rev-parse", "HEAD"]);
    fs::create_dir_all(project.path(".git/info")).unwrap();
    fs::write(project.path(".git/info/grafts"), head).unwrap();
    let outcome = project.run("offboard bob --no-rekey").done();
    assert!(
        outcome
            .file("rotations/2026-11-22-bob.yaml")
            .contains("item: ")
    );
}

#[test]
fn a_person_not_found_may_be_in_an_unreadable_file() {
    let project = project().file("sceau.yaml", "people: {zoe: [");
    project.commit("Zoe");
    let project = project.file("sceau.yaml", PROJECT);
    project.commit("Repaired");
    let outcome = project.run("offboard zoe --no-rekey").refused(1);
    assert!(
        outcome.stderr().contains("may name them: sceau.yaml:1"),
        "{outcome}"
    );
}

#[test]
fn head_may_be_detached_and_files_may_be_called_anything() {
    const ODD: &str = "deploy/ü b/prod/line\nbreak \"quoted\".yaml";
    let project = project();
    let text = project.text(FILE).replace("name: api", "name: odd");
    let project = project.file(ODD, text);
    project.commit("Odd names");
    let _ = project.git(&["checkout", "--quiet", "--detach"]);
    let outcome = project.run("offboard alice --no-rekey").done();
    let list: serde_json::Value = serde_saphyr::from_str(outcome.file(LIST)).unwrap();
    let files: Vec<_> = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["file"].as_str().unwrap())
        .collect();
    assert!(files.contains(&ODD) && files.contains(&FILE), "{files:?}");
}

#[test]
fn a_project_may_be_below_the_root_of_its_repository() {
    let project = TestProject::empty();
    let source = self::project();
    let place = |name: &str| format!("teams/shop/{name}");
    let project = ["sceau.yaml", FILE, "certificates/prod.pem"]
        .iter()
        .fold(project, |project, name| {
            project.file(&place(name), source.text(name))
        })
        .file(
            "elsewhere/secret.yaml",
            source.text(FILE).replace("name: api", "name: other"),
        );
    let _ = project.git(&["init", "--quiet"]);
    project.commit("Two teams");
    let outcome = project
        .run_in("teams/shop/deploy", "offboard alice --no-rekey")
        .done();
    let list = outcome.file(&place(LIST));
    assert!(
        list.contains("name: api") && list.contains(&format!("file: {FILE}")),
        "{list}"
    );
    assert!(!list.contains("name: other"), "{list}");
}

#[test]
fn a_project_file_that_cannot_be_edited_in_place_is_left_alone() {
    let aliased = PROJECT.replace(
        "alice: {operates: [prod], left: null}",
        "carol: &c {operates: [prod]}\n  alice: *c",
    );
    let project = project().file("sceau.yaml", aliased);
    project.commit("Copied");
    let outcome = project.run("offboard alice --no-rekey");
    assert_eq!(outcome.code, 1, "{outcome}");
    assert!(
        outcome
            .stderr()
            .contains("add `left: 2026-11-22` for alice yourself"),
        "{outcome}"
    );
    // The list is there, and the next run goes on by it.
    assert_eq!(outcome.changed_files(), [LIST]);
    let by_hand = project.text("sceau.yaml").replace(
        "  alice: *c",
        "  alice: {operates: [prod], left: 2026-11-22}",
    );
    let project = project.file("sceau.yaml", by_hand);
    let again = project.run("offboard alice --no-rekey").done();
    assert_eq!(again.changed_files(), [""; 0]);
}

#[test]
fn no_person_is_marked_without_a_list() {
    let long = "a".repeat(250);
    let project = project().file("sceau.yaml", PROJECT.replace("alice", &long));
    project.commit("A long name");
    let outcome = project
        .run(&format!("offboard {long} --no-rekey"))
        .refused(1);
    assert!(outcome.stderr().contains("cannot write"), "{outcome}");
}
