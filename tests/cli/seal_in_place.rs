//! `sceau seal --in-place`.

use insta::assert_snapshot;

use crate::{
    seal_manifests::SECRET,
    support::{TestKey, TestProject},
};

#[test]
fn documents_of_other_kinds_stay_byte_for_byte() {
    let config = "# keep   this\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata:\n    a:   'b'  # and this\n";
    let sealed = include_str!("../vectors/sealed-strict.yaml");
    let text = format!(
        "{config}---  # a comment\n{SECRET}---\n{}\n---\n{config}",
        sealed.trim_end()
    );
    let project = TestProject::new().file("deploy/api/prod/all.yaml", text);
    let outcome = project.run("seal --in-place deploy/api/prod/all.yaml");
    assert_snapshot!(outcome, @"
    exit 0
    stderr:
      note: sealed shop/api for prod (strict, 1 item) in deploy/api/prod/all.yaml
    files: deploy/api/prod/all.yaml
    ");
    let file = outcome.file("deploy/api/prod/all.yaml");
    assert!(file.starts_with(&format!(
        "{config}---  # a comment\napiVersion: sceau.dev/v1alpha1\n"
    )));
    assert!(
        file.ends_with(&format!(
            "---\n{}\n---\n{config}",
            sealed.trim_start_matches("---\n").trim_end()
        )),
        "{file}"
    );
    assert!(!file.contains("hunter2"));
}

#[test]
fn lines_end_as_they_did() {
    for separator in ["---\n", "--- "] {
        let text = format!("kind: ConfigMap\n{separator}{SECRET}").replace('\n', "\r\n");
        let text = text.replace("--- apiVersion: v1\r\n", "--- # a\r\napiVersion: v1\r\n");
        let project = TestProject::new().file("deploy/api/prod/all.yaml", text);
        let outcome = project
            .run("seal --in-place deploy/api/prod/all.yaml")
            .done();
        let file = outcome.file("deploy/api/prod/all.yaml");
        assert_eq!(
            file.matches('\n').count(),
            file.matches("\r\n").count(),
            "{file}"
        );
        assert!(file.contains("kind: SealedSecret\r\n"), "{file}");
    }
}

#[test]
fn a_second_run_changes_nothing() {
    let project = TestProject::new().file("deploy/api/prod/a.yaml", SECRET);
    project.run("seal --in-place deploy/api/prod/a.yaml").done();
    let again = project.run("seal --in-place deploy/api/prod/a.yaml").done();
    assert_snapshot!(again, @"
    exit 0
    stderr:
      note: deploy/api/prod/a.yaml has no Secret and stays unchanged
    files: unchanged
    ");
}

#[test]
fn several_files_each_go_to_their_environment() {
    let project = TestProject::new()
        .file("deploy/api/dev/secret.yaml", SECRET)
        .file("deploy/api/prod/secret.yaml", SECRET);
    let outcome = project
        .run("seal --in-place deploy/api/dev/secret.yaml deploy/api/prod/secret.yaml")
        .done();
    assert!(
        outcome
            .file("deploy/api/dev/secret.yaml")
            .contains(TestKey::Dev.id())
    );
    assert!(
        outcome
            .file("deploy/api/prod/secret.yaml")
            .contains(TestKey::Prod.id())
    );
}

#[test]
fn one_bad_file_among_several_leaves_all_of_them_alone() {
    let project = TestProject::new()
        .file("deploy/api/dev/good.yaml", SECRET)
        .file(
            "deploy/api/dev/bad.yaml",
            "kind: Secret\napiVersion: v1\nstringData: {a: 0123}\n",
        );
    let outcome = project
        .run("seal --in-place deploy/api/dev/good.yaml deploy/api/dev/bad.yaml")
        .refused(1);
    assert_snapshot!(outcome, @"
    exit 1
    stderr:
      error: deploy/api/dev/bad.yaml:3 (document 1): stringData.a: unquoted, YAML readers take this for a number
      hint: put it in quotes if it is meant as text
    files: unchanged
    ");
}

#[test]
fn json_stays_json() {
    let json = r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c"}}
{"apiVersion":"v1","kind":"Secret","metadata":{"name":"a","namespace":"b"},"stringData":{"a":"b"}}
"#;
    let project = TestProject::new().file("deploy/api/prod/all.json", json);
    let outcome = project
        .run("seal --in-place deploy/api/prod/all.json")
        .done();
    assert_snapshot!(outcome.filtered_file("deploy/api/prod/all.json"), @r#"
    {"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c"}}
    {
      "apiVersion": "sceau.dev/v1alpha1",
      "kind": "SealedSecret",
      "metadata": {
        "name": "a",
        "namespace": "b"
      },
      "spec": {
        "environment": "prod",
        "scope": "strict",
        "seals": [
          {
            "sealedAt": "2026-11-22T12:00:00Z",
            "commitment": "[SEALED]",
            "recipients": [
              {
                "keyId": "[KEY Prod]",
                "suite": "RSA-OAEP-SHA256",
                "wrapped": "[SEALED]"
              }
            ],
            "items": {
              "a": "[SEALED]"
            }
          }
        ]
      }
    }
    "#);
}

#[test]
fn a_document_on_the_line_of_its_separator_is_replaced_below_it() {
    let text = "--- {apiVersion: v1, kind: Secret, metadata: {name: a, namespace: b}, stringData: {a: b}}\n";
    let project = TestProject::new().file("deploy/api/prod/a.yaml", text);
    let outcome = project.run("seal --in-place deploy/api/prod/a.yaml").done();
    let file = outcome.file("deploy/api/prod/a.yaml");
    assert!(
        file.starts_with("---\napiVersion: sceau.dev/v1alpha1\n"),
        "{file}"
    );
}

#[test]
fn a_list_becomes_documents() {
    let item = SECRET.replace('\n', "\n  ");
    let other = item.replace("name: api", "name: db");
    let list = format!(
        "apiVersion: v1\nkind: List\nitems:\n- {}\n- {}\n---\nkind: X\n",
        item.trim_end(),
        other.trim_end()
    );
    let project = TestProject::new().file("deploy/api/prod/list.yaml", list);
    let outcome = project
        .run("seal --in-place deploy/api/prod/list.yaml")
        .done();
    let file = outcome.file("deploy/api/prod/list.yaml");
    assert_eq!(file.matches("---\n").count(), 2, "{file}");
    assert!(file.ends_with("---\nkind: X\n"), "{file}");
}

#[test]
fn a_list_with_other_kinds_among_its_secrets_is_refused() {
    let item = SECRET.replace('\n', "\n  ");
    let list = format!(
        "apiVersion: v1\nkind: List\nitems:\n- {}\n- kind: ConfigMap\n",
        item.trim_end()
    );
    let project = TestProject::new().file("deploy/api/prod/list.yaml", list);
    let outcome = project
        .run("seal --in-place deploy/api/prod/list.yaml")
        .refused(1);
    assert_snapshot!(outcome, @"
    exit 1
    stderr:
      error: deploy/api/prod/list.yaml:11 (document 1): this is a ConfigMap, not a Secret
      hint: remove other kinds from the List: it is replaced as a whole
    files: unchanged
    ");
}
