//! Which files of a repository count: the same ones for every command.

use std::{collections::BTreeMap, fs, os::unix::fs::symlink};

use serde_json::Value;
use tempfile::TempDir;

use crate::{
    offboard,
    seal_manifests::SECRET,
    support::{Keeper, Outcome, ResealServer, TestKey, TestProject},
};

/// What every command sees of the [`Tree`].
const SEEN: [&str; 7] = [
    "deploy/api/prod/both.yaml",
    "deploy/api/prod/secret.yaml",
    "deploy/api/prod/untracked.yaml",
    "deploy/api/prod/upper.JSON",
    "deploy/api/prod/upper.YAML",
    "ignored/tracked.yaml",
    "shared/sealed.txt",
];

/// A repository with manifests of every kind, and a directory beside it.
struct Tree {
    project: TestProject,
    outside: TempDir,
}

impl Tree {
    fn new() -> Self {
        let mut project = offboard::project().file(".gitignore", "build/\nignored/\n");
        project.set_clock("2026-11-22T11:40:00Z");
        let mut tree = Self {
            project,
            outside: tempfile::tempdir().unwrap(),
        };
        tree.seal_committed();
        tree.link();
        let _ = tree
            .project
            .git(&["add", "--force", "ignored/tracked.yaml"]);
        tree.project.commit("Seal more");
        let outside = tree.outside("sealed.yaml");
        for (name, file) in [
            ("untracked", "deploy/api/prod/untracked.yaml"),
            ("built", "build/a.yaml"),
            ("nested", "nested/a.yaml"),
            ("git", ".git/a.yaml"),
            ("outside", outside.as_str()),
        ] {
            tree.seal(name, file);
        }
        let _ = tree.project.git(&["init", "--quiet", "nested"]);
        tree.project.set_clock(crate::support::NOW);
        tree
    }

    fn seal_committed(&mut self) {
        for (name, file) in [
            ("both", "deploy/api/prod/both.yaml"),
            ("upper-yaml", "deploy/api/prod/upper.YAML"),
            ("upper-json", "deploy/api/prod/upper.json"),
            ("tracked", "ignored/tracked.yaml"),
            ("linked", "shared/sealed.txt"),
        ] {
            self.seal(name, file);
        }
        let upper = |name| self.project.path(&format!("deploy/api/prod/upper.{name}"));
        fs::rename(upper("json"), upper("JSON")).unwrap();
    }

    /// Seals a Secret of this name into a file.
    fn seal(&mut self, name: &str, file: &str) {
        let text = SECRET.replace("name: api", &format!("name: {name}"));
        let project = std::mem::replace(&mut self.project, TestProject::empty());
        self.project = project.stdin(text);
        let line = format!("seal --environment prod --write {file}");
        self.project.run(&line).done();
    }

    fn link(&self) {
        let outside = self.outside("sealed.yaml");
        let directory = self.outside("");
        for (link, target) in [
            ("deploy/api/prod/link.yaml", "../../../shared/sealed.txt"),
            ("deploy/api/prod/a-link-to-both.yaml", "both.yaml"),
            ("deploy/api/prod/z-link-to-both.yml", "both.yaml"),
            ("deploy/api/prod/outside.yaml", &outside),
            ("deploy/api/prod/dangling.yaml", "nowhere.yaml"),
            ("deploy/api/prod/loop.yaml", "loop.yaml"),
            ("deploy/api/prod/git.yaml", "../../../.git/a.yaml"),
            ("deploy/api/prod/nested.yaml", "../../../nested/a.yaml"),
            ("deploy/directory.yaml", "api"),
            ("deploy/elsewhere", &directory),
        ] {
            symlink(target, self.project.path(link)).unwrap();
        }
    }

    /// The path of a file beside the repository.
    fn outside(&self, name: &str) -> String {
        self.outside.path().join(name).display().to_string()
    }

    /// Puts a file beside the repository.
    fn put_outside(&self, name: &str, text: &str) -> String {
        fs::write(self.outside(name), text).unwrap();
        self.outside(name)
    }

    /// The same tree, pinned to another key than it is sealed to.
    fn stale(self) -> Self {
        let certificate = TestKey::Other.certificate(crate::support::NOW.parse().unwrap());
        let project = self.project.file("certificates/prod.pem", certificate);
        Self { project, ..self }
    }

    fn reseal(self) -> Outcome {
        self.project.run("reseal --dry-run -o json").done()
    }

    fn finish_a_rekeying(self) -> Outcome {
        let server = ResealServer::with_keys(&[TestKey::Other, TestKey::Prod]);
        let tree = self.stale();
        let kubeconfig = tree.put_outside("kubeconfig", &server.kubeconfig());
        let line = format!("rekey --environment prod --kubeconfig {kubeconfig} --finish -o json");
        tree.project.run(&line)
    }

