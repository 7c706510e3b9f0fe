//! `sceau unseal`.

use insta::assert_snapshot;
use sceau::Terminals;

use crate::{
    seal_manifests::SECRET,
    support::{TestKey, TestProject},
};

/// A project in which `sealed.yaml` holds the Secret, sealed for prod.
fn sealed() -> TestProject {
    let project = TestProject::new()
        .file("secret.yaml", SECRET)
        .private_key("prod.key", TestKey::Prod)
        .private_key("other.key", TestKey::Other);
    project
        .run("seal secret.yaml --environment prod -w sealed.yaml")
        .done();
    project
}

fn key_secret(name: &str, pem: &str) -> String {
    let pem = pem.replace('\n', "\n    ");
    format!(
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: {name}\n  namespace: sceau\n  uid: x\ntype: kubernetes.io/tls\nstringData:\n  tls.key: |\n    {}\n",
        pem.trim_end()
    )
}

#[test]
fn a_sealed_secret_becomes_the_secret_again() {
    assert_snapshot!(sealed().run("unseal sealed.yaml --keys prod.key"), @"
    exit 0
    stdout:
      apiVersion: v1
      kind: Secret
      metadata:
        name: api
        namespace: shop
      type: Opaque
      data:
        password: aHVudGVyMg==
    files: unchanged
    ");
}

#[cfg(unix)]
#[test]
fn a_file_of_plaintext_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let project = sealed();
    let mode_of = |name: &str| {
        let metadata = std::fs::metadata(project.path(name)).unwrap();
        metadata.permissions().mode() & 0o777
    };
    let unseal = |name: &str| {
        let line = format!("unseal sealed.yaml --keys prod.key --write {name}");
        let outcome = project.run(&line).done();
        assert!(outcome.file(name).starts_with("{\n"));
    };
    unseal("plain.json");
    assert_eq!(mode_of("plain.json"), 0o600);
    for (before, after) in [(0o644, 0o600), (0o755, 0o600), (0o440, 0o400)] {
        let permissions = std::fs::Permissions::from_mode(before);
        std::fs::write(project.path("old.json"), "").unwrap();
        std::fs::set_permissions(project.path("old.json"), permissions).unwrap();
        unseal("old.json");
        assert_eq!(mode_of("old.json"), after, "{before:o}");
        std::fs::remove_file(project.path("old.json")).unwrap();
    }
}

