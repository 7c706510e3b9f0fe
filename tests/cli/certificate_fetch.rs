//! `sceau certificate fetch`, against an API server that knows one answer.

use insta::assert_snapshot;
use jiff::{SignedDuration, Timestamp};
use sceau::Terminals;
use serde_json::json;

use crate::support::{ApiServer, NOW, Outcome, TestKey, TestProject, kubeconfig};

const FETCH_BELOW: &str = "certificate fetch --environment prod --kubeconfig ../kubeconfig";
const FETCH: &str = "certificate fetch --environment prod --kubeconfig kubeconfig";

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

/// A cluster whose environment has this certificate, and a project that pins that of prod.
fn cluster_with(certificate: &str) -> TestProject {
    let server = ApiServer::with_status(&json!({"certificate": certificate}));
    TestProject::new().file("kubeconfig", server.kubeconfig())
}

fn at_a_terminal(project: TestProject, answer: &str) -> TestProject {
    project.stdin(answer).terminals(Terminals {
        stdin: true,
        stdout: true,
    })
}

#[test]
fn the_first_certificate_is_pinned_without_asking() {
    let project = cluster_with(&TestKey::Other.certificate(now()));
    std::fs::remove_file(project.path("certificates/prod.pem")).unwrap();
    let outcome = project.run(FETCH);
    assert_snapshot!(outcome, @"
    exit 0
    stderr:
      note: certificates/prod.pem pins [KEY Other]
    files: certificates/prod.pem
    ");
    assert!(
        outcome
            .file("certificates/prod.pem")
            .contains("BEGIN CERTIFICATE")
    );
}

#[test]
fn a_newer_certificate_of_the_same_key_is_pinned_without_asking() {
    let certificate = TestKey::Prod.certificate(now());
    let outcome = cluster_with(&certificate).run(FETCH).done();
    assert_eq!(outcome.file("certificates/prod.pem"), certificate);
}

#[test]
fn another_key_is_shown_and_pinned_after_confirmation() {
    for answer in ["y\n", "yes\n"] {
        let project = at_a_terminal(cluster_with(&TestKey::Other.certificate(now())), answer);
        let outcome = project.run(FETCH).done();
        assert_eq!(outcome.changed_files(), ["certificates/prod.pem"]);
    }
    let project = at_a_terminal(cluster_with(&TestKey::Other.certificate(now())), "y\n");
    assert_snapshot!(project.run(FETCH), @"
    exit 0
    stderr:
      note: the key of certificates/prod.pem changes
            old: [KEY Prod]
            new: [KEY Other]
      Seal to the new key from now on? [y/N] note: certificates/prod.pem pins [KEY Other]
    files: certificates/prod.pem
    ");
}

#[test]
fn another_key_is_not_pinned_without_confirmation() {
    for answer in ["\n", "n\n", "", "never\n"] {
        let project = at_a_terminal(cluster_with(&TestKey::Other.certificate(now())), answer);
        let outcome = project.run(FETCH);
        assert_eq!(outcome.changed_files(), Vec::<&str>::new(), "{outcome}");
    }
    let project = at_a_terminal(cluster_with(&TestKey::Other.certificate(now())), "n\n");
    assert_snapshot!(project.run(FETCH), @"
    exit 0
    stderr:
      note: the key of certificates/prod.pem changes
            old: [KEY Prod]
            new: [KEY Other]
      Seal to the new key from now on? [y/N] note: nothing was changed
    files: unchanged
    ");
}

#[test]
fn another_key_is_not_pinned_without_a_terminal() {
    let project = cluster_with(&TestKey::Other.certificate(now()));
    assert_snapshot!(project.run(FETCH).refused(1), @"
    exit 1
    stderr:
      note: the key of certificates/prod.pem changes
            old: [KEY Prod]
            new: [KEY Other]
      error: the pinned certificate was not replaced: confirmation needs a terminal
      hint: compare the new key id with the one that operations announced, and pass `--yes`
    files: unchanged
    ");
}

#[test]
fn another_key_is_pinned_with_yes() {
    let project = cluster_with(&TestKey::Other.certificate(now()));
    let outcome = project.run(&format!("{FETCH} --yes")).done();
    assert_eq!(outcome.changed_files(), ["certificates/prod.pem"]);
    assert!(
        outcome.stderr().contains(TestKey::Prod.id())
            && outcome.stderr().contains(TestKey::Other.id())
    );
}

#[test]
fn a_pinned_file_that_is_unreadable_is_replaced_like_another_key() {
    let project =
        cluster_with(&TestKey::Prod.certificate(now())).file("certificates/prod.pem", "junk");
    assert_snapshot!(project.run(FETCH).refused(1), @"
    exit 1
    stderr:
      note: the key of certificates/prod.pem changes
            old: unreadable
            new: [KEY Prod]
      error: the pinned certificate was not replaced: confirmation needs a terminal
      hint: compare the new key id with the one that operations announced, and pass `--yes`
    files: unchanged
    ");
}

#[test]
fn one_of_several_certificates_is_named() {
    let project = cluster_with(&TestKey::Other.certificate(now())).file(
        "sceau.yaml",
        "environments:\n  prod: {certificates: [certificates/prod.pem, certificates/us.pem]}\n",
    );
    let outcome = project
        .run_in("certificates", &format!("{FETCH_BELOW} --write us.pem"))
        .done();
    assert_eq!(outcome.changed_files(), ["certificates/us.pem"]);
    let said = format!("note: certificates/us.pem pins {}\n", TestKey::Other.id());
    assert_eq!(outcome.stderr(), said);
    let elsewhere = project.run_in(
        "certificates",
        &format!("{FETCH_BELOW} --write certificates/us.pem"),
    );
    assert_snapshot!(elsewhere.refused(1), @"
    exit 1
    stderr:
      error: the file to write is not a certificate of environment `prod` in sceau.yaml
      hint: list it under environments.prod.certificates, whose paths are relative to sceau.yaml
    files: unchanged
    ");
}

#[test]
fn the_context_of_the_project_file_is_used_unless_another_is_named() {
    let project = cluster_with(&TestKey::Prod.certificate(now())).file(
        "sceau.yaml",
        "environments:\n  prod: {certificates: [new.pem], context: there}\n",
    );
    let outcome = project.run(FETCH).refused(4);
    assert!(outcome.stderr().contains("there"), "{outcome}");
    project.run(&format!("{FETCH} --context here")).done();
}

#[test]
fn certificates_that_could_not_be_sealed_to_are_not_pinned() {
    let day = SignedDuration::from_hours(24);
    let expired = TestKey::Other.certificate_between(now() - day * 2, now() - day);
    let two = TestKey::Other.certificate(now()) + &TestKey::Dev.certificate(now());
    for certificate in [
        two.as_str(),
        expired.as_str(),
        "junk",
        include_str!("certificates/rsa-1024.pem"),
        include_str!("certificates/elliptic-curve.pem"),
    ] {
        let outcome = cluster_with(certificate)
            .run(&format!("{FETCH} --yes"))
            .refused(4);
        assert!(
            outcome.stderr().contains("the cluster's certificate: "),
            "{outcome}"
        );
    }
}

#[test]
fn a_missing_certificate_a_rejection_and_an_unreachable_cluster_differ() {
    let fetch = |kubeconfig: String| -> Outcome {
        TestProject::new()
            .file("kubeconfig", kubeconfig)
            .run(FETCH)
            .refused(4)
    };
    let forbidden = ApiServer::with_refusal(
        403,
        "Forbidden",
        "environments.sceau.dev \"prod\" is forbidden: User \"dev\" cannot get resource",
    );
    assert_snapshot!(fetch(forbidden.kubeconfig()), @r#"
    exit 4
    stderr:
      error: the API server rejected the request: environments.sceau.dev "prod" is forbidden: User "dev" cannot get resource
      hint: grant your user `get` on environments.sceau.dev
    files: unchanged
    "#);
    let unauthorized = ApiServer::with_refusal(401, "Unauthorized", "Unauthorized");
    assert_snapshot!(fetch(unauthorized.kubeconfig()), @"
    exit 4
    stderr:
      error: the API server rejected the request: Unauthorized
      hint: grant your user `get` on environments.sceau.dev
    files: unchanged
    ");
    let missing =
        ApiServer::with_refusal(404, "NotFound", "environments.sceau.dev \"prod\" not found");
    assert_snapshot!(fetch(missing.kubeconfig()), @"
    exit 4
    stderr:
      error: the cluster has no Environment `prod`, or sceau is not installed there
      hint: check `--context`, or install sceau in the cluster
    files: unchanged
    ");
    assert_snapshot!(fetch(ApiServer::with_status(&json!({})).kubeconfig()), @"
    exit 4
    stderr:
      error: Environment `prod` has no certificate yet
      hint: find the reason with `kubectl describe environments.sceau.dev`
    files: unchanged
    ");
    assert_snapshot!(fetch(kubeconfig("127.0.0.1:1")), @"
    exit 4
    stderr:
      error: the cluster is unreachable: ServiceError: client error (Connect): tcp connect error: Connection refused (os error 111)
      hint: check the network and `--context`; for `certificate fetch`, a colleague can send the public certificate
    files: unchanged
    ");
}

#[test]
fn an_unusable_kubeconfig_is_reported() {
    let fetch = |flags: &str| {
        let project = TestProject::new().file("kubeconfig", kubeconfig("127.0.0.1:1"));
        project
            .run(&format!("certificate fetch --environment prod {flags}"))
            .refused(4)
    };
    assert_snapshot!(fetch("--kubeconfig nowhere"), @"
    exit 4
    stderr:
      error: the kubeconfig cannot be used: cannot read [PROJECT]/nowhere: no such file or directory
      hint: choose a kubeconfig with `--kubeconfig`, and a context with `--context`
    files: unchanged
    ");
    assert_snapshot!(fetch("--kubeconfig kubeconfig --context there"), @"
    exit 4
    stderr:
      error: the kubeconfig cannot be used: it has no context `there`
      hint: choose a kubeconfig with `--kubeconfig`, and a context with `--context`
    files: unchanged
    ");
}

#[test]
fn which_certificate_to_pin_must_be_clear() {
    let project = TestProject::new().file(
        "sceau.yaml",
        "environments:\n  prod: {certificates: [a.pem, b.pem]}\n  dev: {}\n",
    );
    assert_snapshot!(project.run("certificate fetch --environment prod").refused(2), @"
    exit 2
    stderr:
      error: environment `prod` has several certificates: a.pem, b.pem
      hint: choose the file with `--write FILE`, and the cluster with `--context`
    files: unchanged
    ");
    assert_snapshot!(project.run("certificate fetch --environment dev").refused(1), @"
    exit 1
    stderr:
      error: sceau.yaml names no certificate for environment `dev`
      hint: add one, such as `certificates: [certificates/dev.pem]`
    files: unchanged
    ");
    assert_snapshot!(project.run("certificate fetch --environment prodd").refused(1), @"
    exit 1
    stderr:
      error: sceau.yaml has no environment `prodd`
      hint: use the similar name `prod`
    files: unchanged
    ");
}
