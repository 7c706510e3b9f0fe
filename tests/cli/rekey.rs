//! `sceau rekey`, and that each of its steps can be interrupted.

use insta::assert_snapshot;

use crate::{
    reseal::{pinning, sealed},
    support::{ApiServer, ResealServer, TestKey, TestProject, kubeconfig},
};

const FILE: &str = "deploy/api/prod/secret.yaml";
const CERTIFICATE: &str = "certificates/Prod.pem";
const REKEY: &str = "rekey --environment prod --kubeconfig kubeconfig";

/// A project at the cluster's key Prod, of which another manifest is current too.
fn project(server: &ResealServer) -> TestProject {
    pinning(sealed(), &[TestKey::Prod]).file("kubeconfig", server.kubeconfig())
}

/// Asserts that everything is at the new key.
#[track_caller]
fn is_rekeyed(project: &TestProject) {
    let outcome = project.run("reseal --dry-run").done();
    assert!(outcome.stderr().contains("already current"), "{outcome}");
    assert!(project.text(FILE).contains(TestKey::Other.id()));
    let shown = project
        .run(&format!("certificate show {CERTIFICATE}"))
        .done();
    assert!(shown.stdout().contains(TestKey::Other.id()), "{shown}");
}

#[test]
fn a_new_key_is_made_pinned_and_resealed_for() {
    let server = ResealServer::renewing(&[TestKey::Prod], TestKey::Other);
    let project = project(&server);
    assert_snapshot!(project.run(REKEY), @"
    exit 0
    stdout:
      RESULT     ENVIRONMENT   SECRET     SEAL   WHERE
      Resealed   prod          shop/api   1      deploy/api/prod/secret.yaml:1
    stderr:
      note: requested a new sealing key for prod
      note: seals: 1 resealed
      note: resealing does not protect values that were already read: rotate them with `sceau set`
      note: certificates/Prod.pem pins [KEY Other]
      note: commit it: git commit --all --message 'Re-key prod'
    files: certificates/Prod.pem, deploy/api/prod/secret.yaml
    ");
    is_rekeyed(&project);
    assert_eq!(server.asked().renewals, 1);
}

#[test]
fn interrupted_before_the_key_was_there_it_goes_on_waiting() {
    let server = ResealServer::renewing(&[TestKey::Prod], TestKey::Other);
    let project = project(&server);
    // The answer to the order is the first look at the environment; nothing waits for the key.
    let outcome = project.run(&format!("{REKEY} --timeout 0")).refused(4);
    assert!(
        outcome.stderr().contains("generated no new sealing key"),
        "{outcome}"
    );
    project.run(REKEY).done();
    is_rekeyed(&project);
    assert_eq!(server.asked().renewals, 1, "it is asked for once");
}

#[test]
fn interrupted_while_resealing_or_before_pinning_it_makes_no_further_key() {
    let server = ResealServer::renewing(&[TestKey::Prod], TestKey::Other);
    let project = project(&server);
    let old = project.text(CERTIFICATE);
    let stale = project.text(FILE);
    project.run(REKEY).done();
    for file in [stale, project.text(FILE)] {
        let project = TestProject::empty()
            .file("sceau.yaml", project.text("sceau.yaml"))
            .file("kubeconfig", server.kubeconfig())
            .file(CERTIFICATE, &old)
            .file(FILE, file);
        let outcome = project.run(REKEY).done();
        assert!(outcome.stderr().contains("already exists"), "{outcome}");
        is_rekeyed(&project);
    }
    assert_eq!(server.asked().renewals, 1);
}

#[test]
fn of_several_clusters_the_certificate_of_this_one_is_replaced() {
    let server = ResealServer::renewing(&[TestKey::Prod], TestKey::Other);
    let project =
        pinning(sealed(), &[TestKey::Dev, TestKey::Prod]).file("kubeconfig", server.kubeconfig());
    project.run("reseal --keys prod.key").done();
    let outcome = project.run(REKEY).done();
    assert_eq!(outcome.changed_files(), [CERTIFICATE, FILE]);
    let text = project.text(FILE);
    assert!(text.contains(TestKey::Dev.id()) && text.contains(TestKey::Other.id()));
}

#[test]
fn a_seal_that_cannot_be_resealed_is_reported_and_does_not_prevent_the_rest() {
    let server = ResealServer::renewing(&[TestKey::Prod], TestKey::Other);
    let project = project(&server);
    let moved = project.text(FILE).replace("name: api", "name: moved");
    let project = project.file("deploy/api/prod/moved.yaml", moved);
    let outcome = project.run(REKEY);
    assert_eq!(outcome.code, 1, "{outcome}");
    assert!(outcome.stdout().contains("Refused"), "{outcome}");
    assert_eq!(outcome.changed_files(), [CERTIFICATE, FILE]);
}

#[test]
fn another_cluster_is_refused_before_anything_is_asked_of_it() {
    let server = ResealServer::renewing(&[TestKey::Dev], TestKey::Other);
    assert_snapshot!(project(&server).run(REKEY), @"
    exit 1
    stderr:
      error: no pinned certificate belongs to this cluster
      hint: check `--context`
      hint: pin the certificate of a new cluster with `sceau certificate fetch`
    files: unchanged
    ");
    assert_eq!(server.asked().renewals, 0);
}

#[test]
fn a_rejecting_or_unreachable_cluster_is_reported() {
    let rekey = |kubeconfig: String| {
        pinning(sealed(), &[TestKey::Prod])
            .file("kubeconfig", kubeconfig)
            .run(REKEY)
            .refused(4)
    };
    rekey(kubeconfig("127.0.0.1:1"));
    rekey(ApiServer::with_refusal(403, "Forbidden", "forbidden").kubeconfig());
}
