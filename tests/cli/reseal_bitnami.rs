//! `sceau reseal` and the original's SealedSecrets.

use insta::assert_snapshot;

use crate::{
    reseal::{changed_lines, pinning},
    support::{TestKey, TestProject},
};

const FILE: &str = "deploy/api/prod/sealed.yaml";

/// A project with a manifest of the original, sealed to the key in `old.key`.
fn project() -> TestProject {
    let project = TestProject::new()
        .file(FILE, include_str!("../vectors/sealed-strict.yaml"))
        .file("old.key", include_str!("../vectors/test-2048.key"))
        .private_key("prod.key", TestKey::Prod);
    pinning(project, &[TestKey::Prod])
}

#[test]
fn items_of_another_key_are_sealed_anew_and_open_to_the_same_values() {
    let project = project();
    let before = project.run(&format!("unseal {FILE} --keys old.key")).done();
    let outcome = project.run("reseal --keys old.key --keys prod.key").done();
    assert_snapshot!(outcome, @"
    exit 0
    stdout:
      RESULT     ENVIRONMENT   SECRET          SEAL   WHERE
      Resealed   prod          myns/mysecret          deploy/api/prod/sealed.yaml:2
    stderr:
      note: seals: 1 resealed
      note: resealing does not protect values that were already read: rotate them with `sceau set`
    files: deploy/api/prod/sealed.yaml
    ");
    let (gone, new) = changed_lines(&outcome, FILE);
    assert_eq!((gone.len(), new.len()), (2, 2));
    let after = project
        .run(&format!("unseal {FILE} --keys prod.key"))
        .done();
    assert_eq!(before.stdout(), after.stdout());
    let again = project.run("reseal --keys old.key --keys prod.key").done();
    assert_eq!(again.changed_files(), Vec::<&str>::new());
}

#[test]
fn items_that_no_key_decrypts_are_reported() {
    let project = project();
    project.run("reseal --keys old.key").done();
    assert_snapshot!(project.run("reseal --keys old.key"), @"
    exit 1
    stdout:
      RESULT              ENVIRONMENT   SECRET          SEAL   WHERE
      UnknownSealingKey   prod          myns/mysecret          deploy/api/prod/sealed.yaml:2
      
      deploy/api/prod/sealed.yaml:2: no given key decrypts item `password`, item `user`, so it may be current or stale
    stderr:
      note: seals: 1 could not be resealed
      error: could not be resealed: 1 seal
      hint: fix the reasons in the report, and run this again: resealed seals stay
    files: unchanged
    ");
}

#[test]
fn without_private_keys_they_stay() {
    assert_snapshot!(project().run("reseal"), @"
    exit 1
    stdout:
      RESULT              ENVIRONMENT   SECRET          SEAL   WHERE
      NotThroughCluster   prod          myns/mysecret          deploy/api/prod/sealed.yaml:2
      
      deploy/api/prod/sealed.yaml:2: items in the kubeseal format do not name their key: pass the private keys with `--keys`
    stderr:
      note: seals: 1 could not be resealed
      error: could not be resealed: 1 seal
      hint: fix the reasons in the report, and run this again: resealed seals stay
    files: unchanged
    ");
    assert_eq!(project().run("reseal --dry-run").code, 1);
    let stale = project().run("reseal --dry-run --keys old.key");
    assert_eq!(stale.code, 3, "{stale}");
}

#[test]
fn every_scope_and_the_first_version_are_resealed() {
    for text in [
        include_str!("../vectors/sealed-namespace-wide.yaml"),
        include_str!("../vectors/sealed-cluster-wide.yaml"),
        include_str!("../vectors/sealed-strict.json"),
        include_str!("../vectors/sealed-template.json"),
        include_str!("../vectors/sealed-legacy-v1.json"),
    ] {
        let project = project().file(FILE, text);
        let before = project.run(&format!("unseal {FILE} --keys old.key")).done();
        project.run("reseal --keys old.key").done();
        let after = project
            .run(&format!("unseal {FILE} --keys prod.key"))
            .done();
        assert_eq!(before.stdout(), after.stdout());
    }
}

#[test]
fn an_item_cannot_be_sealed_to_several_keys() {
    let project = pinning(project(), &[TestKey::Prod, TestKey::Other]);
    assert_snapshot!(project.run("reseal --keys old.key"), @"
    exit 1
    stdout:
      RESULT                ENVIRONMENT   SECRET          SEAL   WHERE
      SeveralCertificates   prod          myns/mysecret          deploy/api/prod/sealed.yaml:2
      
      deploy/api/prod/sealed.yaml:2: an item in the kubeseal format is sealed to one key, but the environment has several certificates
    stderr:
      note: seals: 1 could not be resealed
      error: could not be resealed: 1 seal
      hint: fix the reasons in the report, and run this again: resealed seals stay
    files: unchanged
    ");
}

#[test]
fn without_a_path_rule_the_environment_must_be_named() {
    let project = project().file(
        "elsewhere.yaml",
        include_str!("../vectors/sealed-strict.yaml"),
    );
    let outcome = project.run("reseal elsewhere.yaml --keys old.key");
    assert_eq!(outcome.code, 1, "{outcome}");
    assert!(outcome.stdout().contains("UnknownEnvironment"), "{outcome}");
    project
        .run("reseal elsewhere.yaml --keys old.key --environment prod")
        .done();
}
