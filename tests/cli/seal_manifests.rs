//! `sceau seal` with manifests.

use insta::assert_snapshot;

pub(crate) use crate::support::SECRET;
use crate::support::{Outcome, TestKey, TestProject, list_of, secret_named, secret_with};

/// Seals a manifest for prod.
#[track_caller]
fn seal(secret: impl AsRef<[u8]>) -> Outcome {
    TestProject::with_secret(secret).seal("").done()
}

/// What was sealed on standard output, unsealed again, as YAML.
#[track_caller]
fn unsealed(sealed: &Outcome) -> String {
    TestProject::empty()
        .private_key("prod.key", TestKey::Prod)
        .file("sealed.yaml", sealed.stdout())
        .unsealed("sealed.yaml", "prod.key")
}

#[test]
fn a_secret_becomes_a_sealed_secret_on_standard_output() {
    let project = TestProject::with_secret(SECRET);
    assert_snapshot!(project.run("seal secret.yaml --environment prod"), @r#"
    exit 0
    stdout:
      apiVersion: sceau.dev/v1alpha1
      kind: SealedSecret
      metadata:
        name: api
        namespace: shop
      spec:
        environment: prod
        scope: strict
        seals:
        - sealedAt: "2026-11-22T12:00:00Z"
          commitment: [SEALED]
          recipients:
          - keyId: [KEY Prod]
            suite: RSA-OAEP-SHA256
            wrapped: [SEALED]
          items:
            password: [SEALED]
    files: unchanged
    "#);
}

/// A Secret as `kubectl get` and `kubectl apply` leave it.
const FROM_A_CLUSTER: &str = r#"
apiVersion: v1
kind: Secret
type: kubernetes.io/basic-auth
immutable: true
metadata:
  finalizers: [kubernetes.io/x]
  name: api
  namespace: shop
  labels: {app: web, "version": "1.10"}
  annotations:
    note: "0123"
    sceau.dev/fingerprints: '{"key":"0123456789abcdef","items":{}}'
    kubectl.kubernetes.io/last-applied-configuration: '{"data":{"password":"aHVudGVyMg=="}}'
  uid: 0b6a
  resourceVersion: "12"
  generation: 3
  creationTimestamp: 2026-01-01T00:00:00Z
  deletionTimestamp: null
  deletionGracePeriodSeconds: 0
  selfLink: /api/v1/x
  ownerReferences: [{kind: X, uid: y}]
  managedFields: [{manager: kubectl, fieldsV1: {"f:data": {".": {}}}}]
data:
  username: YWRtaW4=
  password: aHVudGVyMg==
status: {}
"#;

#[test]
fn type_immutability_labels_and_annotations_are_kept_and_what_the_server_sets_is_stripped() {
    assert_snapshot!(seal(FROM_A_CLUSTER), @r#"
    exit 0
    stdout:
      apiVersion: sceau.dev/v1alpha1
      kind: SealedSecret
      metadata:
        name: api
        namespace: shop
      spec:
        environment: prod
        scope: strict
        seals:
        - sealedAt: "2026-11-22T12:00:00Z"
          commitment: [SEALED]
          recipients:
          - keyId: [KEY Prod]
            suite: RSA-OAEP-SHA256
            wrapped: [SEALED]
          items:
            password: [SEALED]
            username: [SEALED]
        template:
          type: kubernetes.io/basic-auth
          immutable: true
          metadata:
            labels:
              app: web
              version: "1.10"
            annotations:
              note: "0123"
    files: unchanged
    "#);
}

#[test]
fn an_item_of_string_data_replaces_that_of_data() {
    let secret = format!("{SECRET}data:\n  password: b2xk\n  other: b2xk\n");
    assert_snapshot!(unsealed(&seal(secret)), @"
    apiVersion: v1
    kind: Secret
    metadata:
      name: api
      namespace: shop
    type: Opaque
    data:
      other: b2xk
      password: aHVudGVyMg==
    ");
}

#[test]
fn every_scope_can_be_asked_for() {
    let project = TestProject::with_secret(SECRET);
    for scope in ["strict", "namespace-wide", "environment-wide"] {
        let outcome = project.seal(&format!("--scope {scope}")).done();
        let sealed = outcome.stdout();
        assert!(sealed.contains(&format!("scope: {scope}\n")), "{outcome}");
        assert!(unsealed(&outcome).contains("password: aHVudGVyMg=="));
    }
}

#[test]
fn several_documents_stay_in_their_order() {
    let outcome = seal(format!("# first\n{SECRET}---\n{}", secret_named("db")));
    let names: Vec<&str> = outcome
        .stdout()
        .lines()
        .filter(|it| it.starts_with("  name:"))
        .collect();
    assert_eq!(names, ["  name: api", "  name: db"]);
    assert_eq!(outcome.stdout().matches("\n---\n").count(), 1);
}

#[test]
fn a_list_is_sealed_item_by_item() {
    for kind in ["List", "SecretList"] {
        let head = format!("kind: {kind}\nmetadata: {{}}\n");
        let outcome = seal(list_of(&[SECRET]).replace("kind: List\n", &head));
        assert_eq!(
            outcome.stdout().matches("kind: SealedSecret").count(),
            1,
            "{outcome}"
        );
    }
}

#[test]
fn json_is_read_alone_and_as_a_stream() {
    let json = |name: &str| {
        format!(
            "{{\n\t\"apiVersion\": \"v1\", \"kind\": \"Secret\",\n\t\"metadata\": {{\"name\": \"{name}\", \"namespace\": \"shop\"}},\n\t\"stringData\": {{\"a\": \"\\u00e9\\ud83d\\ude00\\/\"}}\n}}"
        )
    };
    let project = TestProject::new().stdin(format!("{}\n{}", json("api"), json("db")));
    let outcome = project.run("seal --environment prod").done();
    assert_eq!(
        outcome.stdout().matches("kind: SealedSecret").count(),
        2,
        "{outcome}"
    );
    assert!(unsealed(&outcome).contains("a: w6nwn5iALw=="));
}

#[test]
fn json_is_written_for_json_files_and_on_request() {
    let project = TestProject::with_secret(SECRET);
    let outcome = project.seal("-w sealed.json").done();
    let file: serde_json::Value = serde_json::from_str(outcome.file("sealed.json")).unwrap();
    assert_eq!(file["kind"], "SealedSecret");

    let outcome = project.seal("-o json").done();
    let stdout: serde_json::Value = serde_json::from_str(outcome.stdout()).unwrap();
    assert_eq!(stdout["metadata"], file["metadata"]);
}

#[test]
fn several_secrets_in_json_are_a_list() {
    let two = format!("{SECRET}---\n{}", secret_named("db"));
    let outcome = TestProject::with_secret(two).seal("-o json").done();
    let list: serde_json::Value = serde_json::from_str(outcome.stdout()).unwrap();
    assert_eq!(list["kind"], "List");
    assert_eq!(list["items"][1]["metadata"]["name"], "db");
}

#[test]
fn the_namespace_flag_fills_a_gap() {
    let secret = SECRET.replace("  namespace: shop\n", "");
    let outcome = TestProject::with_secret(secret).seal("-n shop").done();
    assert!(outcome.stdout().contains("namespace: shop"), "{outcome}");
}

#[test]
fn a_secret_without_items_is_sealed_when_that_is_allowed() {
    let project = TestProject::with_secret(secret_with(""));
    let outcome = project.seal("--allow-empty").done();
    assert!(outcome.stdout().contains("items: {}"), "{outcome}");
}

#[test]
fn anchors_blocks_and_quotes_mean_what_yaml_says() {
    let secret = secret_with(
        "\
stringData:
  block: |
    one
    two
  folded: >-
    one
    two
  quoted: '0123'
  tagged: !!str 0123
  anchored: &value text
  alias: *value
  empty: \"\"
",
    );
    assert_snapshot!(unsealed(&seal(secret)), @r#"
    apiVersion: v1
    kind: Secret
    metadata:
      name: a
      namespace: b
    type: Opaque
    data:
      alias: dGV4dA==
      anchored: dGV4dA==
      block: b25lCnR3bwo=
      empty: ""
      folded: b25lIHR3bw==
      quoted: MDEyMw==
      tagged: MDEyMw==
    "#);
}

#[test]
fn windows_line_ends_and_a_byte_order_mark_are_read() {
    let outcome = seal(format!("\u{feff}{}", SECRET.replace('\n', "\r\n")));
    assert!(unsealed(&outcome).contains("password: aHVudGVyMg=="));
}

#[cfg(unix)]
#[test]
fn a_file_that_is_replaced_keeps_its_mode_and_a_new_one_is_readable() {
    use std::os::unix::fs::PermissionsExt as _;
    let mode =
        |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let project = TestProject::with_secret(SECRET).file("old.yaml", "");
    let old = project.path("old.yaml");
    std::fs::set_permissions(&old, std::fs::Permissions::from_mode(0o664)).unwrap();
    for target in ["old.yaml", "new.yaml"] {
        project.seal(&format!("-w {target}")).done();
    }
    assert_eq!(mode(&old), 0o664);
    assert_eq!(mode(&project.path("new.yaml")), 0o644);
}

#[cfg(unix)]
#[test]
fn a_symbolic_link_is_followed_and_stays() {
    let project = TestProject::with_secret(SECRET).file("real/out.yaml", "");
    std::os::unix::fs::symlink("real/out.yaml", project.path("link.yaml")).unwrap();
    project.seal("-w link.yaml").done();
    assert!(
        std::fs::symlink_metadata(project.path("link.yaml"))
            .unwrap()
            .is_symlink()
    );
    assert!(project.text("real/out.yaml").contains("SealedSecret"));
}

#[cfg(unix)]
#[test]
fn a_symbolic_link_to_nothing_yet_is_kept_too() {
    let project = TestProject::with_secret(SECRET).file("real/x", "");
    std::os::unix::fs::symlink("real/link.yaml", project.path("link.yaml")).unwrap();
    std::os::unix::fs::symlink("out.yaml", project.path("real/link.yaml")).unwrap();
    std::os::unix::fs::symlink("loop.yaml", project.path("loop.yaml")).unwrap();
    let seal = |target: &str| project.seal(&format!("-w {target}"));
    let _ = seal("link.yaml").done();
    assert!(project.text("real/out.yaml").contains("SealedSecret"));
    for link in ["link.yaml", "real/link.yaml"] {
        assert!(project.path(link).is_symlink(), "{link}");
    }
    let outcome = seal("loop.yaml").refused(1);
    assert!(
        outcome.stderr().contains("too many symbolic links"),
        "{outcome}"
    );
}

#[test]
fn a_thousand_secrets_are_sealed_in_order() {
    let documents: Vec<String> = (0..1000)
        .map(|number| secret_named(&format!("api-{number}")))
        .collect();
    let project = TestProject::new().stdin(documents.join("---\n"));
    let outcome = project.run("seal --environment prod").done();
    let names: Vec<String> = outcome
        .stdout()
        .lines()
        .filter_map(|line| line.strip_prefix("  name: "))
        .map(str::to_owned)
        .collect();
    let expected: Vec<String> = (0..1000).map(|number| format!("api-{number}")).collect();
    assert_eq!(names, expected);
}
