//! `sceau rekey --finish` and `--compromised`: what is revoked, what that takes and what breaks.

use insta::assert_snapshot;
use sceau::Terminals;

use crate::{
    reseal::{pinning, sealed},
    support::{ApiServer, Cluster, ResealServer, TestKey, TestProject},
};

const FILE: &str = "deploy/api/prod/secret.yaml";
const REKEY: &str = "rekey --environment prod --kubeconfig kubeconfig";
const FINISH: &str = "rekey --environment prod --kubeconfig kubeconfig --finish";
const COMPROMISED: &str = "rekey --environment prod --kubeconfig kubeconfig --compromised";
const NOBODY: [Vec<String>; 0] = [];

/// A project that is re-keyed from Prod to Other.
fn rekeyed(server: &ResealServer) -> TestProject {
    let project = pinning(sealed(), &[TestKey::Other]);
    project
        .run("reseal --keys prod.key --environment prod")
        .done();
    project.file("kubeconfig", server.kubeconfig())
}

/// A project at Prod.
fn at_prod(server: &ResealServer) -> TestProject {
    pinning(sealed(), &[TestKey::Prod]).file("kubeconfig", server.kubeconfig())
}

/// A cluster with the active key Other, which no longer needs Prod.
fn server() -> ResealServer {
    ResealServer::with_keys(&[TestKey::Other, TestKey::Prod])
}

fn at_terminal(project: TestProject, answer: &str) -> TestProject {
    project.stdin(answer).terminals(Terminals {
        stdin: true,
        stdout: false,
    })
}

