//! Who may know whom: the arrows of ARCHITECTURE.md.

use std::process::Command;

/// The lines of the Rust files under a directory, tests left out, that hold a text.
fn mentions(directory: &str, text: &str) -> Vec<String> {
    repo::tracked_files()
        .into_iter()
        .filter(|path| path.starts_with(directory) && repo::has_extension(path, "rs"))
        .filter(|path| !path.ends_with("tests.rs"))
        .filter(|path| without_tests(&repo::read(path)).contains(text))
        .collect()
}

/// Unit tests stand last in a file.
fn without_tests(source: &str) -> String {
    source
        .split("#[cfg(test)]")
        .next()
        .unwrap_or_default()
        .to_owned()
}

/// Whether a package's program contains a crate.
fn depends_on(package: &str, dependency: &str) -> bool {
    let output = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--locked",
            "--offline",
            "--package",
            package,
            "--edges",
            "normal",
        ])
        .args(["--prefix", "none", "--format", "{p}"])
        .current_dir(repo::root())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let tree = String::from_utf8_lossy(&output.stdout).into_owned();
    tree.lines()
        .any(|line| line.split(' ').next() == Some(dependency))
}

#[test]
fn sealing_has_no_runtime_no_client_and_no_log() {
    for dependency in ["tokio", "kube-client", "hyper", "tracing", "rustls"] {
        assert!(
            !depends_on("sealing", dependency),
            "sealing depends on {dependency}"
        );
    }
    assert!(
        depends_on("sealing", "aws-lc-rs"),
        "the question itself works"
    );
}

#[test]
fn cli_and_controller_do_not_know_each_other() {
    assert!(!depends_on("sceau", "sceau-controller"));
    assert!(!depends_on("sceau-controller", "sceau"));
}

#[test]
fn the_leaking_implementation_of_rsa_is_in_no_program() {
    for package in ["sceau", "sceau-controller"] {
        assert!(!depends_on(package, "rsa"), "RUSTSEC-2023-0071");
    }
}

#[test]
fn one_file_names_the_cryptographic_provider() {
    assert_eq!(
        mentions("sealing/src/", "aws_lc_rs"),
        ["sealing/src/primitives.rs"]
    );
    assert_eq!(mentions("cli/src/", "aws_lc_rs"), [""; 0]);
    assert_eq!(mentions("controller/src/", "aws_lc_rs"), [""; 0]);
}

#[test]
fn one_file_builds_what_is_authenticated() {
    assert_eq!(
        mentions("sealing/src/", "\"sceau/v1/"),
        ["sealing/src/context.rs"]
    );
}

/// Whoever adds a place explains it in ARCHITECTURE.md.
#[test]
fn plaintext_is_looked_at_in_few_places() {
    let looking = |directory| mentions(directory, ".expose()");
    let sealing = [
        "sealing/src/envelope/bitnami.rs",
        "sealing/src/fingerprint.rs",
        "sealing/src/seal.rs",
        "sealing/src/unseal/original.rs",
    ];
    assert_eq!(looking("sealing/src/"), sealing);
    let cli = [
        "cli/src/manifest/emit.rs",
        "cli/src/sources/keys.rs",
        "cli/src/sources/value.rs",
    ];
    assert_eq!(looking("cli/src/"), cli);
    let controller = ["controller/src/reconcile/apply.rs"];
    assert_eq!(looking("controller/src/"), controller);
}

#[test]
fn one_file_of_the_command_line_talks_to_a_cluster() {
    let talking = mentions("cli/src/", "kube::");
    let is_cluster =
        |file: &String| file == "cli/src/cluster.rs" || file.starts_with("cli/src/cluster/");
    assert!(
        talking.len() > 1 && talking.iter().all(is_cluster),
        "{talking:?}"
    );
}

#[test]
fn one_file_of_the_command_line_encrypts_backups() {
    assert_eq!(mentions("cli/src/", "age::"), ["cli/src/recovery.rs"]);
}

#[test]
fn one_file_of_the_command_line_runs_other_programs() {
    assert_eq!(mentions("cli/src/", "Stdio"), ["cli/src/git.rs"]);
}

#[test]
fn commands_do_not_know_each_other() {
    assert_eq!(
        mentions("cli/src/commands/", "use crate::commands"),
        [""; 0]
    );
}

#[test]
fn the_plan_knows_no_client() {
    for text in [
        "kube::Api",
        "kube::Client",
        "tokio",
        "Timestamp::now",
        ".await",
    ] {
        for pure in [
            "reconcile/plan",
            "reseal_requests/answer",
            "environment/plan",
            "environment/revocation",
            "environment/usage",
            "requests/turn",
            "reseal_requests/answer",
            "inquiries/answer",
            "inquiries/rate_limit",
        ] {
            let named = mentions(&format!("controller/src/{pure}"), text);
            assert_eq!(named, [""; 0], "{text}");
        }
    }
}