#[test]
fn a_terminal_is_not_shown_plaintext_unless_asked() {
    let project = sealed().terminals(Terminals {
        stdin: false,
        stdout: true,
    });
    let outcome = project.run("unseal sealed.yaml --keys prod.key").refused(1);
    assert_snapshot!(outcome, @"
    exit 1
    stderr:
      error: the terminal would show plaintext
      hint: pipe it to a program, write it with `--write FILE`, or pass `--show` to print it
    files: unchanged
    ");
    let outcome = project
        .run("unseal sealed.yaml --keys prod.key --show")
        .done();
    assert!(outcome.stdout().contains("password: aHVudGVyMg=="));
}

#[test]
fn keys_come_from_pem_files_with_several_keys() {
    let keys = format!(
        "{}{}",
        TestKey::Other.private_pem(),
        TestKey::Prod.private_pem()
    );
    let project = sealed().file("keys.pem", keys);
    project.run("unseal sealed.yaml --keys keys.pem").done();
}

#[test]
fn keys_come_from_exported_key_secrets() {
    let other = key_secret("other", TestKey::Other.private_pem());
    let prod = key_secret("prod", TestKey::Prod.private_pem());
    let documents = format!("{other}---\n{prod}");
    let items = [other, prod].map(|it| it.trim_end().replace('\n', "\n  "));
    let list = format!(
        "apiVersion: v1\nkind: List\nitems:\n- {}\n",
        items.join("\n- ")
    );
    for keys in [documents, list] {
        let project = sealed().file("keys.yaml", keys);
        project.run("unseal sealed.yaml --keys keys.yaml").done();
    }
}

#[test]
fn keys_come_from_several_files() {
    sealed()
        .run("unseal sealed.yaml --keys other.key --keys prod.key")
        .done();
}

#[test]
fn an_unusable_key_in_an_export_is_skipped_with_a_warning() {
    let keys = format!(
        "{}---\n{}---\n{}",
        key_secret("junk", "junk"),
        key_secret("prod", TestKey::Prod.private_pem()),
        SECRET
    );
    let project = sealed().file("keys.yaml", keys);
    let outcome = project
        .run("unseal sealed.yaml --keys keys.yaml -w plain.yaml")
        .done();
    assert_snapshot!(outcome, @"
    exit 0
    stderr:
      warning: keys.yaml:1 (document 1): tls.key: no private key found: expected a PEM block `PRIVATE KEY` or `RSA PRIVATE KEY`; the key is skipped
    files: plain.yaml
    ");
}

#[test]
fn files_without_a_usable_key_are_refused() {
    let unseal = |keys: &str| {
        let project = sealed().file("keys", keys);
        project
            .run("unseal sealed.yaml --keys keys -w out")
            .refused(1)
    };
    assert_snapshot!(unseal(&key_secret("junk", "junk")), @"
    exit 1
    stderr:
      error: keys:1 (document 1): tls.key: no private key found: expected a PEM block `PRIVATE KEY` or `RSA PRIVATE KEY`
    files: unchanged
    ");
    assert_snapshot!(unseal(SECRET), @"
    exit 1
    stderr:
      error: keys holds neither a PEM private key nor a Secret with tls.key
    files: unchanged
    ");
    assert_snapshot!(unseal(&TestKey::Prod.certificate(crate::support::NOW.parse().unwrap())), @"
    exit 1
    stderr:
      error: keys: no private key found: expected a PEM block `PRIVATE KEY` or `RSA PRIVATE KEY`
    files: unchanged
    ");
    assert_snapshot!(unseal("-----BEGIN PRIVATE KEY-----\nanVuaw==\n-----END PRIVATE KEY-----\n"), @"
    exit 1
    stderr:
      error: keys: the private key is not a valid RSA key of 2048 to 8192 bits
    files: unchanged
    ");
    assert_snapshot!(unseal("-----BEGIN ENCRYPTED PRIVATE KEY-----\nanVuaw==\n-----END ENCRYPTED PRIVATE KEY-----\n"), @"
    exit 1
    stderr:
      error: keys: the private key is encrypted with a passphrase, which is not supported
    files: unchanged
    ");
}

#[test]
fn an_unknown_sealing_key_is_named() {
    let outcome = sealed()
        .run("unseal sealed.yaml --keys other.key -w out.yaml")
        .refused(1);
    assert_snapshot!(outcome, @"
    exit 1
    stderr:
      error: sealed.yaml:1 (document 1): sealed only for [KEY Prod], which the key ring does not hold
      hint: pass further key files with `--keys`
      hint: remove these documents to unseal the others: nothing was written
    files: unchanged
    ");
}

#[test]
fn a_manifest_that_was_moved_is_refused() {
    let project = sealed();
    let moved = project.text("sealed.yaml").replace("name: api", "name: db");
    let outcome = project
        .file("sealed.yaml", moved)
        .run("unseal sealed.yaml --keys prod.key -w out.yaml")
        .refused(1);
    assert_snapshot!(outcome, @"
    exit 1
    stderr:
      error: sealed.yaml:1 (document 1): decryption failed: the manifest was modified, or was sealed for another environment, namespace, name or scope
      hint: remove these documents to unseal the others: nothing was written
    files: unchanged
    ");
}

#[test]
fn one_document_that_does_not_open_keeps_all_of_them_closed() {
    let project = sealed();
    let good = project.text("sealed.yaml");
    let moved = good.replace("name: api", "name: db");
    let damaged = good.replace("commitment: sceau:v1:", "commitment: sceau:v2:");
    let outcome = project
        .file("sealed.yaml", format!("{good}---\n{moved}---\n{damaged}"))
        .run("unseal sealed.yaml --keys prod.key -w out.yaml")
        .refused(1);
    assert_snapshot!(outcome, @"
    exit 1
    stderr:
      error: sealed.yaml:19 (document 2): decryption failed: the manifest was modified, or was sealed for another environment, namespace, name or scope
             sealed.yaml:37 (document 3): malformed: the commitment of seal 1 cannot be parsed: it does not begin with `[SEALED]`
      hint: remove these documents to unseal the others: nothing was written
    files: unchanged
    ");
}

#[test]
fn several_documents_all_come_back() {
    let project = sealed();
    project
        .run("seal --name db --namespace shop --environment prod --from-file secret.yaml -w second.yaml")
        .done();
    let both = format!(
        "{}---\n{}",
        project.text("sealed.yaml"),
        project.text("second.yaml")
    );
    let outcome = project.stdin(both).run("unseal --keys prod.key").done();
    assert_eq!(outcome.stdout().matches("kind: Secret\n").count(), 2);
}

#[test]
fn every_kubeseal_manifest_is_unsealed() {
    for (name, text) in [
        ("strict", include_str!("../vectors/sealed-strict.yaml")),
        ("strict JSON", include_str!("../vectors/sealed-strict.json")),
        (
            "namespace-wide",
            include_str!("../vectors/sealed-namespace-wide.yaml"),
        ),
        (
            "cluster-wide",
            include_str!("../vectors/sealed-cluster-wide.yaml"),
        ),
    ] {
        let project = TestProject::empty()
            .file("sealed", text)
            .file("key", include_str!("../vectors/test-2048.key"));
        let outcome = project.run("unseal sealed --keys key").done();
        let expected = "\
apiVersion: v1
kind: Secret
metadata:
  name: mysecret
  namespace: myns
  labels:
    app: web
  annotations:
    note: hello
type: Opaque
immutable: true
data:
  password: czNjcjN0
  user: YWRtaW4=
";
        assert_eq!(outcome.stdout(), expected, "{name}");
    }
}

#[test]
fn the_first_kubeseal_format_is_unsealed() {
    let project = TestProject::empty()
        .file("sealed", include_str!("../vectors/sealed-legacy-v1.json"))
        .file("key", include_str!("../vectors/test-2048.key"));
    assert_snapshot!(project.run("unseal sealed --keys key"), @"
    exit 0
    stdout:
      apiVersion: v1
      kind: Secret
      metadata:
        name: mysecret
        namespace: myns
      type: Opaque
      data:
        foo: YmFy
    files: unchanged
    ");
}

#[test]
fn kubeseal_templates_are_not_rendered_and_cause_a_warning() {
    let project = TestProject::empty()
        .file("sealed", include_str!("../vectors/sealed-template.json"))
        .file("key", include_str!("../vectors/test-2048.key"));
    assert_snapshot!(project.run("unseal sealed --keys key"), @"
    exit 0
    stdout:
      apiVersion: v1
      kind: Secret
      metadata:
        name: mysecret
        namespace: myns
      type: Opaque
      data:
        pw: aHVudGVyMiI=
    stderr:
      warning: sealed:1 (document 1): spec.template.data.cfg.json is not rendered
      warning: sealed:1 (document 1): spec.template.data.pw2 is not rendered
    files: unchanged
    ");
}

#[test]
fn kubeseal_items_that_no_key_decrypts_are_named() {
    let project = TestProject::empty()
        .file("sealed", include_str!("../vectors/sealed-strict.yaml"))
        .private_key("key", TestKey::Other);
    assert_snapshot!(project.run("unseal sealed --keys key").refused(1), @"
    exit 1
    stderr:
      error: sealed:2 (document 1): no key of the key ring decrypts password, user
      hint: pass further key files with `--keys`
      hint: remove these documents to unseal the others: nothing was written
    files: unchanged
    ");
}

#[test]
fn kubeseal_items_that_are_not_strings_are_rejected() {
    let sealed = "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata: {name: a, namespace: b}\nspec: {encryptedData: {a: null}}\n";
    let project = TestProject::empty()
        .file("sealed", sealed)
        .private_key("key", TestKey::Other);
    assert_snapshot!(project.run("unseal sealed --keys key").refused(1), @"
    exit 1
    stderr:
      error: sealed:1 (document 1): malformed: item `a` is not a text
      hint: remove these documents to unseal the others: nothing was written
    files: unchanged
    ");
}

#[test]
fn a_secret_among_the_sealed_ones_is_refused() {
    let project = sealed().file("sealed.yaml", SECRET);
    assert_snapshot!(project.run("unseal sealed.yaml --keys prod.key").refused(1), @"
    exit 1
    stderr:
      error: sealed.yaml:1 (document 1): this is a Secret and not sealed
    files: unchanged
    ");
}

#[test]
fn a_sealed_secret_of_an_unknown_version_is_refused() {
    let project = sealed();
    let text = project.text("sealed.yaml").replace("v1alpha1", "v9");
    let outcome = project
        .file("sealed.yaml", text)
        .run("unseal sealed.yaml --keys prod.key")
        .refused(1);
    assert_snapshot!(outcome, @"
    exit 1
    stderr:
      error: sealed.yaml:1 (document 1): this is a SealedSecret of sceau.dev/v9, which cannot be unsealed
    files: unchanged
    ");
}

#[test]
fn keys_are_needed() {
    sealed().run("unseal sealed.yaml").refused(2);
}
