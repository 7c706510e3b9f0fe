//! The rules of the `.gitleaks.toml` that `sceau init` writes, with the real gitleaks.

use std::{collections::BTreeSet, process::Command};

use crate::{
    seal_manifests::SECRET,
    support::{TestProject, gitleaks},
};

/// The files below `manifests/` that gitleaks finds something in.
fn leaking(project: &TestProject) -> BTreeSet<String> {
    let output = Command::new(gitleaks())
        .args(["dir", "manifests", "--no-banner", "--exit-code", "0"])
        .args(["--config", ".gitleaks.toml"])
        .args(["--report-format", "json", "--report-path", "-"])
        .current_dir(project.path(""))
        .output()
        .unwrap();
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let findings = report.as_array().unwrap();
    let files = findings.iter().map(|it| it["File"].as_str().unwrap());
    files
        .map(|file| file.strip_prefix("manifests/").unwrap().to_owned())
        .collect()
}

/// Files by their names, in a project that `sceau init` set up.
fn project(manifests: &[(&str, &str)]) -> TestProject {
    let project = TestProject::empty();
    project.run("init").done();
    manifests.iter().fold(project, |project, (name, text)| {
        project.file(&format!("manifests/{name}"), text)
    })
}

const LEAKS: [(&str, &str); 23] = [
    (
        "block",
        "kind: Secret\nmetadata:\n  name: a\n\n  namespace: b\ndata:\n  k: Q0FO\n",
    ),
    ("block-text", "kind: Secret\nstringData:\n  k: pw\n"),
    (
        "block-scalar",
        "kind: Secret\nmetadata:\n  name: a\ndata:\n  k: |\n    Q0FO\n",
    ),
    ("block-scalar-text", "stringData:\n  k: |-\n    pw\n"),
    ("next-line", "stringData:\n  k:\n    pw\n"),
    ("hash", "stringData:\n  k: '#1'\n"),
    (
        "comments",
        "kind: Secret # plain\n# and\ntype: Opaque\ndata: # base64\n  # e\n  e: ''\n  # k\n  k: Q0FO\n",
    ),
    (
        "crlf",
        "kind: Secret\r\nmetadata:\r\n  name: a\r\ndata:\r\n  e: ''\r\n  k: Q0FO\r\n",
    ),
    (
        "empty-first",
        "kind: Secret\nmetadata:\n  name: a\ndata:\n  e: \"\"\n  k: Q0FO\n",
    ),
    (
        "empty-first-null",
        "kind: Secret\nmetadata:\n  name: a\ndata:\n  e:\n  k: Q0FO\n",
    ),
    (
        "empty-first-text",
        "kind: Secret\nstringData:\n  e: \"\"\n  f: ''\n  k: pw\n",
    ),
    ("flow", "{kind: Secret, data: {k: Q0FO}}\n"),
    (
        "flow-empty-first",
        "{kind: Secret, metadata: {name: a}, data: {e: '', k: Q0FO}}\n",
    ),
    ("flow-reversed", "{data: {e: '', k: Q0FO}, kind: Secret}\n"),
    ("flow-text", "{kind: Secret, stringData: {e: '', k: pw}}\n"),
    (
        "json",
        r#"{"apiVersion":"v1","kind":"Secret","metadata":{"name":"a"},"data":{"e":"","k":"Q0FO"}}"#,
    ),
    (
        "json-sorted",
        r#"{"apiVersion":"v1","data":{"e":"","k":"Q0FO"},"kind":"Secret","metadata":{"name":"a"}}"#,
    ),
    (
        "json-text",
        r#"{"kind":"Secret","metadata":{"name":"a"},"stringData": {"e":"","k":"pw"}}"#,
    ),
    (
        "json-indented",
        "{\n  \"kind\": \"Secret\",\n  \"type\": \"Opaque\",\n  \"data\": {\n    \"k\": \"Q0FO\"\n  }\n}\n",
    ),
    (
        "json-list",
        r#"{"kind":"List","items":[{"kind":"ConfigMap","data":{"a":"b"}},{"kind":"Secret","type":"Opaque","data":{"k":"Q0FO"}}]}"#,
    ),
    (
        "list",
        "kind: List\nitems:\n- apiVersion: v1\n  kind: Secret\n  metadata:\n    name: a\n  data:\n    e: ''\n    k: Q0FO\n",
    ),
    (
        "list-sorted",
        "items:\n- apiVersion: v1\n  data:\n    e: ''\n    k: Q0FO\n  kind: Secret\n  metadata:\n    name: a\nkind: List\n",
    ),
    (
        "documents",
        "kind: ConfigMap\ndata:\n  a: b\n---\ndata:\n  k: Q0FO\nkind: Secret\n---\nkind: ConfigMap\n",
    ),
];

#[test]
fn it_finds_secrets_however_they_are_written() {
    let found = leaking(&project(&LEAKS));
    let expected = LEAKS.map(|(name, _)| name.to_owned());
    assert_eq!(found, BTreeSet::from(expected));
}

const QUIET: [(&str, &str); 9] = [
    ("config", "kind: ConfigMap\ndata:\n  a: bbbb\n"),
    ("config-json", r#"{"kind":"ConfigMap","data":{"a":"bbbb"}}"#),
    (
        "documents",
        "kind: ConfigMap\ndata:\n  a: bbbb\n---\nkind: Secret\nmetadata:\n  name: a\n---\nkind: ConfigMap\ndata:\n  a: bbbb\n",
    ),
    (
        "empty",
        "kind: Secret\ndata: {}\nstringData: {}\ntype: Opaque\n",
    ),
    (
        "empty-items",
        "kind: Secret\ndata:\n  e: ''\nstringData:\n  e: \"\"\ntype: Opaque\n",
    ),
    (
        "empty-items-flow",
        "{kind: Secret, data: {e: ''}, stringData: {e: ''}, type: Opaque}\n",
    ),
    (
        "reference",
        "kind: HelmRelease\nspec:\n  valuesFrom:\n  - kind: Secret\n    name: a\n  values:\n    data:\n      a: bbbb\n",
    ),
    (
        "reference-behind",
        "kind: List\nitems:\n- kind: ConfigMap\n  data:\n    a: bbbb\n- kind: HelmRelease\n  valuesFrom:\n  - kind: Secret\n    name: a\n",
    ),
    ("original", include_str!("../vectors/sealed-template.json")),
];

#[test]
fn it_is_quiet_about_everything_else() {
    let sealing = TestProject::new().file("secret.yaml", SECRET);
    let seal = |flags: &str| {
        let line = format!("seal secret.yaml --environment prod {flags}");
        sealing.run(&line).done().stdout().to_owned()
    };
    let project = project(&QUIET)
        .file("manifests/sealed.yaml", seal(""))
        .file("manifests/sealed.json", seal("-o json"))
        .file("manifests/two.yaml", [seal(""), seal("")].join("---\n"));
    assert_eq!(leaking(&project), BTreeSet::new());
}

#[test]
fn rotation_lists_are_not_reported_as_leaks() {
    let list = crate::offboard::project()
        .run("offboard alice --no-rekey")
        .done()
        .file("rotations/2026-11-22-alice.yaml")
        .to_owned();
    for item in ["STRIPE_API_KEY", "password", "access-token"] {
        let list = list.replace("item: password", &format!("item: {item}"));
        let project = project(&[("list.yaml", &list)]);
        assert_eq!(leaking(&project), BTreeSet::new(), "{list}");
    }
}
