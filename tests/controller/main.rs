//! The program `sceau-controller` without a cluster: its commands and what it refuses.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

fn controller(words: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sceau-controller"))
        .args(words.split_whitespace())
        .env_clear()
        .env("KUBECONFIG", "/nowhere/kubeconfig")
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The files of `schemas/` that define a custom resource, in the order of their names.
fn committed_definitions() -> Vec<String> {
    let schemas = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas");
    let entries = fs::read_dir(schemas).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
        .iter()
        .map(|path| fs::read_to_string(path).unwrap())
        .filter(|text| text.contains("kind: CustomResourceDefinition\n"))
        .collect()
}

#[test]
fn crd_prints_every_definition_of_the_schemas_and_asks_no_cluster() {
    let output = controller("crd");
    let committed = committed_definitions();
    assert!(committed.len() >= 4, "definitions were found at all");
    assert_eq!(text(&output.stdout), committed.join("---\n"));
    assert_eq!(text(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn settings_are_for_the_controller_and_refused_beside_a_command() {
    for (words, said) in [
        ("crds", "unrecognized subcommand 'crds'"),
        ("crd --namespace sceau", "unexpected argument '--namespace'"),
        ("--namespace sceau crd", "cannot be used with"),
    ] {
        let output = controller(words);
        let stderr = text(&output.stderr);
        assert!(stderr.contains(said), "{words}: {stderr}");
        assert_eq!(output.status.code(), Some(2), "{words}");
        assert_eq!(text(&output.stdout), "", "{words}");
    }
}

#[test]
fn without_a_command_it_is_the_controller() {
    let output = controller("");
    let stderr = text(&output.stderr);
    assert!(stderr.contains("\"stopped with an error\""), "{stderr}");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn its_help_says_what_it_is_and_which_commands_it_has() {
    let help = text(&controller("--help").stdout);
    assert!(help.starts_with("Unseal SealedSecrets into"), "{help}");
    assert!(help.contains("\n  crd "), "{help}");
    assert!(help.contains("SCEAU_NAMESPACE"), "{help}");
}
