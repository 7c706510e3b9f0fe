//! `sceau.yaml`: what is wrong with it is said with its place.

use insta::assert_snapshot;

use crate::{
    seal_manifests::SECRET,
    support::{Outcome, TestKey, TestProject},
};

#[track_caller]
fn refused(project_file: &str) -> Outcome {
    TestProject::new()
        .file("sceau.yaml", project_file)
        .file("deploy/a/prod/secret.yaml", SECRET)
        .run("seal deploy/a/prod/secret.yaml")
        .refused(1)
}

#[test]
fn an_unknown_field() {
    assert_snapshot!(refused("environments:\n  prod:\n    certificate: a.pem\n"), @"
    exit 1
    stderr:
      error: sceau.yaml:3: environments.prod: unknown field; did you mean `certificates`?
    files: unchanged
    ");
}

#[test]
fn a_duplicate_name() {
    assert_snapshot!(refused("environments:\n  prod: {}\n  dev: {}\n  prod: {}\n"), @"
    exit 1
    stderr:
      error: sceau.yaml:4: `prod` stands here twice
    files: unchanged
    ");
}

#[test]
fn an_environment_name_that_is_none() {
    assert_snapshot!(refused("environments:\n  Prod: {}\n"), @"
    exit 1
    stderr:
      error: sceau.yaml:2: environments: not a valid environment name: use 1 to 63 lower-case letters, digits and `-`, with a letter or digit first and last (RFC 1123)
    files: unchanged
    ");
}

#[test]
fn a_field_of_the_wrong_kind() {
    assert_snapshot!(refused("environments:\n  prod:\n    paths: a\n"), @"
    exit 1
    stderr:
      error: sceau.yaml:3: environments.prod.paths: a list is expected
    files: unchanged
    ");
}

#[test]
fn a_path_rule_that_two_environments_share() {
    assert_snapshot!(refused("environments:\n  prod: {paths: [\"deploy/**\"]}\n  dev: {paths: [\"deploy/**\"]}\n"), @"
    exit 1
    stderr:
      error: sceau.yaml: `dev` and `prod` both claim the path `deploy/**`
    files: unchanged
    ");
}

#[test]
fn a_path_that_two_environments_claim() {
    assert_snapshot!(refused("environments:\n  prod: {paths: [\"deploy/**\"]}\n  dev: {paths: [\"**/secret.yaml\"]}\n"), @"
    exit 1
    stderr:
      error: `dev` and `prod` both claim deploy/a/prod/secret.yaml in sceau.yaml
      hint: change their `paths` so that only one matches
    files: unchanged
    ");
}

#[test]
fn a_path_rule_that_is_none() {
    assert_snapshot!(refused("environments:\n  prod: {paths: [\"a[\"]}\n"), @"
    exit 1
    stderr:
      error: sceau.yaml: the path rule `a[`: unclosed character class; missing ']'
    files: unchanged
    ");
}

#[test]
fn path_rules_that_match_nothing() {
    for rule in ["./deploy/**", "/deploy/**", "../deploy/**"] {
        let text = format!("environments:\n  prod: {{paths: [\"{rule}\"]}}\n");
        let outcome = refused(&text);
        let expected = format!("sceau.yaml: the path rule `{rule}`: it matches no path: ");
        assert!(outcome.stderr().contains(&expected), "{outcome}");
    }
    assert_snapshot!(refused("environments:\n  prod: {paths: [\"!deploy/**\"]}\n"), @"
    exit 1
    stderr:
      error: sceau.yaml: the path rule `!deploy/**`: rules that exclude paths are not supported
      hint: list only the environment's own paths
    files: unchanged
    ");
    let hidden = "environments:\n  prod: {paths: [\".deploy/**\"]}\n";
    let outcome = refused(hidden);
    assert!(outcome.stderr().contains("no path rule"), "{outcome}");
}

#[test]
fn a_file_that_is_no_mapping() {
    assert_snapshot!(refused("- environments\n"), @"
    exit 1
    stderr:
      error: sceau.yaml:1: a mapping is expected
    files: unchanged
    ");
}

#[test]
fn byte_order_marks() {
    let mark = |text: &str| format!("\u{feff}{text}");
    let project = TestProject::new().file("deploy/a/prod/secret.yaml", mark(SECRET));
    let project_file = mark(&project.text("sceau.yaml"));
    let certificate = mark(&project.text("certificates/prod.pem"));
    let project = project
        .file("sceau.yaml", project_file)
        .file("certificates/prod.pem", certificate)
        .file("prod.key", mark(TestKey::Prod.private_pem()));
    let _ = project
        .run("seal deploy/a/prod/secret.yaml -w sealed.yaml")
        .done();
    let _ = project.run("unseal sealed.yaml --keys prod.key").done();
    let _ = project.run("certificate show certificates/prod.pem").done();
}

#[test]
fn a_day_may_be_quoted() {
    for day in ["2026-11-21", "'2026-11-21'", "null"] {
        let outcome = refused(&format!("people:\n  alice: {{left: {day}}}\n"));
        assert!(outcome.stderr().contains("no path rule"), "{outcome}");
    }
}

#[test]
fn a_person_who_operates_an_unknown_environment() {
    assert_snapshot!(refused("people:\n  alice: {operates: [prod]}\n"), @"
    exit 1
    stderr:
      error: sceau.yaml: people.alice.operates: environment `prod` does not exist
    files: unchanged
    ");
}

#[test]
fn a_day_that_is_none() {
    assert_snapshot!(refused("people:\n  alice: {left: yesterday}\n"), @"
    exit 1
    stderr:
      error: sceau.yaml:2: people.alice.left: a day such as 2026-11-21 is expected
    files: unchanged
    ");
}

#[test]
fn an_environment_without_certificates() {
    assert_snapshot!(refused("environments:\n  prod: {paths: [\"deploy/**\"]}\n"), @"
    exit 1
    stderr:
      error: sceau.yaml: environment `prod` has no certificates to seal to
      hint: add one under environments.prod.certificates, and run `sceau certificate fetch --environment prod`
    files: unchanged
    ");
}

#[test]
fn invalid_yaml() {
    assert_snapshot!(refused("environments: [\n"), @"
    exit 1
    stderr:
      error: sceau.yaml:1: no valid YAML: unclosed bracket '['
    files: unchanged
    ");
}

#[test]
fn an_empty_file() {
    assert_snapshot!(refused("# nothing yet\n"), @"
    exit 1
    stderr:
      error: no path rule of sceau.yaml matches deploy/a/prod/secret.yaml, so its environment is unknown
      hint: add an environment to sceau.yaml
    files: unchanged
    ");
}

#[test]
fn a_star_stops_at_a_slash() {
    let project = TestProject::new().file("deploy/a/b/prod/secret.yaml", SECRET);
    project.run("seal deploy/a/b/prod/secret.yaml").refused(1);
}

#[test]
fn a_person_who_left_may_have_operated_an_environment_that_is_gone() {
    let outcome = refused("people:\n  alice: {operates: [prod], left: 2026-11-21}\n");
    assert!(outcome.stderr().contains("no path rule"), "{outcome}");
}
