//! `sceau rotations`: what is open, what ticks it, and what CI is told.

use std::fs;

use insta::assert_snapshot;

use crate::{
    offboard::project,
    support::{ApiServer, Outcome, TestProject},
};

const FILE: &str = "deploy/api/prod/secret.yaml";
const LIST: &str = "rotations/2026-11-22-alice.yaml";

/// A project that alice has left; it is two days later.
fn after_leaving() -> TestProject {
    let project = project();
    let text = project.text(FILE).replace(
        "  namespace: shop\n",
        "  namespace: shop\n  annotations: {sceau.dev/owner: payments, provider.sceau.dev/pin: https://console.example}\n",
    );
    let mut project = project.file(FILE, text);
    project.run("offboard alice --no-rekey").done();
    project.set_clock("2026-11-24T12:00:00Z");
    project
}

fn items(project: &TestProject) -> Vec<String> {
    let list: serde_json::Value = serde_saphyr::from_str(&project.text(LIST)).unwrap();
    let items = list["items"].as_array().unwrap().iter();
    items
        .map(|it| it["item"].as_str().unwrap().to_owned())
        .collect()
}

/// Gives every item a new value.
fn rotate(project: TestProject) -> TestProject {
    let project = project.stdin("battery staple");
    for item in items(&project) {
        project
            .run(&format!("set {FILE} {item} --from-stdin"))
            .done();
    }
    project
}

#[track_caller]
fn states(outcome: &Outcome) -> Vec<String> {
    let rows: serde_json::Value = serde_json::from_str(outcome.stdout()).unwrap();
    let states = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["state"].as_str().unwrap().to_owned());
    states.collect()
}

