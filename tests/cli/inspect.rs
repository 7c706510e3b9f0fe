//! `sceau inspect`.

use insta::assert_snapshot;

use crate::{seal_manifests::SECRET, support::TestProject};

fn sealed() -> TestProject {
    let project = TestProject::new().file("secret.yaml", SECRET);
    project
        .run("seal secret.yaml --environment prod -w sealed.yaml")
        .done();
    let older = project
        .text("sealed.yaml")
        .replace("2026-11-22T12:00:00Z", "2026-10-01T00:00:00Z");
    project.file("sealed.yaml", older)
}

#[test]
fn a_table_shows_place_scope_keys_items_and_age() {
    assert_snapshot!(sealed().run("inspect sealed.yaml"), @"
    exit 0
    stdout:
      shop/api    sealed.yaml:1 (document 1)
      environment prod, scope strict, type Opaque
      
      SEAL   SEALED AT              AGE   KEY                                                                       SUITE
      1      2026-10-01T00:00:00Z   52d   [KEY Prod]   RSA-OAEP-SHA256
      
      SEAL   ITEM       BYTES
      1      password   7
    files: unchanged
    ");
}

#[test]
fn json_shows_the_same() {
    assert_snapshot!(sealed().run("inspect sealed.yaml -o json"), @r#"
    exit 0
    stdout:
      [
        {
          "file": "sealed.yaml",
          "document": 1,
          "line": 1,
          "apiVersion": "sceau.dev/v1alpha1",
          "namespace": "shop",
          "name": "api",
          "environment": "prod",
          "scope": "strict",
          "type": "Opaque",
          "seals": [
            {
              "sealedAt": "2026-10-01T00:00:00Z",
              "ageSeconds": 4536000,
              "recipients": [
                {
                  "keyId": "[KEY Prod]",
                  "suite": "RSA-OAEP-SHA256"
                }
              ],
              "items": [
                {
                  "name": "password",
                  "bytes": 7
                }
              ]
            }
          ]
        }
      ]
    files: unchanged
    "#);
}

#[test]
fn yaml_shows_the_same() {
    let yaml = sealed().run("inspect sealed.yaml -o yaml").done();
    let json = sealed().run("inspect sealed.yaml -o json").done();
    let from_yaml: serde_json::Value = serde_saphyr::from_str(yaml.stdout()).unwrap();
    let from_json: serde_json::Value = serde_json::from_str(json.stdout()).unwrap();
    assert_eq!(from_yaml, from_json);
}

#[test]
fn several_documents_of_both_formats_and_of_other_kinds() {
    let project = sealed();
    let text = format!(
        "{}---\nkind: ConfigMap\n---\n{SECRET}---\n{}",
        project.text("sealed.yaml"),
        include_str!("../vectors/sealed-cluster-wide.yaml").trim_start_matches("---\n")
    );
    assert_snapshot!(project.stdin(text).run("inspect"), @"
    exit 0
    stdout:
      shop/api    standard input:1 (document 1)
      environment prod, scope strict, type Opaque
      
      SEAL   SEALED AT              AGE   KEY                                                                       SUITE
      1      2026-10-01T00:00:00Z   52d   [KEY Prod]   RSA-OAEP-SHA256
      
      SEAL   ITEM       BYTES
      1      password   7
      
      myns/mysecret    standard input:29 (document 4)
      kubeseal format, scope cluster-wide, type Opaque
      
      SEAL   ITEM       BYTES
      1      password   6
      1      user       5
    stderr:
      warning: standard input:21 (document 3): this Secret is not sealed
    files: unchanged
    ");
}

#[test]
fn what_a_cluster_lists_is_read_with_its_status() {
    let project = sealed();
    let item = project.text("sealed.yaml").replace('\n', "\n  ");
    let list = format!(
        "apiVersion: v1\nkind: List\nitems:\n- {}\n  status: {{observedGeneration: 1, conditions: []}}\n",
        item.trim_end().replace("    namespace: shop", "    namespace: shop\n    uid: x\n    generation: 1\n    creationTimestamp: \"2026-01-01T00:00:00Z\""),
    );
    let outcome = project.stdin(list).run("inspect").done();
    assert!(
        outcome
            .stdout()
            .starts_with("shop/api    standard input:4 (document 1)"),
        "{outcome}"
    );
}

#[test]
fn a_malformed_manifest_is_refused_with_its_place() {
    let project = sealed();
    let text = project
        .text("sealed.yaml")
        .replace("suite: RSA-OAEP-SHA256", "suite: ROT13");
    assert_snapshot!(project.file("sealed.yaml", text).run("inspect sealed.yaml").refused(1), @"
    exit 1
    stderr:
      error: sealed.yaml:1 (document 1): seal 1 uses the suite `ROT13`, which this version does not support
    files: unchanged
    ");
}

#[test]
fn an_unknown_field_is_refused_with_its_line() {
    let project = sealed();
    let text = project
        .text("sealed.yaml")
        .replace("  scope: strict", "  scope: strict\n  surprise: 1");
    assert_snapshot!(project.file("sealed.yaml", text).run("inspect sealed.yaml").refused(1), @"
    exit 1
    stderr:
      error: sealed.yaml:9 (document 1): spec: unknown field; known are environment, scope, seals, template
    files: unchanged
    ");
}

#[test]
fn an_input_without_sealed_secrets_is_refused() {
    let project = TestProject::empty().stdin("kind: ConfigMap\n");
    assert_snapshot!(project.run("inspect").refused(1), @"
    exit 1
    stderr:
      error: the input has no SealedSecret
    files: unchanged
    ");
}
