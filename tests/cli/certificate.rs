//! `sceau certificate show` and `generate`.

use insta::assert_snapshot;
use jiff::{SignedDuration, Timestamp};
use sealing::{Certificate, SealingKey};

use crate::support::{NOW, TestKey, TestProject};

#[test]
fn show_lists_every_pinned_certificate() {
    assert_snapshot!(TestProject::new().run("certificate show"), @"
    exit 0
    stdout:
      FILE                    SUBJECT   KEY                                                                       BITS   NOT BEFORE             NOT AFTER              STATE
      certificates/dev.pem    CN=Dev    [KEY Dev]   2048   2026-11-22T11:00:00Z   2027-11-22T12:00:00Z   valid
      certificates/prod.pem   CN=Prod   [KEY Prod]   3072   2026-11-22T11:00:00Z   2027-11-22T12:00:00Z   valid
    files: unchanged
    ");
}

#[test]
fn show_lists_missing_certificates() {
    let project = TestProject::new();
    std::fs::remove_file(project.path("certificates/dev.pem")).unwrap();
    assert_snapshot!(project.run("certificate show"), @"
    exit 0
    stdout:
      FILE                    SUBJECT   KEY                                                                       BITS   NOT BEFORE             NOT AFTER              STATE
      certificates/dev.pem    -         -                                                                         -      -                      -                      missing
      certificates/prod.pem   CN=Prod   [KEY Prod]   3072   2026-11-22T11:00:00Z   2027-11-22T12:00:00Z   valid
    files: unchanged
    ");
    let json = project.run("certificate show -o json").done();
    let json: serde_json::Value = serde_json::from_str(json.stdout()).unwrap();
    let expected = serde_json::json!({"file": "certificates/dev.pem", "state": "missing"});
    assert_eq!(json[0], expected);
    assert_snapshot!(project.run("certificate show --environment dev").refused(1), @"
    exit 1
    stderr:
      error: none of the certificates in sceau.yaml exists
      hint: fetch them with `sceau certificate fetch --environment NAME`
    files: unchanged
    ");
}

#[test]
fn show_reads_an_environment_a_file_or_standard_input() {
    let project = TestProject::new();
    let json = |outcome: crate::support::Outcome| -> serde_json::Value {
        serde_json::from_str(outcome.done().stdout()).unwrap()
    };
    let environment = json(project.run("certificate show --environment prod -o json"));
    assert_eq!(environment[0]["keyId"], TestKey::Prod.id());
    let file = json(project.run("certificate show certificates/prod.pem -o json"));
    assert_eq!(file[0]["keyId"], TestKey::Prod.id());
    let project = project.stdin(TestKey::Other.certificate(NOW.parse().unwrap()));
    let stdin = json(project.run("certificate show - -o json"));
    assert_eq!(stdin[0]["keyId"], TestKey::Other.id());
}

#[test]
fn show_lists_expired_certificates() {
    let now: Timestamp = NOW.parse().unwrap();
    let hour = SignedDuration::from_hours(1);
    let project = TestProject::empty()
        .file(
            "old.pem",
            TestKey::Prod.certificate_between(now - hour * 2, now - hour),
        )
        .file(
            "new.pem",
            TestKey::Prod.certificate_between(now + hour, now + hour * 2),
        );
    assert_snapshot!(project.run("certificate show old.pem new.pem"), @"
    exit 0
    stdout:
      FILE      SUBJECT   KEY                                                                       BITS   NOT BEFORE             NOT AFTER              STATE
      old.pem   CN=Prod   [KEY Prod]   3072   2026-11-22T10:00:00Z   2026-11-22T11:00:00Z   expired
      new.pem   CN=Prod   [KEY Prod]   3072   2026-11-22T13:00:00Z   2026-11-22T14:00:00Z   not yet valid
    files: unchanged
    ");
}

#[test]
fn show_refuses_what_is_no_certificate() {
    let project = TestProject::empty().private_key("a.key", TestKey::Prod);
    assert_snapshot!(project.run("certificate show a.key").refused(1), @"
    exit 1
    stderr:
      error: a.key: no certificate found: expected a PEM block `CERTIFICATE`
    files: unchanged
    ");
}

const GENERATE: &str = "certificate generate --subject alice --write-key keys/alice.key \
                        --write-certificate alice.pem";

#[test]
fn generate_makes_a_key_pair_that_belongs_together() {
    let project = TestProject::empty();
    let outcome = project.run(GENERATE).done();
    assert_eq!(outcome.changed_files(), ["alice.pem", "keys/alice.key"]);
    let certificate = Certificate::parse_pem(outcome.file("alice.pem")).unwrap();
    let key = SealingKey::parse_pem(outcome.file("keys/alice.key"))
        .unwrap()
        .remove(0);
    assert_eq!(key.id(), certificate.key_id());
    assert_eq!(key.bits(), 4096);
    assert_eq!(certificate.subject, "CN=alice");
    let days = SignedDuration::from_hours(24 * 3650);
    assert_eq!(
        certificate.not_after,
        NOW.parse::<Timestamp>().unwrap() + days
    );
    assert!(!outcome.stderr().contains("PRIVATE"), "{outcome}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(project.path("keys/alice.key"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn generate_never_overwrites() {
    for existing in ["alice.pem", "keys/alice.key"] {
        let project = TestProject::empty().file(existing, "precious");
        let outcome = project.run(GENERATE).refused(1);
        assert!(
            outcome
                .stderr()
                .contains(&format!("{existing} already exists")),
            "{outcome}"
        );
    }
}

#[test]
fn generate_needs_two_files() {
    for (key, certificate) in [("a", "a"), ("a", "./a"), ("b/a", "c/../b/a")] {
        let project = TestProject::empty().file("b/x", "").file("c/x", "");
        let line = format!(
            "certificate generate --subject a --write-key {key} --write-certificate {certificate}"
        );
        let outcome = project.run(&line).refused(1);
        assert!(
            outcome
                .stderr()
                .contains("is named twice as a file to write"),
            "{outcome}"
        );
    }
}

#[test]
fn generate_bounds_the_validity() {
    let project = TestProject::empty();
    for days in ["0", "-1", "36501", "x"] {
        project.run(&format!("{GENERATE} --days {days}")).refused(2);
    }
}
