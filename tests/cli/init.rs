//! `sceau init`, with the real git and the real gitleaks.

use std::{path::Path, process::Command};

use insta::assert_snapshot;

use crate::{
    seal_manifests::SECRET,
    support::{NOW, TestKey, TestProject, gitleaks},
};

#[test]
fn it_writes_four_files_and_says_what_to_do_next() {
    let outcome = TestProject::empty().run("init");
    assert_snapshot!(outcome, @"
    exit 0
    stdout:
      Next:
        git config core.hooksPath .githooks    # in every clone
        sceau certificate fetch --environment dev
        sceau certificate fetch --environment prod
        sceau seal secret.yaml --write deploy/APPLICATION/ENVIRONMENT/secret.yaml
      Adapt the paths in sceau.yaml to your repository, and commit what was written.
    stderr:
      note: wrote sceau.yaml
      note: wrote .gitleaks.toml
      note: wrote .githooks/pre-commit
      note: wrote .github/workflows/secrets-scan.yaml
    files: .githooks/pre-commit, .github/workflows/secrets-scan.yaml, .gitleaks.toml, sceau.yaml
    ");
    assert_snapshot!(outcome.file("sceau.yaml"), @r#"
    # The environments, the certificates that their secrets are sealed to, and their paths.
    # All paths are relative to this file; `*` stops at `/`, `**` does not.
    environments:
      dev:
        certificates: [certificates/dev.pem]
        paths: ["deploy/*/dev/**"]
      prod:
        certificates: [certificates/prod.pem]
        paths: ["deploy/*/prod/**"]

    # The people who operate the environments, such as
    #   alice: {certificate: certificates/people/alice.pem, operates: [dev], left: null}
    people: {}
    "#);
}

#[test]
fn environments_can_be_named() {
    let outcome = TestProject::empty()
        .run("init --environment staging --environment live")
        .done();
    assert!(
        outcome.file("sceau.yaml").contains("  live:\n"),
        "{outcome}"
    );
    assert!(
        !outcome.file("sceau.yaml").contains("  prod:\n"),
        "{outcome}"
    );
}

#[test]
fn it_overwrites_nothing() {
    let outcome = TestProject::empty()
        .file(".githooks/pre-commit", "mine")
        .file("sceau.yaml", "mine")
        .run("init")
        .refused(1);
    assert_snapshot!(outcome, @"
    exit 1
    stderr:
      error: sceau.yaml, .githooks/pre-commit already exist, and nothing was written
      hint: move existing files away, and run this again
    files: unchanged
    ");
}

#[test]
fn it_belongs_to_the_root_of_a_repository() {
    let repository = Repository::new();
    std::fs::create_dir(repository.project.path("below")).unwrap();
    let outcome = repository.project.run_in("below", "init").refused(1);
    assert_snapshot!(outcome, @"
    exit 1
    stderr:
      error: the working directory is not the root of the repository: [PROJECT] is
      hint: run `cd [PROJECT] && sceau init`
    files: unchanged
    ");
}

#[test]
fn its_project_file_seals_as_soon_as_a_certificate_is_pinned() {
    let project = TestProject::empty().file("deploy/api/prod/secret.yaml", SECRET);
    project.run("init").done();
    let outcome = project
        .run("seal --in-place deploy/api/prod/secret.yaml")
        .refused(1);
    assert!(
        outcome
            .stderr()
            .contains("sceau certificate fetch --environment prod"),
        "{outcome}"
    );
    let certificate = TestKey::Prod.certificate(NOW.parse().unwrap());
    project
        .file("certificates/prod.pem", certificate)
        .run("seal --in-place deploy/api/prod/secret.yaml")
        .done();
}

/// A git repository in which `sceau init` ran and the hook is switched on.
struct Repository {
    project: TestProject,
}

impl Repository {
    fn new() -> Self {
        let project = TestProject::empty();
        let repository = Self { project };
        assert!(repository.git(&["init", "--quiet"]));
        repository
    }

    fn with_hook() -> Self {
        let repository = Self::new();
        repository.project.run("init").done();
        assert!(repository.git(&["config", "core.hooksPath", ".githooks"]));
        repository
    }

    fn git(&self, arguments: &[&str]) -> bool {
        self.git_with_path(arguments, gitleaks().parent().unwrap())
    }

    /// Runs git with `programs` before the system's own.
    fn git_with_path(&self, arguments: &[&str], programs: &Path) -> bool {
        let path = format!("{}:/usr/local/bin:/usr/bin:/bin", programs.display());
        let identity = ["-c", "user.name=t", "-c", "user.email=t@example.com"];
        let output = Command::new("git")
            .args(identity)
            .args(arguments)
            .env_clear()
            .env("PATH", path)
            .env("HOME", self.project.path(""))
            .current_dir(self.project.path(""))
            .output()
            .unwrap();
        output.status.success()
    }

    fn commits(&self, name: &str, text: &str) -> bool {
        std::fs::write(self.project.path(name), text).unwrap();
        assert!(self.git(&["add", "--all"]));
        let committed = self.git(&["commit", "--quiet", "--message", name]);
        if !committed {
            assert!(self.git(&["rm", "--quiet", "--force", name]));
        }
        committed
    }
}

#[test]
fn the_hook_lets_what_init_wrote_and_sealed_manifests_pass() {
    let repository = Repository::with_hook();
    let project = TestProject::new().file("secret.yaml", SECRET);
    let yaml = project.run("seal secret.yaml --environment prod").done();
    let json = project
        .run("seal secret.yaml --environment prod -o json")
        .done();
    assert!(repository.commits("sealed.yaml", yaml.stdout()));
    assert!(repository.commits("sealed.json", json.stdout()));
    assert!(repository.commits(
        "original.yaml",
        include_str!("../vectors/sealed-template.json")
    ));
    let template = "apiVersion: v1\nkind: ConfigMap\ndata:\n  a: bbbb\n";
    assert!(repository.commits("config.yaml", template));
}

#[test]
fn the_hook_refuses_secrets_in_every_plain_form() {
    let repository = Repository::with_hook();
    let data = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: a\n  namespace: b\ndata:\n  pin: MTIzNA==\n";
    let after_config = format!("apiVersion: v1\nkind: ConfigMap\n---\n{data}");
    let reversed = "apiVersion: v1\ndata:\n  pin: MTIzNA==\nkind: Secret\n";
    let json = r#"{"apiVersion": "v1", "kind": "Secret", "data": {"pin": "MTIzNA=="}}"#;
    for (name, text) in [
        ("string-data.yaml", SECRET),
        ("data.yaml", data),
        ("second.yaml", after_config.as_str()),
        ("reversed.yaml", reversed),
        ("flow.yaml", "kind: Secret\nstringData: {pin: '1234'}\n"),
        ("secret.json", json),
        ("prod.key", TestKey::Prod.private_pem()),
    ] {
        assert!(!repository.commits(name, text), "{name}");
    }
}

#[test]
fn the_hook_refuses_when_gitleaks_is_missing() {
    let repository = Repository::with_hook();
    assert!(repository.git(&["add", "--all"]));
    assert!(!repository.git_with_path(&["commit", "--message", "x"], Path::new("/nowhere")));
}

#[test]
fn the_workflow_is_yaml_that_runs_gitleaks_with_the_configuration() {
    let outcome = TestProject::empty().run("init").done();
    let workflow: serde_json::Value =
        serde_saphyr::from_str(outcome.file(".github/workflows/secrets-scan.yaml")).unwrap();
    let steps = workflow["jobs"]["secrets-scan"]["steps"]
        .as_array()
        .unwrap();
    let run = steps.iter().find_map(|step| step["run"].as_str()).unwrap();
    assert!(run.contains("gitleaks/v8@v8.30.1 git ") && run.contains("--config .gitleaks.toml"));
}