#[test]
fn open_items_are_shown_until_they_are_rotated() {
    let project = after_leaving();
    assert_snapshot!(project.run("rotations"), @"
    exit 0
    stdout:
      DEADLINE     PERSON   ENVIRONMENT   SECRET     ITEM       STATE      FILE                          OWNER      PROVIDER
      2026-12-22   alice    prod          shop/api   password   SameText   deploy/api/prod/secret.yaml   payments
      
      SameText: its sealed text is the one that the person could have read: rotate it with `sceau set FILE ITEM`
    files: unchanged
    ");
    assert_eq!(
        project.run("rotations --mark").done().changed_files(),
        [""; 0]
    );
    let project = rotate(project);
    let untouched = project.text(LIST);
    assert_snapshot!(project.run("rotations").done(), @"
    exit 0
    stderr:
      note: no items are open
    files: unchanged
    ");
    let outcome = project.run("rotations --mark").done();
    assert_eq!(outcome.changed_files(), [LIST]);
    for line in untouched.lines() {
        assert!(outcome.file(LIST).contains(line), "{line}");
    }
    assert!(
        outcome.file(LIST).contains("closed: \"2026-11-24\""),
        "{outcome}"
    );
    assert_eq!(
        outcome.file(LIST).matches("knownBy: seal").count(),
        items(&project).len()
    );
    assert_eq!(
        project.run("rotations --mark").done().changed_files(),
        [""; 0]
    );
}

#[test]
fn resealing_marks_nothing() {
    let project = after_leaving()
        .private_key("../prod.key", crate::support::TestKey::Prod)
        .file(
            "certificates/prod.pem",
            crate::support::TestKey::Other.certificate("2026-11-22T12:00:00Z".parse().unwrap()),
        );
    let outcome = project.run("reseal --keys ../prod.key").done();
    assert_eq!(outcome.changed_files(), [FILE]);
    assert!(
        states(&project.run("rotations -o json"))
            .iter()
            .all(|it| it == "SameText")
    );
}

#[test]
fn a_check_fails_after_the_deadline_and_not_before() {
    let mut project = after_leaving();
    let before = project.run("rotations --check").done();
    assert_eq!(before.changed_files(), [""; 0]);
    project.set_clock("2026-12-22T23:59:00Z");
    project.run("rotations --check").done();
    project.set_clock("2026-12-23T00:00:00Z");
    let outcome = project.run("rotations --check");
    assert_eq!(outcome.code, 3, "{outcome}");
    assert!(outcome.stdout().contains("2026-12-22 overdue"), "{outcome}");
}

#[test]
fn a_restored_manifest_reopens_its_list() {
    let project = after_leaving();
    let old = project.text(FILE);
    let project = rotate(project);
    project.run("rotations --mark").done();
    project.run("rotations --check").done();
    let project = project.file(FILE, old);
    let outcome = project.run("rotations --check");
    assert_eq!(outcome.code, 3, "{outcome}");
    assert!(outcome.stdout().contains("reopened"), "{outcome}");
    assert!(
        outcome.stderr().contains("or on a closed list"),
        "{outcome}"
    );
    let outcome = project.run("rotations --mark").done();
    assert!(outcome.file(LIST).contains("closed: null"), "{outcome}");
    assert!(outcome.file(LIST).contains("rotated: null"), "{outcome}");
}

#[test]
fn a_seal_that_only_claims_to_be_newer_marks_nothing() {
    let project = after_leaving();
    let forged = project
        .text(FILE)
        .replace("2026-11-22T11:30:00Z", "2026-11-24T11:00:00Z");
    let project = project.file(FILE, forged);
    assert!(
        states(&project.run("rotations -o json"))
            .iter()
            .all(|it| it == "SameText")
    );
    let project = rotate(project);
    let future = project
        .text(FILE)
        .replace("2026-11-24T12:00:00Z", "2027-01-01T00:00:00Z");
    let project = project.file(FILE, future);
    assert!(
        states(&project.run("rotations -o json"))
            .iter()
            .all(|it| it == "InFuture")
    );
}

/// A cluster whose controller has opened what the file holds, and found these items unchanged.
fn cluster(project: &TestProject, unchanged: &serde_json::Value) -> ApiServer {
    let mut object: serde_json::Value = serde_saphyr::from_str(&project.text(FILE)).unwrap();
    object["metadata"]["generation"] = 4.into();
    object["status"] = serde_json::json!({
        "observedGeneration": 4,
        "conditions": [{"type": "Ready", "status": "True", "reason": "Unsealed", "message": "", "lastTransitionTime": "2026-11-24T12:00:00Z"}],
        "unchanged": unchanged,
        "comparedSince": "2026-01-01T00:00:00Z",
    });
    ApiServer::with_object(&object)
}

const ASK: &str = "--cluster --kubeconfig kubeconfig";

#[test]
fn the_controller_reports_values_that_were_only_sealed_again() {
    let project = rotate(after_leaving());
    let item = items(&project).remove(0);
    let unchanged = serde_json::json!([{"item": item, "since": "2026-11-22T11:30:00Z"}]);
    let server = cluster(&project, &unchanged);
    let project = project.file("kubeconfig", server.kubeconfig());
    assert_snapshot!(project.run(&format!("rotations {ASK}")), @"
    exit 0
    stdout:
      DEADLINE     PERSON   ENVIRONMENT   SECRET     ITEM       STATE       FILE                          OWNER      PROVIDER
      2026-12-22   alice    prod          shop/api   password   Unchanged   deploy/api/prod/secret.yaml   payments
      
      Unchanged: it was sealed again with its old value, as the controller reports: rotate it with `sceau set FILE ITEM`
    files: unchanged
    ");
    assert!(states(&project.run("rotations -o json")).is_empty());
    project.run(&format!("rotations --mark {ASK}")).done();
    // From here on it is known without the cluster, until there is another value.
    assert_eq!(states(&project.run("rotations -o json")), ["Unchanged"]);
    let project = rotate(project);
    let server = cluster(&project, &serde_json::json!([]));
    let project = project.file("kubeconfig", server.kubeconfig());
    let outcome = project.run(&format!("rotations --mark {ASK}")).done();
    assert!(
        outcome.file(LIST).contains("knownBy: controller"),
        "{outcome}"
    );
    assert!(
        outcome.file(LIST).contains("closed: \"2026-11-24\""),
        "{outcome}"
    );
}

#[test]
fn a_cluster_that_refuses_says_what_is_needed() {
    let server = ApiServer::with_refusal(403, "Forbidden", "sealedsecrets is forbidden");
    let project = rotate(after_leaving()).file("kubeconfig", server.kubeconfig());
    assert_snapshot!(project.run(&format!("rotations {ASK}")).refused(4), @"
    exit 4
    stderr:
      error: the API server rejected the request: sealedsecrets is forbidden
      hint: grant your user `get` on sealedsecrets.sceau.dev in the namespaces of the lists
    files: unchanged
    ");
}

#[test]
fn removed_items_are_open_until_they_are_confirmed() {
    let project = after_leaving();
    fs::remove_file(project.path(FILE)).unwrap();
    let outcome = project.run("rotations -o json").done();
    assert!(states(&outcome).iter().all(|it| it == "Gone"));
    let words: Vec<String> = items(&project)
        .iter()
        .map(|item| format!("prod:shop/api/{item}"))
        .collect();
    let (last, first) = words.split_last().unwrap();
    for id in first {
        let outcome = project.run(&format!("rotations --confirm {id}")).done();
        assert!(!outcome.file(LIST).contains("closed"), "{outcome}");
    }
    let outcome = project.run(&format!("rotations --confirm {last}")).done();
    assert!(
        outcome.file(LIST).contains("closed: \"2026-11-24\""),
        "{outcome}"
    );
    assert_snapshot!(project.run("rotations").done(), @"
    exit 0
    stderr:
      note: no items are open
    files: unchanged
    ");
}

#[test]
fn a_text_is_known_again_under_any_name() {
    let project = after_leaving();
    let old = project.text(FILE);
    for (from, to) in [
        ("  namespace: shop\n", ""),
        ("name: api", "name: other"),
        ("environment: prod", "environment: staging"),
        ("password: ", "passphrase: "),
    ] {
        assert!(old.contains(from), "{old}");
        fs::write(project.path(FILE), old.replace(from, to)).unwrap();
        let outcome = project.run("rotations -o json").done();
        assert_eq!(states(&outcome), ["SameText"], "{to}: {outcome}");
        let refused = project.run("rotations --confirm prod:shop/api/password");
        assert!(refused.refused(1).stderr().contains("could have read"));
    }
    // A copy of the old text keeps the list open after the item is rotated.
    fs::write(project.path(FILE), &old).unwrap();
    let project = rotate(project);
    let project = project.file("copy.yaml", old.replace("name: api", "name: copy"));
    let outcome = project.run("rotations --mark").done();
    assert!(outcome.stdout().contains("copy.yaml"), "{outcome}");
    assert_eq!(outcome.changed_files(), [""; 0]);
}

#[test]
fn a_confirmation_does_not_replace_a_rotation() {
    let project = after_leaving();
    let id = format!("prod:shop/api/{}", items(&project)[0]);
    let outcome = project.run(&format!("rotations --confirm {id}"));
    assert_snapshot!(outcome.refused(1), @"
    exit 1
    stderr:
      error: cannot confirm prod:shop/api/password: according to the files, alice could have read its present value
      hint: rotate it with `sceau set FILE ITEM`: it needs no confirmation then
    files: unchanged
    ");
    assert_snapshot!(project.run("rotations --confirm prod:shop/api/OTHER").refused(1), @"
    exit 1
    stderr:
      error: prod:shop/api/OTHER is not on a list under rotations/
      hint: list the open items with `sceau rotations`
    files: unchanged
    ");
    assert_eq!(project.run("rotations --confirm OTHER").refused(2).code, 2);
}

#[test]
fn an_unreadable_list_is_reported_with_its_place() {
    let project = after_leaving();
    let text = project.text(LIST).replace("person: alice", "persn: alice");
    let project = project.file(LIST, text);
    assert_snapshot!(project.run("rotations --check").refused(1), @"
    exit 1
    stderr:
      error: rotations/2026-11-22-alice.yaml:3: unknown field; did you mean `person`?
    files: unchanged
    ");
}

#[test]
fn without_lists_nothing_is_open() {
    assert_snapshot!(TestProject::new().run("rotations --check").done(), @"
    exit 0
    stderr:
      note: no items are open
    files: unchanged
    ");
}

#[test]
fn no_ignore_rule_hides_a_list() {
    for rules in [".gitignore", ".ignore"] {
        let mut project = after_leaving().file(rules, "rotations/*\n*.yaml\n!deploy/**\n");
        project.set_clock("2026-12-23T00:00:00Z");
        let outcome = project.run("rotations --check");
        assert_eq!(outcome.code, 3, "{rules}: {outcome}");
        // What offboard finds is kept, and its deadline with it.
        let outcome = project.run("offboard alice --no-rekey").done();
        assert_eq!(outcome.changed_files(), [""; 0], "{rules}: {outcome}");
    }
}

#[test]
fn entries_that_only_look_like_lists_are_rejected() {
    let project = after_leaving();
    let list = project.text(LIST);
    fs::remove_dir_all(project.path("rotations")).unwrap();
    let project = project.file("rotations", list);
    for command in ["rotations --check", "offboard alice --no-rekey"] {
        let outcome = project.run(command).refused(1);
        assert!(
            outcome.stderr().contains("rotations is not a directory"),
            "{outcome}"
        );
    }
}

#[cfg(unix)]
#[test]
fn no_symbolic_link_is_followed_to_a_list() {
    use std::os::unix::fs::symlink;
    let project = after_leaving().file("elsewhere/keep.txt", "");
    for (link, target) in [(LIST, "../elsewhere/list.yaml"), ("rotations", "elsewhere")] {
        let path = project.path(link);
        if path.is_dir() {
            fs::remove_dir_all(&path).unwrap();
        } else {
            fs::remove_file(&path).unwrap();
        }
        symlink(target, &path).unwrap();
        for command in [
            "rotations --check",
            "rotations --mark",
            "offboard alice --no-rekey",
        ] {
            let outcome = project.run(command);
            assert_eq!(outcome.code, 1, "{command}: {outcome}");
            assert!(outcome.stderr().contains(link), "{command}: {outcome}");
        }
        assert!(!project.path("elsewhere/list.yaml").exists());
        assert_eq!(fs::read_dir(project.path("elsewhere")).unwrap().count(), 1);
    }
}

#[test]
fn a_list_by_another_extension_is_not_passed_over() {
    let project = after_leaving();
    fs::rename(
        project.path(LIST),
        project.path("rotations/2026-11-22-alice.YAML"),
    )
    .unwrap();
    assert_snapshot!(project.run("rotations --check").refused(1), @"
    exit 1
    stderr:
      error: rotations/2026-11-22-alice.YAML may be a list, but its extension is not spelled `.yaml`
      hint: rename it
    files: unchanged
    ");
    let project = after_leaving().file("rotations/README.md", "Who left.\n");
    project.run("rotations --check").done();
}

#[test]
fn every_person_who_left_has_a_list() {
    let project = after_leaving();
    fs::remove_dir_all(project.path("rotations")).unwrap();
    assert_snapshot!(project.run("rotations --check"), @"
    exit 3
    stderr:
      warning: sceau.yaml marks alice as left, but there is no list of what they could have read
      error: there is no list for alice
      hint: create it: sceau offboard alice
    files: unchanged
    ");
    project.run("rotations").done();
    project.run("offboard alice --no-rekey").done();
    project.run("rotations --check").done();
}

#[test]
fn notice_takes_no_list_before_its_day() {
    let mut project = TestProject::new();
    let text = format!(
        "{}people:\n  carol: {{operates: [], left: 2026-12-31}}\n",
        project.text("sceau.yaml")
    );
    project = project.file("sceau.yaml", text);
    project.run("rotations --check").done();
    project.set_clock("2026-12-31T12:00:00Z");
    assert_eq!(project.run("rotations --check").code, 3);
}

#[test]
fn what_cannot_be_read_is_neither_done_nor_confirmed() {
    let project = rotate(after_leaving());
    project.run("rotations --mark").done();
    let text = project.text(FILE);
    let twice = text.replace("  name: api\n", "  name: api\n  name: api\n");
    assert_ne!(twice, text);
    let project = project.file(FILE, twice);
    let outcome = project.run("rotations --check");
    assert_eq!(outcome.code, 3, "{outcome}");
    let id = format!("prod:shop/api/{}", items(&project)[0]);
    let outcome = project.run(&format!("rotations --confirm {id}")).refused(1);
    assert!(
        outcome
            .stderr()
            .contains("nothing was confirmed: 1 manifest cannot be read"),
        "{outcome}"
    );
    let project = project
        .file(FILE, text)
        .file("deploy/other.yaml", b"kind: SealedSecret\n\xff\n");
    let outcome = project.run("rotations --check");
    assert_eq!(outcome.code, 3, "{outcome}");
    assert!(outcome.stderr().contains("deploy/other.yaml"), "{outcome}");
    assert!(!outcome.stderr().contains("no items are open"), "{outcome}");
}

#[test]
fn a_tracked_manifest_is_there_whatever_is_ignored() {
    let project = after_leaving().file(".gitignore", "deploy/\n");
    assert_eq!(states(&project.run("rotations -o json")), ["SameText"]);
    let id = format!("prod:shop/api/{}", items(&project)[0]);
    project.run(&format!("rotations --confirm {id}")).refused(1);
}
