//! Which environment `sceau seal` seals for, and whom: what cannot be decided is refused.

use insta::assert_snapshot;
use jiff::{SignedDuration, Timestamp};

use crate::support::{NOW, Outcome, SECRET, TestKey, TestProject};

/// Seals [`SECRET`] for prod to what this certificate file holds; it must be refused.
#[track_caller]
fn refused_certificate(pem: impl AsRef<[u8]>) -> Outcome {
    TestProject::with_secret(SECRET)
        .file("certificates/prod.pem", pem)
        .seal("-w out.yaml")
        .refused(1)
}

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
      note: shop/api is sealed for prod (strict, 1 item) in deploy/api/prod/secret.yaml
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
      warning: this is sealed for `prod`, but by sceau.yaml, deploy/api/dev/secret.yaml belongs to `dev`
      note: shop/api is sealed for prod (strict, 1 item) in out.yaml
    files: out.yaml
    ");
}

#[test]
fn an_environment_with_two_clusters_has_two_recipients() {
    let project_file =
        "environments:\n  prod: {certificates: [certificates/prod.pem, certificates/dev.pem]}\n";
    let project = TestProject::with_secret(SECRET).file("sceau.yaml", project_file);
    let outcome = project.seal("").done();
    assert_eq!(
        outcome.stdout().matches("wrapped: ").count(),
        2,
        "{outcome}"
    );
}

#[test]
fn an_unknown_environment_with_the_nearest_name() {
    let project = TestProject::with_secret(SECRET);
    let outcome = project
        .run("seal secret.yaml --environment prdo")
        .refused(1);
    assert_snapshot!(outcome, @"
    exit 1
    stderr:
      error: no environment `prdo` in sceau.yaml
      hint: use the similar name `prod`
    files: unchanged
    ");
    let outcome = project
        .run("seal secret.yaml --environment staging")
        .refused(1);
    assert_snapshot!(outcome, @"
    exit 1
    stderr:
      error: no environment `staging` in sceau.yaml
      hint: sceau.yaml has dev, prod
    files: unchanged
    ");
}

#[test]
fn a_path_without_environment() {
    let project = TestProject::with_secret(SECRET);
    assert_snapshot!(project.run("seal secret.yaml").refused(1), @"
    exit 1
    stderr:
      error: no path rule of sceau.yaml says which environment secret.yaml belongs to
      hint: name it with `--environment`; sceau.yaml has dev, prod
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
      error: which environment is this for?
      hint: name it with `--environment`; sceau.yaml has dev, prod
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
      error: by sceau.yaml, deploy/api/dev/secret.yaml belongs to `dev`, but by sceau.yaml, deploy/api/prod/secret.yaml belongs to `prod`
      hint: say which is meant with `--environment`
    files: unchanged
    ");
}

#[test]
fn certificates_that_cannot_be_sealed_to() {
    let now: Timestamp = NOW.parse().unwrap();
    let day = SignedDuration::from_hours(24);
    let expired = TestKey::Prod.certificate_between(now - day * 2, now - day);
    let future = TestKey::Prod.certificate_between(now + day, now + day * 2);
    assert_snapshot!(refused_certificate(&expired), @"
    exit 1
    stderr:
      error: certificates/prod.pem: the certificate expired at 2026-11-21T12:00:00Z
      hint: fetch the current one with `sceau certificate fetch --environment prod`
    files: unchanged
    ");
    assert_snapshot!(refused_certificate(&future), @"
    exit 1
    stderr:
      error: certificates/prod.pem: the certificate is not valid before 2026-11-23T12:00:00Z
      hint: fetch the current one with `sceau certificate fetch --environment prod`
    files: unchanged
    ");
    assert_snapshot!(refused_certificate(include_str!("certificates/elliptic-curve.pem")), @"
    exit 1
    stderr:
      error: certificates/prod.pem: the certificate's key is not an RSA key
    files: unchanged
    ");
    assert_snapshot!(refused_certificate(include_str!("certificates/rsa-1024.pem")), @"
    exit 1
    stderr:
      error: certificates/prod.pem: the certificate's key has 1024 bits; 2048 to 8192 are accepted
    files: unchanged
    ");
    assert_snapshot!(refused_certificate("no certificate\n"), @"
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
    assert_snapshot!(refused_certificate(format!("{prod}{other}")), @"
    exit 1
    stderr:
      error: certificates/prod.pem: there is more than one certificate in this file
      hint: give each a file of its own and list them under `certificates:`
    files: unchanged
    ");
    assert_snapshot!(refused_certificate(format!("{prod}{}", TestKey::Prod.private_pem())), @"
    exit 1
    stderr:
      error: certificates/prod.pem: a private key stands in this file
      hint: keep it out of the repository, and renew it if it was committed
    files: unchanged
    ");
    assert_snapshot!(refused_certificate(TestKey::Prod.private_pem()), @"
    exit 1
    stderr:
      error: certificates/prod.pem: a private key stands in this file
      hint: keep it out of the repository, and renew it if it was committed
    files: unchanged
    ");
}

#[test]
fn a_certificate_that_is_not_there() {
    let project = TestProject::with_secret(SECRET);
    std::fs::remove_file(project.path("certificates/prod.pem")).unwrap();
    assert_snapshot!(project.seal("").refused(1), @"
    exit 1
    stderr:
      error: environment `prod` is sealed to certificates/prod.pem, which is not there
      hint: fetch the current one with `sceau certificate fetch --environment prod`
    files: unchanged
    ");
}

#[test]
fn the_certificate_of_a_person() {
    let project = TestProject::with_secret(SECRET);
    let project_file = project.text("sceau.yaml")
        + "people:\n  alice: {certificate: certificates/prod.pem, operates: [dev]}\n";
    let project = project.file("sceau.yaml", project_file);
    assert_snapshot!(project.seal("").refused(1), @"
    exit 1
    stderr:
      error: certificates/prod.pem is the certificate of `alice`, and environment `prod` would be sealed to it
      hint: take it out of environments.prod.certificates: an environment's values are for its clusters
    files: unchanged
    ");
}

#[test]
fn the_key_of_another_environment() {
    let project = TestProject::with_secret(SECRET).environment("test", TestKey::Prod);
    let seal =
        |environment: &str| project.run(&format!("seal secret.yaml --environment {environment}"));
    assert_snapshot!(seal("prod").refused(1), @"
    exit 1
    stderr:
      error: certificates/prod.pem of environment `prod` has the key of certificates/test.pem of environment `test`
      hint: an environment has keys of its own: fetch both certificates anew, beginning with `sceau certificate fetch --environment prod`
    files: unchanged
    ");
    assert_snapshot!(seal("test").refused(1), @"
    exit 1
    stderr:
      error: certificates/test.pem of environment `test` has the key of certificates/prod.pem of environment `prod`
      hint: an environment has keys of its own: fetch both certificates anew, beginning with `sceau certificate fetch --environment test`
    files: unchanged
    ");
    let _ = seal("dev").done();
}

#[test]
fn a_repository_without_project_file() {
    let project = TestProject::empty().file("secret.yaml", SECRET);
    assert_snapshot!(project.seal("").refused(1), @"
    exit 1
    stderr:
      error: no sceau.yaml in [PROJECT]/ or above it
      hint: write one with `sceau init`
    files: unchanged
    ");
}
