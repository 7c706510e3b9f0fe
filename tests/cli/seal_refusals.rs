//! What `sceau seal` refuses: each with its place, and without a trace of output.

use insta::assert_snapshot;

use crate::{
    seal_manifests::SECRET,
    support::{Outcome, TestProject},
};

/// Seals `text` for prod into a file; it must be refused.
#[track_caller]
fn refused(text: &str) -> Outcome {
    TestProject::new()
        .file("secret.yaml", text)
        .run("seal secret.yaml --environment prod --write out.yaml")
        .refused(1)
}

/// A Secret with these lines under `stringData`.
fn with_items(items: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{name: a, namespace: b}}\nstringData:\n{items}"
    )
}

#[test]
fn an_unparsable_document_between_good_ones() {
    let other = SECRET.replace("name: api", "name: db");
    let text = format!("{SECRET}---\na: [\n---\n{other}");
    assert_snapshot!(refused(&text), @"
    exit 1
    stderr:
      error: secret.yaml:9 (document 2): no valid YAML: unclosed bracket '['
    files: unchanged
    ");
}

#[test]
fn a_truncated_json_object_behind_a_good_one() {
    let good = r#"{"apiVersion":"v1","kind":"Secret","metadata":{"name":"a","namespace":"b"},"stringData":{"a":"b"}}"#;
    assert_snapshot!(refused(&format!("{good}\n{{\"apiVersion\":\n")), @"
    exit 1
    stderr:
      error: secret.yaml:2 (document 2): no valid YAML: unclosed bracket '{'
    files: unchanged
    ");
}

#[test]
fn a_duplicate_name() {
    assert_snapshot!(refused(&with_items("  a: x\n  b: y\n  a: z\n")), @"
    exit 1
    stderr:
      error: secret.yaml:7 (document 1): `a` stands here twice
    files: unchanged
    ");
}

#[test]
fn the_same_secret_twice() {
    assert_snapshot!(refused(&format!("{SECRET}---\n{SECRET}")), @"
    exit 1
    stderr:
      error: secret.yaml:9 (document 2): this Secret has the same name and namespace as the one at secret.yaml:1 (document 1)
    files: unchanged
    ");
}

#[test]
fn unquoted_scalars_that_yaml_readers_change() {
    for scalar in [
        "0123",
        "1.10",
        "yes",
        "No",
        "on",
        "off",
        "y",
        "true",
        "1_000",
        "0x1F",
        "0o17",
        "1e3",
        "~",
        "null",
        "",
        "2001-01-01",
        "12:30",
        "5432",
        ".inf",
    ] {
        let outcome = refused(&with_items(&format!("  pin: {scalar}\n")));
        let expected =
            "secret.yaml:5 (document 1): stringData.pin: unquoted, YAML readers take this for";
        assert!(outcome.stderr().contains(expected), "{scalar}: {outcome}");
    }
    assert_snapshot!(refused(&with_items("  ok: text\n  pin: 0123\n")), @"
    exit 1
    stderr:
      error: secret.yaml:6 (document 1): stringData.pin: unquoted, YAML readers take this for a number
      hint: put it in quotes if it is meant as text
    files: unchanged
    ");
}

#[test]
fn an_unquoted_name_that_yaml_readers_change() {
    assert_snapshot!(refused(&with_items("  on: 'x'\n")), @"
    exit 1
    stderr:
      error: secret.yaml:5 (document 1): stringData: a name here: unquoted, YAML readers take this for a boolean
      hint: put it in quotes if it is meant as text
    files: unchanged
    ");
}

#[test]
fn data_that_is_no_base64() {
    for value in [
        "'hunter2!'",
        "aHVudGVyMg",
        "aHVudGVyMg==x",
        "'aHVudGVy Mg=='",
        "-_-_",
    ] {
        let text = format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: a, namespace: b}}\ndata:\n  a: {value}\n"
        );
        let outcome = refused(&text);
        let expected = "secret.yaml:5 (document 1): data.a: standard base64 is expected";
        assert!(outcome.stderr().contains(expected), "{value}: {outcome}");
    }
}

#[test]
fn a_value_that_is_no_text() {
    assert_snapshot!(refused(&with_items("  a: {password: hunter2}\n")), @"
    exit 1
    stderr:
      error: secret.yaml:5 (document 1): stringData.a: a text is expected
    files: unchanged
    ");
}

#[test]
fn an_item_name_that_kubernetes_would_refuse() {
    assert_snapshot!(refused(&with_items("  'a b': x\n")), @"
    exit 1
    stderr:
      error: secret.yaml:5 (document 1): stringData: not a valid item name: use 1 to 253 letters, digits, `-`, `_` and `.`
    files: unchanged
    ");
}

/// Any text there may be a value, so the message only has the rule.
#[test]
fn an_item_name_of_the_words_of_its_rule() {
    let expected = "error: secret.yaml:5 (document 1): stringData: not a valid item name: use 1 to 253 letters, digits, `-`, `_` and `.`\n";
    for name in [
        "letters, digits",
        "not a valid item name: use",
        "`a` is not a valid ",
    ] {
        let outcome = refused(&with_items(&format!("  '{name}': x\n")));
        assert_eq!(outcome.stderr(), expected, "{name}");
    }
}

#[test]
fn a_field_that_is_misspelt() {
    let text = SECRET.replace("stringData", "stringdata");
    assert_snapshot!(refused(&text), @"
    exit 1
    stderr:
      error: secret.yaml:6 (document 1): unknown field; did you mean `stringData`?
    files: unchanged
    ");
}

#[test]
fn metadata_that_cannot_be_kept() {
    let text = SECRET.replace("  name: api", "  generateName: api-");
    assert_snapshot!(refused(&text), @"
    exit 1
    stderr:
      error: secret.yaml:4 (document 1): metadata.generateName: a Secret is sealed for the name that it will have: say `name` instead
    files: unchanged
    ");
    let text = SECRET.replace("  name: api", "  name: api\n  clusterName: x");
    assert_snapshot!(refused(&text), @"
    exit 1
    stderr:
      error: secret.yaml:5 (document 1): metadata: unknown field; known are name, namespace, labels, annotations, creationTimestamp, deletionGracePeriodSeconds, deletionTimestamp, finalizers, generateName, generation, managedFields, ownerReferences, resourceVersion, selfLink, uid
    files: unchanged
    ");
}

#[test]
fn metadata_that_kubernetes_would_refuse() {
    let with = |metadata: &str| refused(&SECRET.replace("  name: api", metadata));
    for (metadata, expected) in [
        (
            "  name: api\n  labels: {'a=b': c}",
            "the name of a label is invalid",
        ),
        (
            "  name: api\n  annotations: {'a b': c}",
            "the name of an annotation is invalid",
        ),
        (
            "  name: api\n  labels: {a: 'b c'}",
            "the value of label `a` is invalid",
        ),
        (
            "  name: api\n  labels: {sceau.dev/sealing-key: active}",
            "`sceau.dev/sealing-key`: labels and annotations with sceau.dev/ are reserved for the controller",
        ),
    ] {
        let outcome = with(metadata);
        assert!(outcome.stderr().contains(expected), "{outcome}");
    }
    let login = SECRET.replace("password:", "pin:") + "type: kubernetes.io/basic-auth\n";
    let outcome = refused(&login);
    assert!(
        outcome
            .stderr()
            .contains("needs an item `username` or `password`"),
        "{outcome}"
    );
    let typed = format!("{SECRET}type: kubernetes.io/tls\n");
    assert_snapshot!(refused(&typed), @"
    exit 1
    stderr:
      error: secret.yaml:1 (document 1): a Secret of type kubernetes.io/tls needs an item `tls.crt`
    files: unchanged
    ");
}

#[test]
fn a_number_as_label() {
    let text = SECRET.replace("  name: api", "  name: api\n  labels: {version: 1.10}");
    assert_snapshot!(refused(&text), @"
    exit 1
    stderr:
      error: secret.yaml:5 (document 1): metadata.labels.version: unquoted, YAML readers take this for a number
      hint: put it in quotes if it is meant as text
    files: unchanged
    ");
}

#[test]
fn a_missing_namespace() {
    assert_snapshot!(refused(&SECRET.replace("  namespace: shop\n", "")), @"
    exit 1
    stderr:
      error: secret.yaml:1 (document 1): the Secret has no metadata.namespace
      hint: add it, or pass `--namespace`: sceau never takes it from a kubeconfig
    files: unchanged
    ");
}

#[test]
fn a_missing_name() {
    assert_snapshot!(refused(&SECRET.replace("  name: api\n", "")), @"
    exit 1
    stderr:
      error: secret.yaml:1 (document 1): the Secret has no metadata.name
    files: unchanged
    ");
}

#[test]
fn a_name_that_kubernetes_would_refuse() {
    assert_snapshot!(refused(&SECRET.replace("name: api", "name: Api")), @"
    exit 1
    stderr:
      error: secret.yaml:4 (document 1): metadata.name: not a valid secret name: use 1 to 253 lower-case letters, digits, `-` and `.`, each part between dots with a letter or digit first and last (RFC 1123)
    files: unchanged
    ");
}

#[test]
fn a_namespace_that_contradicts_the_flag() {
    let project = TestProject::new().file("secret.yaml", SECRET);
    let outcome = project
        .run("seal secret.yaml --environment prod -n other")
        .refused(1);
    assert_snapshot!(outcome, @"
    exit 1
    stderr:
      error: secret.yaml:1 (document 1): the Secret is in namespace `shop`, but you passed `--namespace other`
    files: unchanged
    ");
}

#[test]
fn a_secret_without_items() {
    let text = "apiVersion: v1\nkind: Secret\nmetadata: {name: a, namespace: b}\ndata: {}\n";
    assert_snapshot!(refused(text), @"
    exit 1
    stderr:
      error: secret.yaml:1 (document 1): the Secret has no items
      hint: pass `--allow-empty` to seal it anyway
    files: unchanged
    ");
}

#[test]
fn a_service_account_token() {
    let text = format!("{SECRET}type: kubernetes.io/service-account-token\n");
    assert_snapshot!(refused(&text), @"
    exit 1
    stderr:
      error: secret.yaml:1 (document 1): Secrets of type kubernetes.io/service-account-token cannot be sealed: Kubernetes would fill them with credentials of the cluster
    files: unchanged
    ");
}

#[test]
fn kubeseal_scope_annotations() {
    for scope in ["namespace-wide", "cluster-wide"] {
        let annotation = format!("sealedsecrets.bitnami.com/{scope}");
        let text = SECRET.replace(
            "  name: api",
            &format!("  name: api\n  annotations: {{{annotation}: \"true\"}}"),
        );
        let outcome = refused(&text);
        assert!(outcome.stderr().contains(&annotation), "{outcome}");
        assert!(
            outcome
                .stderr()
                .contains("hint: remove it, and pass `--scope"),
            "{outcome}"
        );
    }
}

#[test]
fn a_document_of_another_kind() {
    let text = format!("{SECRET}---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\n");
    assert_snapshot!(refused(&text), @"
    exit 1
    stderr:
      error: secret.yaml:9 (document 2): this is a ConfigMap, not a Secret
      hint: use `--in-place` to keep documents of other kinds unchanged
    files: unchanged
    ");
}

#[test]
fn a_document_that_is_no_object() {
    assert_snapshot!(refused("just text\n"), @"
    exit 1
    stderr:
      error: secret.yaml:1 (document 1): this is not a Kubernetes object
    files: unchanged
    ");
}

#[test]
fn a_kubeseal_or_native_sealed_secret() {
    let sealed = include_str!("../vectors/sealed-strict.yaml");
    let outcome = refused(sealed);
    assert!(
        outcome.stderr().contains("this is already sealed"),
        "{outcome}"
    );
}

#[test]
fn a_secret_of_another_api_version() {
    assert_snapshot!(refused(&SECRET.replace("apiVersion: v1", "apiVersion: v2")), @"
    exit 1
    stderr:
      error: secret.yaml:1 (document 1): the apiVersion of a Secret is `v1`
    files: unchanged
    ");
}

#[test]
fn an_empty_input() {
    for text in ["", "\n---\n# nothing\n---\n"] {
        assert!(
            refused(text)
                .stderr()
                .contains("secret.yaml has no document")
        );
    }
}

#[test]
fn a_list_without_secrets() {
    let outcome = refused("apiVersion: v1\nkind: List\nitems: []\n");
    assert!(
        outcome.stderr().contains("the input has no Secret"),
        "{outcome}"
    );
}

#[test]
fn a_template_that_is_no_yaml() {
    assert_snapshot!(refused(&with_items("  a: {{ .Values.password }}\n")), @"
    exit 1
    stderr:
      error: secret.yaml:5 (document 1): a name must be a text, not a collection or an alias
      hint: this looks like a template: render it first (for Helm, `helm template`) and seal the result
    files: unchanged
    ");
    let outcome = refused(&format!(
        "{{{{- if .Values.on }}}}\n{SECRET}{{{{- end }}}}\n"
    ));
    assert!(
        outcome.stderr().contains("this looks like a template"),
        "{outcome}"
    );
}

#[test]
fn a_merge_key() {
    assert_snapshot!(refused(&with_items("  <<: {a: b}\n")), @"
    exit 1
    stderr:
      error: secret.yaml:5 (document 1): merge keys (`<<`) are not supported
      hint: write out what would be merged
    files: unchanged
    ");
}

#[test]
fn a_tag_that_converts() {
    assert_snapshot!(refused(&with_items("  a: !!binary aGVsbG8=\n")), @"
    exit 1
    stderr:
      error: secret.yaml:5 (document 1): tags are not supported here
    files: unchanged
    ");
}

#[test]
fn a_second_document_without_separator() {
    assert_snapshot!(refused(&format!("{SECRET}...\n{SECRET}")), @"
    exit 1
    stderr:
      error: secret.yaml:9 (document 1): a second document begins without `---`
    files: unchanged
    ");
}

#[test]
fn bytes_that_are_no_text() {
    let project = TestProject::new().file("secret.yaml", b"a: \xff\n");
    let outcome = project
        .run("seal secret.yaml --environment prod")
        .refused(1);
    assert_snapshot!(outcome, @"
    exit 1
    stderr:
      error: secret.yaml is not UTF-8 text
    files: unchanged
    ");
}

#[test]
fn a_file_that_is_not_there() {
    let project = TestProject::new();
    let outcome = project
        .run("seal nowhere.yaml --environment prod")
        .refused(1);
    assert_snapshot!(outcome, @"
    exit 1
    stderr:
      error: cannot read nowhere.yaml: no such file or directory
    files: unchanged
    ");
}

#[test]
fn nesting_without_end() {
    let outcome = refused(&format!("a: {}", "[".repeat(100_000)));
    assert!(outcome.stderr().contains("no valid YAML"), "{outcome}");
}

#[test]
fn values_that_are_larger_than_a_secret() {
    let outcome = refused(&with_items(&format!("  a: {}\n", "x".repeat(1_048_577))));
    assert_snapshot!(outcome, @"
    exit 1
    stderr:
      error: secret.yaml:1 (document 1): all values together have 1048577 bytes: a Secret has at most 1048576
    files: unchanged
    ");
}

#[test]
fn a_target_that_cannot_be_written() {
    let project = TestProject::new()
        .file("secret.yaml", SECRET)
        .file("file", "");
    let outcome = project
        .run("seal secret.yaml --environment prod -w file/out.yaml")
        .refused(1);
    assert!(
        outcome.stderr().contains("cannot write file/out.yaml: "),
        "{outcome}"
    );
}

#[test]
fn a_target_that_is_no_file() {
    let project = TestProject::new()
        .file("secret.yaml", SECRET)
        .file("directory/a", "");
    for target in ["directory", "/dev/null"] {
        let outcome = project
            .run(&format!("seal secret.yaml --environment prod -w {target}"))
            .refused(1);
        let expected = format!("error: {target} exists and is not a regular file\n");
        assert_eq!(outcome.stderr(), expected);
    }
}

#[test]
fn aliases_that_expand_to_more_text_than_memory() {
    let mut text = format!("a0: &a0 {}\n", "x".repeat(1000));
    for level in 1..9 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        text.extend([format!("a{level}: &a{level} [{aliases}]\n")]);
    }
    assert_snapshot!(refused(&text), @"
    exit 1
    stderr:
      error: secret.yaml:6 (document 1): aliases stand for more text than is reasonable
    files: unchanged
    ");
}

#[test]
fn contradicting_flags() {
    let project = TestProject::new().file("secret.yaml", SECRET);
    for line in [
        "seal secret.yaml --in-place --write x",
        "seal secret.yaml --in-place --output json",
        "seal secret.yaml --name x -nshop",
        "seal --in-place - --environment prod",
        "seal secret.yaml --environment Prod -nshop",
    ] {
        project.run(line).refused(2);
    }
}
