//! `sceau reseal --keys`: which seals change, and what is told.

use insta::assert_snapshot;

use crate::{
    seal_manifests::SECRET,
    support::{Outcome, TestKey, TestProject},
};

const FILE: &str = "deploy/api/prod/secret.yaml";

/// A project with a Secret sealed for prod as [`FILE`], and the private keys at hand.
pub(crate) fn sealed() -> TestProject {
    let project = TestProject::new()
        .file("secret.yaml", SECRET)
        .private_key("prod.key", TestKey::Prod)
        .private_key("other.key", TestKey::Other);
    project
        .run(&format!("seal secret.yaml --environment prod -w {FILE}"))
        .done();
    project
}

/// Pins these certificates for prod.
pub(crate) fn pinning(project: TestProject, keys: &[TestKey]) -> TestProject {
    let now = crate::support::NOW.parse().unwrap();
    let names: Vec<_> = keys
        .iter()
        .map(|key| format!("certificates/{key:?}.pem"))
        .collect();
    let project_file = format!(
        "environments:\n  prod: {{certificates: [{}], paths: [\"deploy/*/prod/**\"]}}\n",
        names.join(", ")
    );
    keys.iter()
        .zip(&names)
        .fold(project, |project, (key, name)| {
            project.file(name, key.certificate(now))
        })
        .file("sceau.yaml", project_file)
}

/// The lines of a file that are not in it any more, and those that are new.
#[track_caller]
pub(crate) fn changed_lines(outcome: &Outcome, name: &str) -> (Vec<String>, Vec<String>) {
    let before = String::from_utf8(outcome.before[name].clone()).unwrap();
    let after = outcome.file(name);
    let without = |text: &str, other: &str| {
        let other: Vec<&str> = other.split_inclusive('\n').collect();
        text.split_inclusive('\n')
            .filter(|line| !other.contains(line))
            .map(|line| line.trim().to_owned())
            .collect()
    };
    (without(&before, after), without(after, &before))
}

