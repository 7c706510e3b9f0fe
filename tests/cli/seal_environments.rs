//! Which environment `sceau seal` seals for, and whom: what cannot be decided is refused.

use insta::assert_snapshot;
use jiff::{SignedDuration, Timestamp};

use crate::{
    seal_manifests::SECRET,
    support::{NOW, TestKey, TestProject},
};

#[test]
fn the_environment_comes_from_the_path_of_the_input() {
    let project = TestProject::new().file("deploy/api/dev/secret.yaml", SECRET);
    let outcome = project.run("seal deploy/api/dev/secret.yaml").done();
    assert!(outcome.stdout().contains("environment: dev\n"), "{outcome}");
}

#[test]
fn the_environment_comes_from_the_path_of_the_output_when_the_input_has_none() {
    let project = TestProject::new().stdin(SECRET);
    let outcome = project.run("seal --write deploy/api/prod/secret.yaml");
    assert_snapshot!(outcome, @"
    exit 0
    stderr:
      note: sealed shop/api for prod (strict, 1 item) in deploy/api/prod/secret.yaml
    files: deploy/api/prod/secret.yaml
    ");
    let file = outcome.file("deploy/api/prod/secret.yaml");
    assert!(file.contains("environment: prod\n"), "{file}");
}

#[test]
fn a_command_below_the_root_finds_the_project_and_its_paths() {
    let project = TestProject::new().file("deploy/api/prod/secret.yaml", SECRET);
    let outcome = project
        .run_in(
            "deploy/api",
            "seal ./prod/../prod/secret.yaml -w prod/sealed.yaml",
        )
        .done();
    assert_eq!(outcome.changed_files(), ["deploy/api/prod/sealed.yaml"]);
}

#[test]
fn an_environment_that_contradicts_the_path_rules_is_warned_of() {
    let project = TestProject::new().file("deploy/api/dev/secret.yaml", SECRET);
    let outcome = project
        .run("seal deploy/api/dev/secret.yaml --environment prod -w out.yaml")
        .done();
    assert_snapshot!(outcome, @"
    exit 0
    stderr:
      warning: sealed for `prod`, but deploy/api/dev/secret.yaml belongs to `dev` in sceau.yaml
      note: sealed shop/api for prod (strict, 1 item) in out.yaml
    files: out.yaml
    ");
}

#[test]
fn an_environment_with_two_clusters_has_two_recipients() {
    let project_file =
        "environments:\n  prod: {certificates: [certificates/prod.pem, certificates/dev.pem]}\n";
    let project = TestProject::new()
        .file("sceau.yaml", project_file)
        .file("secret.yaml", SECRET);
    let outcome = project.run("seal secret.yaml --environment prod").done();
    assert_eq!(
        outcome.stdout().matches("wrapped: ").count(),
        2,
        "{outcome}"
    );
}

#[test]
fn an_unknown_environment_with_the_nearest_name() {
    let project = TestProject::new().file("secret.yaml", SECRET);
    let outcome = project
        .run("seal secret.yaml --environment prdo")
        .refused(1);
    assert_snapshot!(outcome, @"
    exit 1
    stderr:
      error: sceau.yaml has no environment `prdo`
      hint: use the similar name `prod`
    files: unchanged
    ");
    let outcome = project
        .run("seal secret.yaml --environment staging")
        .refused(1);
    assert_snapshot!(outcome, @"
    exit 1
    stderr:
      error: sceau.yaml has no environment `staging`
      hint: pass `--environment` with one of: dev, prod
    files: unchanged
    ");
}

#[test]
fn a_path_without_environment() {
    let project = TestProject::new().file("secret.yaml", SECRET);
    assert_snapshot!(project.run("seal secret.yaml").refused(1), @"
    exit 1
    stderr:
      error: no path rule of sceau.yaml matches secret.yaml, so its environment is unknown
      hint: pass `--environment` with one of: dev, prod
    files: unchanged
    ");
    let outcome = project
        .run("seal secret.yaml -w out/secret.yaml")
        .refused(1);
    let expected = "matches out/secret.yaml, so its environment is unknown";
    assert!(outcome.stderr().contains(expected), "{outcome}");
    assert_snapshot!(project.run("seal").refused(1), @"
    exit 1
    stderr:
      error: the environment is unknown
      hint: pass `--environment` with one of: dev, prod
    files: unchanged
    ");
}

#[test]
fn an_input_and_an_output_of_different_environments() {
    let project = TestProject::new().file("deploy/api/dev/secret.yaml", SECRET);
    let outcome = project
        .run("seal deploy/api/dev/secret.yaml -w deploy/api/prod/secret.yaml")
        .refused(1);
    assert_snapshot!(outcome, @"
    exit 1
    stderr:
      error: deploy/api/dev/secret.yaml belongs to `dev` in sceau.yaml, but deploy/api/prod/secret.yaml belongs to `prod` in sceau.yaml
      hint: choose one with `--environment`
    files: unchanged
    ");
}

#[test]
fn certificates_that_cannot_be_sealed_to() {
    let now: Timestamp = NOW.parse().unwrap();
    let day = SignedDuration::from_hours(24);
    let expired = TestKey::Prod.certificate_between(now - day * 2, now - day);
    let future = TestKey::Prod.certificate_between(now + day, now + day * 2);
    let seal = |certificate: &str| {
        TestProject::new()
            .file("certificates/prod.pem", certificate)
            .file("secret.yaml", SECRET)
            .run("seal secret.yaml --environment prod -w out.yaml")
            .refused(1)
    };
    assert_snapshot!(seal(&expired), @"
    exit 1
    stderr:
      error: certificates/prod.pem: the certificate expired at 2026-11-21T12:00:00Z
      hint: fetch the current certificate with `sceau certificate fetch --environment prod`
    files: unchanged
    ");
    assert_snapshot!(seal(&future), @"
    exit 1
    stderr:
      error: certificates/prod.pem: the certificate is not valid before 2026-11-23T12:00:00Z
      hint: fetch the current certificate with `sceau certificate fetch --environment prod`
    files: unchanged
    ");
    assert_snapshot!(seal(include_str!("certificates/elliptic-curve.pem")), @"
    exit 1
    stderr:
      error: certificates/prod.pem: the certificate's key is not an RSA key
    files: unchanged
    ");
    assert_snapshot!(seal(include_str!("certificates/rsa-1024.pem")), @"
    exit 1
    stderr:
      error: certificates/prod.pem: the certificate's key has 1024 bits; 2048 to 8192 are accepted
    files: unchanged
    ");
    assert_snapshot!(seal("no certificate\n"), @"
    exit 1
    stderr:
      error: certificates/prod.pem: no certificate found: expected a PEM block `CERTIFICATE`
    files: unchanged
    ");
}

#[test]
fn a_pinned_file_that_holds_more_than_one_certificate() {
    let prod = TestKey::Prod.certificate(NOW.parse().unwrap());
    let other = TestKey::Other.certificate(NOW.parse().unwrap());
    let seal = |pem: &str| {
        TestProject::new()
            .file("certificates/prod.pem", pem)
            .file("secret.yaml", SECRET)
            .run("seal secret.yaml --environment prod")
            .refused(1)
    };
    assert_snapshot!(seal(&format!("{prod}{other}")), @"
    exit 1
    stderr:
      error: certificates/prod.pem: the file holds more than one certificate
      hint: put each in a file of its own, and list the files under `certificates:`
    files: unchanged
    ");
    assert_snapshot!(seal(&format!("{prod}{}", TestKey::Prod.private_pem())), @"
    exit 1
    stderr:
      error: certificates/prod.pem: the file holds a private key
      hint: keep it out of the repository, and renew it if it was committed
    files: unchanged
    ");
    assert_snapshot!(seal(TestKey::Prod.private_pem()), @"
    exit 1
    stderr:
      error: certificates/prod.pem: the file holds a private key
      hint: keep it out of the repository, and renew it if it was committed
    files: unchanged
    ");
}

#[test]
fn a_certificate_that_is_not_there() {
    let project = TestProject::new().file("secret.yaml", SECRET);
    std::fs::remove_file(project.path("certificates/prod.pem")).unwrap();
    let outcome = project
        .run("seal secret.yaml --environment prod")
        .refused(1);
    assert_snapshot!(outcome, @"
    exit 1
    stderr:
      error: environment `prod` is sealed to certificates/prod.pem, which does not exist
      hint: fetch the current certificate with `sceau certificate fetch --environment prod`
    files: unchanged
    ");
}

#[test]
fn the_certificate_of_a_person() {
    let project = TestProject::new();
    let project_file = project.text("sceau.yaml")
        + "people:\n  alice: {certificate: certificates/prod.pem, operates: [dev]}\n";
    let outcome = project
        .file("sceau.yaml", project_file)
        .file("secret.yaml", SECRET)
        .run("seal secret.yaml --environment prod")
        .refused(1);
    assert_snapshot!(outcome, @"
    exit 1
    stderr:
      error: certificates/prod.pem is the certificate of `alice`, so environment `prod` cannot be sealed to it
      hint: remove it from environments.prod.certificates: only certificates of clusters belong there
    files: unchanged
    ");
}

#[test]
fn the_key_of_another_environment() {
    let project = TestProject::new()
        .environment("test", TestKey::Prod)
        .file("secret.yaml", SECRET);
    let seal =
        |environment: &str| project.run(&format!("seal secret.yaml --environment {environment}"));
    assert_snapshot!(seal("prod").refused(1), @"
    exit 1
    stderr:
      error: certificates/prod.pem of environment `prod` has the key of certificates/test.pem of environment `test`
      hint: fetch the certificates of both environments again, first with `sceau certificate fetch --environment prod`
    files: unchanged
    ");
    assert_snapshot!(seal("test").refused(1), @"
    exit 1
    stderr:
      error: certificates/test.pem of environment `test` has the key of certificates/prod.pem of environment `prod`
      hint: fetch the certificates of both environments again, first with `sceau certificate fetch --environment test`
    files: unchanged
    ");
    let _ = seal("dev").done();
}

#[test]
fn a_repository_without_project_file() {
    let project = TestProject::empty().file("secret.yaml", SECRET);
    let outcome = project
        .run("seal secret.yaml --environment prod")
        .refused(1);
    assert_snapshot!(outcome, @"
    exit 1
    stderr:
      error: sceau.yaml does not exist in [PROJECT]/ or above it
      hint: create it with `sceau init`
    files: unchanged
    ");
}
