//! `sceau seal` with manifests.

use insta::assert_snapshot;

use crate::support::TestProject;

pub(crate) const SECRET: &str = "\
apiVersion: v1
kind: Secret
metadata:
  name: api
  namespace: shop
stringData:
  password: hunter2
";

/// What the Secret holds after it was sealed and unsealed again, as YAML.
#[track_caller]
fn unsealed(project: &TestProject, sealed: &str) -> String {
    let project_keys = crate::support::TestKey::Prod;
    std::fs::write(project.path("prod.key"), project_keys.private_pem()).unwrap();
    std::fs::write(project.path("sealed.yaml"), sealed).unwrap();
    let outcome = project.run("unseal sealed.yaml --keys prod.key").done();
    outcome.stdout().to_owned()
}

#[test]
fn a_secret_becomes_a_sealed_secret_on_standard_output() {
    let project = TestProject::new().file("secret.yaml", SECRET);
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
    let project = TestProject::new().file("secret.yaml", FROM_A_CLUSTER);
    let outcome = project.run("seal secret.yaml --environment prod").done();
    assert_snapshot!(outcome, @r#"
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
    let project = TestProject::new().file("secret.yaml", secret);
    let outcome = project.run("seal secret.yaml --environment prod").done();
    assert_snapshot!(unsealed(&project, outcome.stdout()), @"
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
    let project = TestProject::new().file("secret.yaml", SECRET);
    for scope in ["strict", "namespace-wide", "environment-wide"] {
        let outcome = project
            .run(&format!(
                "seal secret.yaml --environment prod --scope {scope}"
            ))
            .done();
        let sealed = outcome.stdout();
        assert!(sealed.contains(&format!("scope: {scope}\n")), "{outcome}");
        assert!(unsealed(&project, sealed).contains("password: aHVudGVyMg=="));
    }
}

#[test]
fn several_documents_stay_in_their_order() {
    let two = format!(
        "# first\n{SECRET}---\n{}",
        SECRET.replace("name: api", "name: db")
    );
    let project = TestProject::new().file("secret.yaml", two);
    let outcome = project.run("seal secret.yaml --environment prod").done();
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
    let item = SECRET.replace('\n', "\n  ");
    for kind in ["List", "SecretList"] {
        let list = format!(
            "apiVersion: v1\nkind: {kind}\nmetadata: {{}}\nitems:\n- {}",
            item.trim_end()
        );
        let project = TestProject::new().file("list.yaml", list);
        let outcome = project.run("seal list.yaml --environment prod").done();
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
    assert!(unsealed(&project, outcome.stdout()).contains("a: w6nwn5iALw=="));
}

#[test]
fn json_is_written_for_json_files_and_on_request() {
    let project = TestProject::new().file("secret.yaml", SECRET);
    let outcome = project
        .run("seal secret.yaml --environment prod -w sealed.json")
        .done();
    let file: serde_json::Value = serde_json::from_str(outcome.file("sealed.json")).unwrap();
    assert_eq!(file["kind"], "SealedSecret");

    let outcome = project
        .run("seal secret.yaml --environment prod -o json")
        .done();
    let stdout: serde_json::Value = serde_json::from_str(outcome.stdout()).unwrap();
    assert_eq!(stdout["metadata"], file["metadata"]);
}

#[test]
fn several_secrets_in_json_are_a_list() {
    let two = format!("{SECRET}---\n{}", SECRET.replace("name: api", "name: db"));
    let project = TestProject::new().file("secret.yaml", two);
    let outcome = project
        .run("seal secret.yaml --environment prod -o json")
        .done();
    let list: serde_json::Value = serde_json::from_str(outcome.stdout()).unwrap();
    assert_eq!(list["kind"], "List");
    assert_eq!(list["items"][1]["metadata"]["name"], "db");
}

#[test]
fn the_namespace_flag_fills_a_gap() {
    let secret = SECRET.replace("  namespace: shop\n", "");
    let project = TestProject::new().file("secret.yaml", secret);
    let outcome = project
        .run("seal secret.yaml --environment prod -n shop")
        .done();
    assert!(outcome.stdout().contains("namespace: shop"), "{outcome}");
}

#[test]
fn a_secret_without_items_is_sealed_when_that_is_allowed() {
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: a, namespace: b}\n";
    let project = TestProject::new().file("secret.yaml", secret);
    let outcome = project
        .run("seal secret.yaml --environment prod --allow-empty")
        .done();
    assert!(outcome.stdout().contains("items: {}"), "{outcome}");
}

#[test]
fn anchors_blocks_and_quotes_mean_what_yaml_says() {
    let secret = "\
apiVersion: v1
kind: Secret
metadata: {name: a, namespace: b}
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
";
    let project = TestProject::new().file("secret.yaml", secret);
    let outcome = project.run("seal secret.yaml --environment prod").done();
    assert_snapshot!(unsealed(&project, outcome.stdout()), @r#"
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
    let project = TestProject::new().file(
        "secret.yaml",
        format!("\u{feff}{}", SECRET.replace('\n', "\r\n")),
    );
    let outcome = project.run("seal secret.yaml --environment prod").done();
    assert!(unsealed(&project, outcome.stdout()).contains("password: aHVudGVyMg=="));
}

#[cfg(unix)]
#[test]
fn a_file_that_is_replaced_keeps_its_mode_and_a_new_one_is_readable() {
    use std::os::unix::fs::PermissionsExt as _;
    let mode =
        |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let project = TestProject::new()
        .file("secret.yaml", SECRET)
        .file("old.yaml", "");
    let old = project.path("old.yaml");
    std::fs::set_permissions(&old, std::fs::Permissions::from_mode(0o664)).unwrap();
    for target in ["old.yaml", "new.yaml"] {
        project
            .run(&format!("seal secret.yaml --environment prod -w {target}"))
            .done();
    }
    assert_eq!(mode(&old), 0o664);
    assert_eq!(mode(&project.path("new.yaml")), 0o644);
}

#[cfg(unix)]
#[test]
fn a_symbolic_link_is_followed_and_stays() {
    let project = TestProject::new()
        .file("secret.yaml", SECRET)
        .file("real/out.yaml", "");
    std::os::unix::fs::symlink("real/out.yaml", project.path("link.yaml")).unwrap();
    project
        .run("seal secret.yaml --environment prod -w link.yaml")
        .done();
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
    let project = TestProject::new()
        .file("secret.yaml", SECRET)
        .file("real/x", "");
    std::os::unix::fs::symlink("real/link.yaml", project.path("link.yaml")).unwrap();
    std::os::unix::fs::symlink("out.yaml", project.path("real/link.yaml")).unwrap();
    std::os::unix::fs::symlink("loop.yaml", project.path("loop.yaml")).unwrap();
    let seal =
        |target: &str| project.run(&format!("seal secret.yaml --environment prod -w {target}"));
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
        .map(|number| SECRET.replace("name: api", &format!("name: api-{number}")))
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