#[test]
fn a_stale_seal_is_wrapped_for_the_pinned_key_and_keeps_its_value() {
    let project = pinning(sealed(), &[TestKey::Other]);
    let outcome = project.run("reseal --keys prod.key");
    assert_snapshot!(outcome, @"
    exit 0
    stdout:
      RESULT     ENVIRONMENT   SECRET     SEAL   WHERE
      Resealed   prod          shop/api   1      deploy/api/prod/secret.yaml:1
    stderr:
      note: seals: 1 resealed
      note: resealing does not protect values that were already read: rotate them with `sceau set`
    files: deploy/api/prod/secret.yaml
    ");
    let (gone, new) = changed_lines(&outcome, FILE);
    assert_eq!(gone.len(), 2, "{gone:?}");
    assert_eq!(new[0], format!("- keyId: {}", TestKey::Other.id()));
    assert!(new[1].starts_with("wrapped: sceau:v1:"), "{new:?}");
    let opened = project
        .run(&format!("unseal {FILE} --keys other.key"))
        .done();
    assert!(opened.stdout().contains("password: aHVudGVyMg=="));
    assert_eq!(
        project.run(&format!("unseal {FILE} --keys prod.key")).code,
        1
    );
}

#[test]
fn a_second_run_changes_nothing() {
    let project = pinning(sealed(), &[TestKey::Other]);
    project.run("reseal --keys prod.key").done();
    assert_snapshot!(project.run("reseal --keys prod.key"), @"
    exit 0
    stderr:
      note: seals: 1 already current
    files: unchanged
    ");
}

#[test]
fn a_dry_run_says_what_would_change_and_changes_nothing() {
    let project = pinning(sealed(), &[TestKey::Other]);
    let outcome = project.run("reseal --dry-run");
    assert_snapshot!(outcome, @"
    exit 3
    stdout:
      RESULT   ENVIRONMENT   SECRET     SEAL   WHERE
      Stale    prod          shop/api   1      deploy/api/prod/secret.yaml:1
    stderr:
      note: seals: 1 stale
      note: resealing does not protect values that were already read: rotate them with `sceau set`
      error: stale: 1 seal
      hint: reseal them: `sceau reseal`
    files: unchanged
    ");
    let offline = project.run("reseal --dry-run --keys prod.key");
    assert_eq!(offline.to_string(), outcome.to_string());
    let hopeless = project.run("reseal --dry-run --keys other.key");
    assert_eq!(hopeless.code, 1, "{hopeless}");
    assert_eq!(hopeless.changed_files(), Vec::<&str>::new());
    project.run("reseal --keys prod.key").done();
    project.run("reseal --dry-run").done();
}

#[test]
fn further_recipients_are_added_and_those_that_are_pinned_stay_as_they_are() {
    let project = pinning(sealed(), &[TestKey::Prod, TestKey::Other]);
    let outcome = project.run("reseal --keys prod.key").done();
    let (gone, new) = changed_lines(&outcome, FILE);
    assert_eq!(gone, Vec::<String>::new());
    assert_eq!(new.len(), 2, "{new:?}");
    for name in ["prod.key", "other.key"] {
        project.run(&format!("unseal {FILE} --keys {name}")).done();
    }
    assert_eq!(
        project.run("reseal --keys prod.key").done().changed_files(),
        Vec::<&str>::new()
    );
}

#[test]
fn a_recipient_that_is_not_pinned_any_more_is_removed_without_any_key() {
    let project = pinning(sealed(), &[TestKey::Prod, TestKey::Other]);
    let both = project.run("reseal --keys prod.key").done();
    let project = pinning(project, &[TestKey::Prod]);
    let outcome = project.run("reseal").done();
    assert_eq!(
        outcome.file(FILE),
        String::from_utf8(both.before[FILE].clone()).unwrap()
    );
}

#[test]
fn seals_that_cannot_be_decrypted_are_reported_and_stay() {
    let project = sealed();
    let moved = project.text(FILE).replace("name: api", "name: moved");
    let project = pinning(
        project.file("deploy/api/prod/moved.yaml", moved),
        &[TestKey::Other],
    );
    assert_snapshot!(project.run("reseal --keys prod.key"), @"
    exit 1
    stdout:
      RESULT     ENVIRONMENT   SECRET       SEAL   WHERE
      Refused    prod          shop/moved   1      deploy/api/prod/moved.yaml:1
      Resealed   prod          shop/api     1      deploy/api/prod/secret.yaml:1
      
      deploy/api/prod/moved.yaml:1: decryption failed: the manifest was modified, or was sealed for another environment, namespace, name or scope
    stderr:
      note: seals: 1 resealed, 1 could not be resealed
      note: resealing does not protect values that were already read: rotate them with `sceau set`
      error: could not be resealed: 1 seal
      hint: fix the reasons in the report, and run this again: resealed seals stay
    files: deploy/api/prod/secret.yaml
    ");
    let project = pinning(sealed(), &[TestKey::Dev]);
    assert_snapshot!(project.run("reseal --keys other.key"), @"
    exit 1
    stdout:
      RESULT              ENVIRONMENT   SECRET     SEAL   WHERE
      UnknownSealingKey   prod          shop/api   1      deploy/api/prod/secret.yaml:1
      
      deploy/api/prod/secret.yaml:1: sealed only for [KEY Prod], which the key ring does not hold
    stderr:
      note: seals: 1 could not be resealed
      error: could not be resealed: 1 seal
      hint: fix the reasons in the report, and run this again: resealed seals stay
    files: unchanged
    ");
}

#[test]
fn an_unknown_environment_is_reported() {
    let project = sealed().file("sceau.yaml", "environments: {}\n");
    assert_snapshot!(project.run("reseal --keys prod.key"), @"
    exit 1
    stdout:
      RESULT               ENVIRONMENT   SECRET     SEAL   WHERE
      UnknownEnvironment   ?             shop/api          deploy/api/prod/secret.yaml:1
      
      deploy/api/prod/secret.yaml:1: sceau.yaml has no environment `prod`
    stderr:
      note: seals: 1 could not be resealed
      error: could not be resealed: 1 seal
      hint: fix the reasons in the report, and run this again: resealed seals stay
    files: unchanged
    ");
    assert_snapshot!(project.run("reseal --environment prod --keys prod.key"), @"
    exit 1
    stderr:
      error: sceau.yaml has no environment `prod`
      hint: add an environment to sceau.yaml
    files: unchanged
    ");
}

#[test]
fn only_the_environment_that_is_named_is_resealed() {
    let project = sealed();
    project
        .run("seal secret.yaml --environment dev -w deploy/api/dev/secret.yaml")
        .done();
    let now = crate::support::NOW.parse().unwrap();
    let project = project
        .private_key("dev.key", TestKey::Dev)
        .file("certificates/dev.pem", TestKey::Other.certificate(now))
        .file("certificates/prod.pem", TestKey::Dev.certificate(now));
    let outcome = project
        .run("reseal --environment dev --keys dev.key")
        .done();
    assert_eq!(outcome.changed_files(), ["deploy/api/dev/secret.yaml"]);
    let outcome = project.run("reseal --environment dev --dry-run").done();
    assert_eq!(outcome.changed_files(), Vec::<&str>::new());
}

#[test]
fn json_and_yaml_list_every_seal() {
    let project = pinning(sealed(), &[TestKey::Other]);
    assert_snapshot!(project.run("reseal --dry-run -o json"), @r#"
    exit 3
    stdout:
      [
        {
          "file": "deploy/api/prod/secret.yaml",
          "document": 1,
          "line": 1,
          "namespace": "shop",
          "name": "api",
          "environment": "prod",
          "seal": 1,
          "result": "Stale"
        }
      ]
    stderr:
      note: seals: 1 stale
      note: resealing does not protect values that were already read: rotate them with `sceau set`
      error: stale: 1 seal
      hint: reseal them: `sceau reseal`
    files: unchanged
    "#);
    let json = project.run("reseal --dry-run -o json");
    let yaml = project.run("reseal --dry-run -o yaml");
    let from_yaml: serde_json::Value = serde_saphyr::from_str(yaml.stdout()).unwrap();
    let from_json: serde_json::Value = serde_json::from_str(json.stdout()).unwrap();
    assert_eq!(from_yaml, from_json);
    project.run("reseal --keys prod.key").done();
    let current = project.run("reseal -o json --keys prod.key").done();
    assert!(
        current.stdout().contains("\"result\": \"Current\""),
        "{current}"
    );
}

#[test]
fn a_project_without_sealed_secrets_has_nothing_to_do() {
    assert_snapshot!(TestProject::new().run("reseal"), @"
    exit 0
    stderr:
      note: found no SealedSecrets
    files: unchanged
    ");
}

#[test]
fn flags_that_exclude_each_other_are_refused() {
    for line in [
        "reseal --keys a --context b --environment c",
        "reseal --keys a --kubeconfig b",
        "reseal --context b",
    ] {
        TestProject::new().run(line).refused(2);
    }
}
