//! `sceau reseal` through clusters.

use insta::assert_snapshot;

use crate::{
    reseal::{pinning, sealed},
    support::{ApiServer, ResealServer, TestKey, TestProject, kubeconfig},
};

const FILE: &str = "deploy/api/prod/secret.yaml";
const RESEAL: &str = "reseal --kubeconfig kubeconfig";

fn with(server: &ResealServer, project: TestProject) -> TestProject {
    project.file("kubeconfig", server.kubeconfig())
}

#[test]
fn the_controller_wraps_for_its_active_key() {
    let server = ResealServer::with_keys(&[TestKey::Other, TestKey::Prod]);
    let project = with(&server, pinning(sealed(), &[TestKey::Other]));
    assert_snapshot!(project.run(RESEAL), @"
    exit 0
    stdout:
      RESULT     ENVIRONMENT   SECRET     SEAL   WHERE
      Resealed   prod          shop/api   1      deploy/api/prod/secret.yaml:1
    stderr:
      note: seals: 1 resealed
      note: resealing does not protect values that were already read: rotate them with `sceau set`
    files: deploy/api/prod/secret.yaml
    ");
    project
        .run(&format!("unseal {FILE} --keys other.key"))
        .done();
    let again = project.run(RESEAL).done();
    assert_eq!(again.changed_files(), Vec::<&str>::new());
    assert_eq!(
        server.asked().requests,
        [1],
        "what is current is not asked for"
    );
    assert_eq!(server.asked().deleted, 1);
}

#[test]
fn requests_have_at_most_512_seals() {
    let server = ResealServer::with_keys(&[TestKey::Other, TestKey::Prod]);
    let project = sealed();
    let stale = project.text(FILE);
    let many = vec![stale.as_str(); 600].join("---\n");
    let project = project.file("deploy/a/prod/many.yaml", many);
    let project = with(&server, pinning(project, &[TestKey::Other]));
    let outcome = project.run(RESEAL).done();
    assert_eq!(outcome.changed_files(), ["deploy/a/prod/many.yaml", FILE]);
    assert_eq!(server.asked().requests, [512, 88, 1]);
    assert_eq!(server.asked().deleted, 3);
}

#[test]
fn two_clusters_take_one_run_each_and_the_old_recipients_stay_until_the_last() {
    let project = pinning(sealed(), &[TestKey::Prod, TestKey::Dev]);
    project.run("reseal --keys prod.key").done();
    // Prod's cluster goes on to Other; Dev's has not got a new key, but is not wrapped for yet.
    let project = pinning(sealed(), &[TestKey::Other, TestKey::Dev]);
    let eu = ResealServer::with_keys(&[TestKey::Other, TestKey::Prod]);
    let project = with(&eu, project);
    assert_snapshot!(project.run(RESEAL), @"
    exit 1
    stdout:
      RESULT       ENVIRONMENT   SECRET     SEAL   WHERE
      Incomplete   prod          shop/api   1      deploy/api/prod/secret.yaml:1
      
      deploy/api/prod/secret.yaml:1: not wrapped for certificates/Dev.pem, so the old recipients stay: run `sceau reseal --environment prod --context CONTEXT` against that cluster
    stderr:
      note: seals: 1 could not be resealed
      note: resealing does not protect values that were already read: rotate them with `sceau set`
      error: could not be resealed: 1 seal
      hint: fix the reasons in the report, and run this again: resealed seals stay
    files: deploy/api/prod/secret.yaml
    ");
    let text = project.text(FILE);
    assert!(text.contains(TestKey::Prod.id()) && text.contains(TestKey::Other.id()));
    let again = project.run(RESEAL);
    assert_eq!(again.changed_files(), Vec::<&str>::new(), "{again}");
    assert_eq!(eu.asked().requests, [1]);
    let us = ResealServer::with_keys(&[TestKey::Dev, TestKey::Prod]);
    let project = with(&us, project);
    project.run(RESEAL).done();
    let text = project.text(FILE);
    assert!(text.contains(TestKey::Dev.id()) && text.contains(TestKey::Other.id()));
    assert!(!text.contains(TestKey::Prod.id()));
}

#[test]
fn seals_that_the_controller_cannot_decrypt_are_reported_with_its_reason() {
    let server = ResealServer::with_keys(&[TestKey::Other, TestKey::Prod]);
    let project = sealed();
    let moved = project.text(FILE).replace("name: api", "name: moved");
    let foreign = project
        .text(FILE)
        .replace(TestKey::Prod.id(), TestKey::Dev.id());
    let project = project
        .file("deploy/api/prod/moved.yaml", moved)
        .file("deploy/api/prod/foreign.yaml", foreign);
    let project = with(&server, pinning(project, &[TestKey::Other]));
    assert_snapshot!(project.run(RESEAL), @"
    exit 1
    stdout:
      RESULT              ENVIRONMENT   SECRET       SEAL   WHERE
      UnknownSealingKey   prod          shop/api     1      deploy/api/prod/foreign.yaml:1
      Refused             prod          shop/moved   1      deploy/api/prod/moved.yaml:1
      Resealed            prod          shop/api     1      deploy/api/prod/secret.yaml:1
      
      deploy/api/prod/foreign.yaml:1: no sealing key decrypts it
      
      deploy/api/prod/moved.yaml:1: a sealing key is named and does not open it
    stderr:
      note: seals: 1 resealed, 2 could not be resealed
      note: resealing does not protect values that were already read: rotate them with `sceau set`
      error: could not be resealed: 2 seals
      hint: fix the reasons in the report, and run this again: resealed seals stay
    files: deploy/api/prod/secret.yaml
    ");
}

#[test]
fn a_cluster_whose_key_is_not_pinned_wraps_nothing() {
    let server = ResealServer::with_keys(&[TestKey::Dev, TestKey::Prod]);
    let project = with(&server, pinning(sealed(), &[TestKey::Other]));
    assert_snapshot!(project.run(RESEAL), @"
    exit 1
    stdout:
      RESULT               ENVIRONMENT   SECRET     SEAL   WHERE
      ActiveKeyNotPinned   prod          shop/api   1      deploy/api/prod/secret.yaml:1
      
      deploy/api/prod/secret.yaml:1: the cluster's active key [KEY Dev] is not pinned: run `sceau certificate fetch --environment prod`
    stderr:
      note: seals: 1 could not be resealed
      error: could not be resealed: 1 seal
      hint: fix the reasons in the report, and run this again: resealed seals stay
    files: unchanged
    ");
    assert_eq!(server.asked().requests, [0; 0]);
}

#[test]
fn a_rejected_or_unanswered_request_is_deleted_and_reported() {
    let keys = [TestKey::Other, TestKey::Prod];
    let server = ResealServer::refusing(&keys);
    let project = with(&server, pinning(sealed(), &[TestKey::Other]));
    assert_snapshot!(project.run(RESEAL), @"
    exit 4
    stderr:
      error: the controller rejected the ResealRequest: there is no environment `prod`
      hint: check the log of the controller
    files: unchanged
    ");
    assert_eq!(server.asked().deleted, 1);
    let server = ResealServer::silent(&keys);
    let project = with(&server, project);
    assert_snapshot!(project.run(&format!("{RESEAL} --timeout 1")), @"
    exit 4
    stderr:
      error: the controller did not answer the ResealRequest within 1 s
      hint: check that the controller runs, or raise `--timeout`
    files: unchanged
    ");
    assert_eq!(server.asked().deleted, 1);
}

#[test]
fn an_unreachable_or_rejecting_cluster_is_reported() {
    let reseal = |kubeconfig: String| {
        pinning(sealed(), &[TestKey::Other])
            .file("kubeconfig", kubeconfig)
            .run(RESEAL)
    };
    assert_snapshot!(reseal(kubeconfig("127.0.0.1:1")), @"
    exit 4
    stderr:
      error: the cluster is unreachable: ServiceError: client error (Connect): tcp connect error: Connection refused (os error 111)
      hint: run this again, or pass the private keys with `--keys`: resealed seals stay
    files: unchanged
    ");
    let forbidden = ApiServer::with_refusal(403, "Forbidden", "resealrequests is forbidden");
    assert_snapshot!(reseal(forbidden.kubeconfig()), @"
    exit 4
    stderr:
      error: the API server rejected the request: resealrequests is forbidden
      hint: bind the ClusterRole `sceau-resealer` to your user
    files: unchanged
    ");
}

#[test]
fn the_context_of_the_project_file_is_used_unless_another_is_named() {
    let server = ResealServer::with_keys(&[TestKey::Other, TestKey::Prod]);
    let project = with(&server, pinning(sealed(), &[TestKey::Other]));
    let named = project
        .text("sceau.yaml")
        .replace("paths:", "context: there, paths:");
    let project = project.file("sceau.yaml", named);
    let outcome = project.run(RESEAL);
    assert_eq!(outcome.code, 4, "{outcome}");
    assert!(outcome.stderr().contains("there"), "{outcome}");
    project
        .run(&format!("{RESEAL} --environment prod --context here"))
        .done();
}
