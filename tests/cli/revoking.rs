//! `sceau rekey --finish` and `--compromised`: what is revoked, what that takes and what breaks.

use insta::assert_snapshot;

use crate::support::{ApiServer, Cluster, FILE, ResealServer, TestKey, TestProject};

const REKEY: &str = "rekey --environment prod --kubeconfig kubeconfig";
const FINISH: &str = "rekey --environment prod --kubeconfig kubeconfig --finish";
const COMPROMISED: &str = "rekey --environment prod --kubeconfig kubeconfig --compromised";
const NOBODY: [Vec<String>; 0] = [];

/// A project that is re-keyed from Prod to Other.
fn rekeyed(server: &ResealServer) -> TestProject {
    let project = TestProject::stale();
    project
        .run("reseal --keys prod.key --environment prod")
        .done();
    project.file("kubeconfig", server.kubeconfig())
}

/// A project at Prod.
fn at_prod(server: &ResealServer) -> TestProject {
    TestProject::sealed()
        .pinning(&[TestKey::Prod])
        .file("kubeconfig", server.kubeconfig())
}

/// A cluster with the active key Other, which no longer needs Prod.
fn server() -> ResealServer {
    ResealServer::with_keys(&[TestKey::Other, TestKey::Prod])
}

/// A cluster at the key Prod that makes Other when that is revoked, and its project.
fn leaked() -> (ResealServer, TestProject) {
    let server = ResealServer::renewing(&[TestKey::Prod], TestKey::Other);
    let project = at_prod(&server);
    (server, project)
}

#[test]
fn an_old_key_that_nothing_needs_is_revoked_once() {
    let server = server();
    let project = rekeyed(&server);
    assert_snapshot!(project.run(FINISH), @"
    exit 0
    stderr:
      note: [KEY Prod] is revoked and opens nothing any more
      note: what is sealed to it in other branches and in older commits was not looked at, and opens no more
      note: its Secret may be deleted, once there is a backup if old commits are to stay readable
            find it: kubectl get secrets --namespace sceau-system --selector sceau.dev/environment=prod
    files: unchanged
    ");
    assert_snapshot!(project.run(FINISH), @"
    exit 0
    stderr:
      note: prod has no old key left: nothing is to be done
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
    let stale = TestProject::sealed()
        .text(FILE)
        .replace("name: api", "name: web");
    let project = project.file("deploy/web/prod/secret.yaml", stale);
    assert_snapshot!(project.run(FINISH), @"
    exit 3
    stdout:
      KEY                                                                       NEEDED BY         WHERE
      [KEY Prod]   2 SealedSecrets   the cluster
      [KEY Prod]   shop/web          deploy/web/prod/secret.yaml:1
    stderr:
      error: nothing was revoked: an old key is needed
      hint: bring what needs it to the new key with `sceau reseal --environment prod`, commit, and let it sync
      hint: what only the cluster has stands in another branch or repository, or was not synced yet
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
      
      deploy/old/prod/sealed.yaml:2: the original's items do not say which key they are sealed to: ask `sceau reseal --dry-run --keys FILE`
    stderr:
      error: nothing was revoked: nobody can be asked
      hint: see above what it comes to, and say `--yes`
    files: unchanged
    ");
    let project = project.answering("n\n");
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
      error: what the old keys open is not known: the controller has not looked at the Environment since it was changed
      hint: wait a moment and run this again, or see `kubectl describe environments.sceau.dev`
    files: unchanged
    ");
    let unfinished = server();
    assert_snapshot!(at_prod(&unfinished).run(FINISH), @"
    exit 1
    stderr:
      error: the re-keying is unfinished: the key that the cluster seals with now is not pinned
      hint: go on with it first: `sceau rekey` without `--finish`
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
      note: to be revoked: [KEY Prod], which opens 0 SealedSecrets in the cluster
      note: to be revoked: [KEY Dev], which opens 0 SealedSecrets in the cluster
      warning: of this repository, 1 seal will open no more, or cannot be judged: their items need new values
      error: nothing was revoked: nobody can be asked
      hint: see above what it comes to, and say `--yes`
    files: unchanged
    ");
    assert_eq!(server.asked().revocations, NOBODY);
    let project = project.answering("y\n");
    assert_snapshot!(project.run(COMPROMISED), @"
    exit 3
    stdout:
      OPENS     SECRET     SEAL   ITEMS      WHERE
      nowhere   shop/api   1      password   deploy/api/prod/secret.yaml:1
    stderr:
      note: to be revoked: [KEY Prod], which opens 0 SealedSecrets in the cluster
      note: to be revoked: [KEY Dev], which opens 0 SealedSecrets in the cluster
      warning: of this repository, 1 seal will open no more, or cannot be judged: their items need new values
      Revoke them now? [y/N] note: [KEY Prod] is revoked and opens nothing any more
      note: [KEY Dev] is revoked and opens nothing any more
      note: certificates/Prod.pem pins [KEY Other]
      note: commit it: git commit --all --message 'Re-key prod'
      note: whoever has the old keys can open old commits for good: renew every value that was ever sealed to them, where it comes from
      note: Secrets in the cluster stay as they are until the items of their seals are set anew
      error: open no more, or cannot be judged: 1 seal
      hint: give each of their items a new value: `sceau set FILE ITEM`
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
    let (server, project) = leaked();
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
    let (server, project) = leaked();
    let _ = project.run(&format!("{COMPROMISED} --yes --timeout 0"));
    let outcome = project.run(REKEY);
    assert_eq!(outcome.code, 1, "{outcome}");
    assert_eq!(outcome.changed_files(), ["certificates/Prod.pem"]);
    assert_eq!(server.asked().renewals, 0);
}

#[test]
fn a_seal_that_another_cluster_decrypts_is_kept_and_reported() {
    let server = ResealServer::renewing(&[TestKey::Prod], TestKey::Other);
    let project = TestProject::of_two_clusters().file("kubeconfig", server.kubeconfig());
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
        let project = TestProject::sealed()
            .pinning(&[TestKey::Prod])
            .file("kubeconfig", server.kubeconfig());
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