    fn drill(self) -> Outcome {
        let alice = Keeper::new();
        let key = self.put_outside("prod.key", TestKey::Prod.private_pem());
        let identity = self.put_outside("alice.txt", &alice.identity());
        let backup = self.outside("backup.age");
        let recipient = alice.recipient();
        let line = format!(
            "keys backup --recipient {recipient} --keys {key} --keys certificates/prod.pem --environment prod --write {backup}"
        );
        self.project.run(&line).done();
        let line = format!("keys drill {backup} --identity {identity} -o json");
        self.project.run(&line).done()
    }

    fn offboard(self) -> Outcome {
        self.project.run("offboard alice --dry-run -o json").done()
    }

    fn rotations(self) -> Outcome {
        self.project.run("offboard alice --no-rekey").done();
        self.project.run("rotations -o json").done()
    }
}

/// Every file that a report names, as often as it does.
fn files(outcome: &Outcome) -> Vec<String> {
    let report: Value = serde_json::from_str(outcome.stdout()).unwrap();
    let mut files = Vec::new();
    collect(&report, &mut files);
    files.sort_unstable();
    files
}

fn collect(value: &Value, files: &mut Vec<String>) {
    match value {
        Value::Array(values) => values.iter().for_each(|it| collect(it, files)),
        Value::Object(fields) => {
            let single = fields.get("file").into_iter();
            let several = fields.get("files").and_then(Value::as_array);
            let named = single.chain(several.into_iter().flatten());
            files.extend(named.map(|it| it.as_str().unwrap().to_owned()));
            fields.values().for_each(|it| collect(it, files));
        }
        _ => {}
    }
}

#[test]
fn every_command_sees_the_same_files() {
    type Command = fn(Tree) -> Outcome;
    let commands: [(&str, Command); 5] = [
        ("reseal", Tree::reseal),
        ("rekey --finish", Tree::finish_a_rekeying),
        ("keys drill", Tree::drill),
        ("offboard", Tree::offboard),
        ("rotations", Tree::rotations),
    ];
    for (name, command) in commands {
        let outcome = command(Tree::new());
        assert_eq!(files(&outcome), SEEN, "{name}: {outcome}");
    }
}

#[test]
fn what_is_written_is_the_file_and_its_link_stays() {
    let tree = Tree::new().stale();
    let key = tree.put_outside("prod.key", TestKey::Prod.private_pem());
    let unseen = [
        "build/a.yaml",
        "nested/a.yaml",
        ".git/a.yaml",
        "deploy/api/prod/outside.yaml",
    ];
    let texts = |tree: &Tree| unseen.map(|it| tree.project.text(it));
    let before = texts(&tree);
    let outcome = tree
        .project
        .run(&format!("reseal --keys {key} -o json"))
        .done();
    assert_eq!(files(&outcome), SEEN);
    for file in SEEN {
        assert!(
            tree.project.text(file).contains(TestKey::Other.id()),
            "{file}"
        );
    }
    assert_eq!(texts(&tree), before);
    for link in [
        "link.yaml",
        "a-link-to-both.yaml",
        "z-link-to-both.yml",
        "outside.yaml",
    ] {
        let path = tree.project.path(&format!("deploy/api/prod/{link}"));
        assert!(fs::symlink_metadata(path).unwrap().is_symlink(), "{link}");
    }
}

#[test]
fn outside_of_a_repository_ignore_rules_decide() {
    let tree = Tree::new();
    fs::remove_dir_all(tree.project.path(".git")).unwrap();
    let expected = SEEN.iter().filter(|it| **it != "ignored/tracked.yaml");
    assert!(files(&tree.reseal()).iter().eq(expected));
}

#[test]
fn what_is_named_itself_counts_once_whatever_it_is() {
    let tree = Tree::new();
    let outside = tree.outside("sealed.yaml");
    let outside = fs::canonicalize(outside).unwrap().display().to_string();
    let named: BTreeMap<&str, Vec<&str>> = BTreeMap::from([
        ("build/a.yaml", vec!["build/a.yaml"]),
        ("build", vec![]),
        (".git", vec![]),
        ("shared", vec![]),
        (
            "shared/sealed.txt deploy/api/prod/link.yaml",
            vec!["shared/sealed.txt"],
        ),
        ("deploy/api/prod/outside.yaml", vec![&outside]),
        (
            "deploy/directory.yaml deploy/api",
            SEEN[..5].iter().chain(&SEEN[6..]).copied().collect(),
        ),
        ("nested", vec!["nested/a.yaml"]),
    ]);
    for (paths, expected) in named {
        let line = format!("reseal {paths} --dry-run -o json");
        let outcome = tree.project.run(&line).done();
        assert_eq!(files(&outcome), expected, "{paths}: {outcome}");
    }
}

#[test]
fn old_commits_have_the_same_names() {
    let tree = Tree::new();
    for file in ["upper.JSON", "upper.YAML", "secret.yaml"] {
        fs::remove_file(tree.project.path(&format!("deploy/api/prod/{file}"))).unwrap();
    }
    let _ = tree.project.git(&["add", "--update"]);
    let _ = tree
        .project
        .git(&["commit", "--quiet", "--message", "Remove some"]);
    assert_eq!(files(&tree.offboard()), SEEN);
}
