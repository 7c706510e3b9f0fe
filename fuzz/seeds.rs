//! Writes the seeds of each target into `seeds/<target>`, from the published vectors.

use std::{fs, io};

use serde_json::Value;

fn main() -> io::Result<()> {
    let vectors: Value = serde_json::from_str(&vector("native-v1.json"))?;
    for (number, case) in vectors["cases"]
        .as_array()
        .into_iter()
        .flatten()
        .enumerate()
    {
        write(
            "native_seal",
            &number.to_string(),
            &case["spec"].to_string(),
        )?;
    }
    for (name, pair) in vectors["keys"].as_object().into_iter().flatten() {
        write(
            "certificate_and_keys",
            name,
            pair["privateKey"].as_str().unwrap_or_default(),
        )?;
    }
    let items: Value = serde_json::from_str(&vector("bitnami-v1alpha1.json"))?;
    for (number, item) in items.as_array().into_iter().flatten().enumerate() {
        let text = item["ciphertext_b64"].as_str().unwrap_or_default();
        write("bitnami_item", &number.to_string(), text)?;
    }
    write_manifests(&vectors["cases"][0]["spec"])?;
    write("project", "sceau.yaml", PROJECT)?;
    write(
        "project",
        "keys.yaml",
        &key_secret(&vector("test-2048.key")),
    )
}

/// Manifests in every form, and the keys beside them.
fn write_manifests(spec: &Value) -> io::Result<()> {
    for name in ["test-2048.key", "test-2048.crt", "test-4096.crt"] {
        write("certificate_and_keys", name, &vector(name))?;
    }
    for name in [
        "sealed-strict.json",
        "sealed-template.json",
        "sealed-legacy-v1.json",
    ] {
        write("bitnami_item", name, &vector(name))?;
        write("manifest", name, &vector(name))?;
    }
    for name in [
        "secret.yaml",
        "sealed-strict.yaml",
        "sealed-namespace-wide.yaml",
    ] {
        write("manifest", name, &vector(name))?;
    }
    write(
        "manifest",
        "quickstart.yaml",
        &repo::read("examples/quickstart/secret.yaml"),
    )?;
    write("manifest", "kyaml.yaml", &kyaml(spec))?;
    Ok(())
}

const PROJECT: &str = r#"environments:
  dev:  {certificates: [certificate.pem], paths: ["deploy/*/dev/**"]}
  prod: {certificates: [certificate.pem], paths: ["deploy/*/prod/**"], context: prod}
people:
  alice: {certificate: alice.pem, operates: [dev, prod], left: null}
"#;

/// A SealedSecret in brackets over several lines, with comments and trailing commas.
fn kyaml(spec: &Value) -> String {
    let mut spec = format!("{spec:#}").replace("\n}", ",\n}");
    spec.insert_str(1, " # what is sealed");
    format!(
        "---\n{{\n  apiVersion: \"sceau.dev/v1alpha1\",\n  kind: \"SealedSecret\",\n  metadata: {{\n    name: \"api\",\n    namespace: \"shop\",\n  }},\n  # sealed\n  spec: {spec},\n}}\n"
    )
}

/// A key Secret as `kubectl get secret -o yaml` prints it, except for the encoding of its value.
fn key_secret(pem: &str) -> String {
    let pem = pem.replace('\n', "\n    ");
    format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{name: sealing}}\nstringData:\n  tls.key: |\n    {pem}\n"
    )
}

fn vector(name: &str) -> String {
    repo::read(&format!("tests/vectors/{name}"))
}

fn write(target: &str, name: &str, text: &str) -> io::Result<()> {
    let directory = repo::root().join("fuzz/seeds").join(target);
    fs::create_dir_all(&directory)?;
    fs::write(directory.join(name), text)
}