#[test]
fn an_old_key_that_nothing_needs_is_revoked_once() {
    let server = server();
    let project = rekeyed(&server);
    assert_snapshot!(project.run(FINISH), @"
    exit 0
    stderr:
      note: revoked [KEY Prod]: it no longer decrypts anything
      note: other branches and older commits were not checked: what is sealed to the old keys there is no longer decryptable
      note: you can delete the Secrets of the old keys; back them up first to keep old commits decryptable
            find them: kubectl get secrets --namespace sceau-system --selector sceau.dev/environment=prod
    files: unchanged
    ");
    assert_snapshot!(project.run(FINISH), @"
    exit 0
    stderr:
      note: prod has no old keys: nothing was revoked
    files: unchanged
    ");
    assert_eq!(server.asked().revocations, [[TestKey::Prod.id()]]);
}

#[test]
fn what_needs_the_old_key_is_reported_and_nothing_is_revoked() {
    let opened = Some((TestKey::Prod, 2));
    let server = ResealServer::with_cluster(
        &[TestKey::Other, TestKey::Prod],
        Cluster {
            opened,
            ..Cluster::default()
        },
    );
    let project = rekeyed(&server);
    let stale = sealed().text(FILE).replace("name: api", "name: web");
    let project = project.file("deploy/web/prod/secret.yaml", stale);
    assert_snapshot!(project.run(FINISH), @"
    exit 3
    stdout:
      KEY                                                                       NEEDED BY         WHERE
      [KEY Prod]   2 SealedSecrets   the cluster
      [KEY Prod]   shop/web          deploy/web/prod/secret.yaml:1
    stderr:
      error: nothing was revoked: an old key is needed
      hint: reseal with `sceau reseal --environment prod`, commit, and wait for the sync
      hint: check other branches and repositories for SealedSecrets that only the cluster has
    files: unchanged
    ");
    assert_eq!(project.run(&format!("{FINISH} --yes")).code, 3);
    let json = project.run(&format!("{FINISH} -o json"));
    assert_snapshot!(json.stdout(), @r#"
    [
      {
        "needed": "byCluster",
        "keyId": "sha256:d918a249f45174245b05d7aac701113b0a74930471607b0472ec2f9608c8db0c",
        "sealedSecrets": 2
      },
      {
        "needed": "byManifest",
        "keyId": "sha256:d918a249f45174245b05d7aac701113b0a74930471607b0472ec2f9608c8db0c",
        "file": "deploy/web/prod/secret.yaml",
        "document": 1,
        "line": 1,
        "namespace": "shop",
        "name": "web",
        "seal": 1,
        "items": [
          "password"
        ]
      }
    ]
    "#);
    assert_eq!(server.asked().revocations, NOBODY);
}

#[test]
fn manifests_that_do_not_name_their_key_are_asked_about() {
    let server = server();
    let original = include_str!("../vectors/sealed-strict.yaml");
    let project = rekeyed(&server).file("deploy/old/prod/sealed.yaml", original);
    assert_snapshot!(project.run(FINISH), @"
    exit 1
    stdout:
      KEY   NEEDED BY       WHERE
      ?     myns/mysecret   deploy/old/prod/sealed.yaml:2
      
      deploy/old/prod/sealed.yaml:2: items in the kubeseal format do not name their key: check them with `sceau reseal --dry-run --keys FILE`
    stderr:
      error: nothing was revoked: confirmation needs a terminal
      hint: check the effects listed above, and pass `--yes`
    files: unchanged
    ");
    let project = at_terminal(project, "n\n");
    let outcome = project.run(FINISH).done();
    assert!(
        outcome.stderr().contains("nothing was changed"),
        "{outcome}"
    );
    assert_eq!(server.asked().revocations, NOBODY);
    project.run(&format!("{FINISH} --yes")).done();
    assert_eq!(server.asked().revocations, [[TestKey::Prod.id()]]);
}

#[test]
fn an_environment_that_changes_meanwhile_is_looked_at_again() {
    let keys = [TestKey::Other, TestKey::Prod];
    let changing = |conflicts| {
        let cluster = Cluster {
            conflicts,
            ..Cluster::default()
        };
        ResealServer::with_cluster(&keys, cluster)
    };
    let server = changing(3);
    rekeyed(&server).run(FINISH).done();
    assert_eq!(server.asked().revocations, [[TestKey::Prod.id()]]);
    let server = changing(1000);
    let outcome = rekeyed(&server).run(FINISH);
    assert_eq!(outcome.code, 4, "{outcome}");
    assert!(
        outcome.stderr().contains("changed during the operation"),
        "{outcome}"
    );
}

#[test]
fn counts_of_before_and_an_unfinished_re_keying_are_refused() {
    let cluster = Cluster {
        is_behind: true,
        ..Cluster::default()
    };
    let behind = ResealServer::with_cluster(&[TestKey::Other, TestKey::Prod], cluster);
    assert_snapshot!(rekeyed(&behind).run(FINISH), @"
    exit 4
    stderr:
      error: cannot tell what the old keys decrypt: the controller has not observed the latest change of the Environment
      hint: run this again in a moment, or check `kubectl describe environments.sceau.dev`
    files: unchanged
    ");
    let unfinished = server();
    assert_snapshot!(at_prod(&unfinished).run(FINISH), @"
    exit 1
    stderr:
      error: the re-keying is unfinished: the active key of the cluster is not pinned
      hint: finish it first: run `sceau rekey` without `--finish`
    files: unchanged
    ");
    for server in [behind, unfinished] {
        assert_eq!(server.asked().revocations, NOBODY);
    }
}

#[test]
fn compromised_keys_are_revoked_first_and_broken_seals_are_reported() {
    let server = ResealServer::renewing(&[TestKey::Prod, TestKey::Dev], TestKey::Other);
    let project = at_prod(&server);
    assert_snapshot!(project.run(COMPROMISED), @"
    exit 1
    stderr:
      note: to be revoked: [KEY Prod], which decrypts 0 SealedSecrets in the cluster
      note: to be revoked: [KEY Dev], which decrypts 0 SealedSecrets in the cluster
      warning: the remaining keys will not decrypt 1 seal of this repository, or may not: set their items again
      error: nothing was revoked: confirmation needs a terminal
      hint: check the effects listed above, and pass `--yes`
    files: unchanged
    ");
    assert_eq!(server.asked().revocations, NOBODY);
    let project = at_terminal(project, "y\n");
    assert_snapshot!(project.run(COMPROMISED), @"
    exit 3
    stdout:
      DECRYPTABLE   SECRET     SEAL   ITEMS      WHERE
      nowhere       shop/api   1      password   deploy/api/prod/secret.yaml:1
    stderr:
      note: to be revoked: [KEY Prod], which decrypts 0 SealedSecrets in the cluster
      note: to be revoked: [KEY Dev], which decrypts 0 SealedSecrets in the cluster
      warning: the remaining keys will not decrypt 1 seal of this repository, or may not: set their items again
      Revoke them now? [y/N] note: revoked [KEY Prod]: it no longer decrypts anything
      note: revoked [KEY Dev]: it no longer decrypts anything
      note: certificates/Prod.pem pins [KEY Other]
      note: commit it: git commit --all --message 'Re-key prod'
      note: the old keys decrypt old commits forever: rotate every value that was ever sealed to them, at its provider
      note: Secrets in the cluster stay unchanged until you set the items of their seals again
      error: not decryptable with the remaining keys, or unknown: 1 seal
      hint: set each of their items again: `sceau set FILE ITEM`
    files: certificates/Prod.pem
    ");
    assert_eq!(
        server.asked().revocations,
        [[TestKey::Prod.id(), TestKey::Dev.id()]]
    );
    // With new values, all is well again.
    project
        .run(&format!("set {FILE} password --generate 32:base64"))
        .done();
    project.run("reseal --dry-run").done();
    project.run(FINISH).done();
    assert_eq!(server.asked().renewals, 0);
}

#[test]
fn interrupted_after_the_revocation_it_goes_on_without_asking() {
    let server = ResealServer::renewing(&[TestKey::Prod], TestKey::Other);
    let project = at_prod(&server);
    let outcome = project.run(&format!("{COMPROMISED} --yes --timeout 0"));
    assert_eq!(outcome.code, 4, "{outcome}");
    assert_eq!(outcome.changed_files(), [""; 0]);
    let outcome = project.run(COMPROMISED);
    assert_eq!(outcome.code, 3, "{outcome}");
    assert_eq!(outcome.changed_files(), ["certificates/Prod.pem"]);
    assert!(outcome.stdout().contains(FILE), "{outcome}");
    assert_eq!(server.asked().revocations, [[TestKey::Prod.id()]]);
}

#[test]
fn interrupted_before_pinning_re_keying_goes_on_too() {
    let server = ResealServer::renewing(&[TestKey::Prod], TestKey::Other);
    let project = at_prod(&server);
    let _ = project.run(&format!("{COMPROMISED} --yes --timeout 0"));
    let outcome = project.run(REKEY);
    assert_eq!(outcome.code, 1, "{outcome}");
    assert_eq!(outcome.changed_files(), ["certificates/Prod.pem"]);
    assert_eq!(server.asked().renewals, 0);
}

#[test]
fn a_seal_that_another_cluster_decrypts_is_kept_and_reported() {
    let server = ResealServer::renewing(&[TestKey::Prod], TestKey::Other);
    let project =
        pinning(sealed(), &[TestKey::Dev, TestKey::Prod]).file("kubeconfig", server.kubeconfig());
    project.run("reseal --keys prod.key").done();
    let outcome = project.run(&format!("{COMPROMISED} --yes -o json"));
    assert_eq!(outcome.code, 3, "{outcome}");
    assert_eq!(outcome.changed_files(), ["certificates/Prod.pem"]);
    assert!(
        outcome.stdout().contains(r#""decryptable": "Elsewhere""#),
        "{outcome}"
    );
}

#[test]
fn a_rejection_is_reported_with_the_required_role() {
    let server = ApiServer::with_refusal(403, "Forbidden", "environments is forbidden");
    for line in [FINISH, COMPROMISED] {
        let project = pinning(sealed(), &[TestKey::Prod]).file("kubeconfig", server.kubeconfig());
        project.run(&format!("{line} --yes")).refused(4);
    }
}

#[test]
fn the_flags_say_one_thing_only() {
    let project = TestProject::new();
    for line in [
        "rekey --environment prod --finish --compromised",
        "rekey --environment prod --yes",
    ] {
        assert_eq!(project.run(line).code, 2, "{line}");
    }
}
