//! A project in a directory of its own.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Cursor},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use jiff::Timestamp;
use sceau::{Io, Terminals};
use tempfile::TempDir;

use super::{Outcome, TestKey};

/// The instant at which command lines run.
pub(crate) const NOW: &str = "2026-11-22T12:00:00Z";

/// A directory with files, and the world that a command line sees in it.
pub(crate) struct TestProject {
    directory: TempDir,
    stdin: Vec<u8>,
    typed: Vec<String>,
    terminals: Terminals,
    environments: String,
    now: Timestamp,
}

impl TestProject {
    /// An empty directory.
    pub(crate) fn empty() -> Self {
        Self {
            directory: tempfile::Builder::new()
                .prefix("project-")
                .tempdir()
                .unwrap(),
            stdin: Vec::new(),
            typed: Vec::new(),
            terminals: Terminals {
                stdin: false,
                stdout: false,
            },
            environments: String::new(),
            now: NOW.parse().unwrap(),
        }
    }

    /// A project with the environments dev and prod, their certificates, and path rules for
    /// `deploy/*/dev/**` and `deploy/*/prod/**`.
    pub(crate) fn new() -> Self {
        Self::empty()
            .environment("dev", TestKey::Dev)
            .environment("prod", TestKey::Prod)
    }

    /// Adds an environment that is sealed to `key`.
    pub(crate) fn environment(mut self, name: &str, key: TestKey) -> Self {
        let settings =
            format!("{{certificates: [certificates/{name}.pem], paths: [\"deploy/*/{name}/**\"]}}");
        self.environments
            .extend(["  ", name, ": ", &settings, "\n"]);
        let project_file = format!("environments:\n{}", self.environments);
        self.file(
            &format!("certificates/{name}.pem"),
            key.certificate(NOW.parse().unwrap()),
        )
        .file("sceau.yaml", project_file)
    }

    /// Adds or replaces a file.
    pub(crate) fn file(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self
    }

    /// Adds the private half of a key as `name`.
    pub(crate) fn private_key(self, name: &str, key: TestKey) -> Self {
        self.file(name, key.private_pem())
    }

    /// What standard input holds.
    pub(crate) fn stdin(mut self, content: impl AsRef<[u8]>) -> Self {
        self.stdin = content.as_ref().to_vec();
        self
    }

    /// What a person at the terminal types, answer by answer. Without it there is no terminal.
    pub(crate) fn typed(mut self, answers: &[&str]) -> Self {
        self.typed = answers.iter().rev().map(|it| (*it).to_owned()).collect();
        self
    }

    /// Which streams are terminals.
    pub(crate) fn terminals(mut self, terminals: Terminals) -> Self {
        self.terminals = terminals;
        self
    }

    /// The path of a file.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The text of a file.
    pub(crate) fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// Sets the instant at which command lines run from now on: [`NOW`] until then.
    pub(crate) fn set_clock(&mut self, now: &str) {
        self.now = now.parse().unwrap();
    }

    /// Runs git in the project's root, at the project's instant and under a name of its own.
    #[track_caller]
    pub(crate) fn git(&self, words: &[&str]) -> String {
        let now = self.now.to_string();
        let output = Command::new("git")
            .args([
                "-c",
                "user.name=somebody",
                "-c",
                "user.email=somebody@shop.example",
            ])
            .args([
                "-c",
                "init.defaultBranch=main",
                "-c",
                "commit.gpgSign=false",
            ])
            .args(words)
            .env("GIT_AUTHOR_DATE", &now)
            .env("GIT_COMMITTER_DATE", &now)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .current_dir(self.directory.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "git {words:?}: {said}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Commits everything.
    #[track_caller]
    pub(crate) fn commit(&self, message: &str) {
        let _ = self.git(&["add", "--all"]);
        let _ = self.git(&["commit", "--quiet", "--allow-empty", "--message", message]);
    }

    /// Runs a command line in this process, in the project's root, at [`NOW`]. Its words are
    /// separated by spaces, and the program's name is not among them.
    #[must_use = "a command line that nobody looks at tests nothing"]
    pub(crate) fn run(&self, line: &str) -> Outcome {
        self.run_in("", line)
    }

    /// The same below the root.
    #[must_use = "a command line that nobody looks at tests nothing"]
    pub(crate) fn run_in(&self, below: &str, line: &str) -> Outcome {
        let words: Vec<&str> = line.split_whitespace().collect();
        self.run_words(below, &words)
    }

    /// The same with words that may hold spaces.
    #[must_use = "a command line that nobody looks at tests nothing"]
    pub(crate) fn run_words(&self, below: &str, words: &[&str]) -> Outcome {
        let before = files(self.directory.path());
        let (mut stdout, mut help, mut stderr) = (Vec::new(), Vec::new(), Vec::new());
        let mut typed = self.typed.clone();
        let code = sceau::run(
            ["sceau"].iter().chain(words).map(Into::into),
            &mut Io {
                stdin: &mut Cursor::new(&self.stdin),
                stdout: &mut stdout,
                help: &mut anstream::StripStream::new(&mut help as &mut dyn io::Write),
                stderr: &mut anstream::StripStream::new(&mut stderr as &mut dyn io::Write),
                prompt: &mut |_| match typed.pop() {
                    Some(answer) => Ok(answer.into()),
                    None => Err(io::ErrorKind::NotFound.into()),
                },
                terminals: self.terminals,
                now: self.now,
                directory: self.path(below),
            },
        );
        stdout.extend(help);
        self.outcome(code, (stdout, stderr), before)
    }

    /// Runs the program itself, with no environment variables but `variables`.
    #[must_use = "a command line that nobody looks at tests nothing"]
    pub(crate) fn spawn(&self, line: &str, variables: &[(&str, &str)]) -> Outcome {
        let before = files(self.directory.path());
        let mut child = Command::new(env!("CARGO_BIN_EXE_sceau"))
            .args(line.split_whitespace())
            .env_clear()
            .env("HOME", self.path("home"))
            .envs(variables.iter().copied())
            .current_dir(self.directory.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // A program that does not read its input has said so by its exit code.
        let _ = io::Write::write_all(&mut stdin, &self.stdin);
        drop(stdin);
        let output = child.wait_with_output().unwrap();
        let code = u8::try_from(output.status.code().unwrap()).unwrap();
        self.outcome(code, (output.stdout, output.stderr), before)
    }

    fn outcome(
        &self,
        code: u8,
        (stdout, stderr): (Vec<u8>, Vec<u8>),
        before: BTreeMap<String, Vec<u8>>,
    ) -> Outcome {
        Outcome {
            code,
            stdout,
            stderr,
            before,
            after: files(self.directory.path()),
            root: self.directory.path().display().to_string(),
        }
    }
}

/// Every file below a directory, but git's own.
fn files(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut directories = vec![root.to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                if path.file_name().unwrap() != ".git" {
                    directories.push(path);
                }
            } else {
                let name = path.strip_prefix(root).unwrap().display().to_string();
                found.insert(name, fs::read(&path).unwrap_or_default());
            }
        }
    }
    found
}
