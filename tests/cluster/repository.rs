//! A repository with `sceau.yaml`, in which `sceau` is run.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use cluster::commands::{self, Finished};
use cluster::processes::Process;
use cluster::scratch::Scratch;
use cluster::{Identity, programs};
use jiff::{SignedDuration, Timestamp};

/// How long a command may take.
const PATIENCE: Duration = Duration::from_mins(2);

/// A git repository in a directory that is removed when this is dropped.
pub(crate) struct Repository {
    scratch: Scratch,
    program: &'static Path,
    kubeconfig: PathBuf,
}

impl Repository {
    /// A repository with this project file and this login.
    pub(crate) async fn create(login: &Identity, project: &str) -> Self {
        let repository = Self {
            scratch: Scratch::create(),
            program: programs::sceau().await,
            kubeconfig: login.kubeconfig().to_owned(),
        };
        std::fs::create_dir(repository.root()).expect("the directory is new");
        repository.git(&["init", "--quiet"], Timestamp::now()).await;
        repository.write("sceau.yaml", project);
        repository
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.scratch.file("repository")
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.root().join(path);
        let directory = path.parent().expect("it is a file of the repository");
        std::fs::create_dir_all(directory).expect("the repository is writable");
        std::fs::write(&path, text).expect("the repository is writable");
    }

    /// The texts of all YAML files below a directory, by their paths from the root.
    pub(crate) fn files(&self, directory: &str) -> BTreeMap<String, String> {
        let mut files = self.paths(directory);
        files.retain(|path| Path::new(path).extension().is_some_and(|it| it == "yaml"));
        let texts = files.into_iter().map(|path| {
            let text = self.text(&path);
            (path, text)
        });
        texts.collect()
    }

    /// The temporary files that a killed `sceau` left behind.
    pub(crate) fn leftovers(&self) -> Vec<String> {
        let mut leftovers = self.paths(".");
        leftovers.retain(|path| path.contains(".sceau-"));
        leftovers
    }

    /// The paths of all files below a directory, from the root.
    fn paths(&self, directory: &str) -> Vec<String> {
        let mut files = Vec::new();
        let mut left = vec![directory.to_owned()];
        while let Some(path) = left.pop() {
            let entries = std::fs::read_dir(self.root().join(&path)).expect("it is a directory");
            for name in entries.flatten().map(|entry| entry.file_name()) {
                let path = Path::new(&path).join(name);
                let path = path
                    .strip_prefix(".")
                    .unwrap_or(&path)
                    .display()
                    .to_string();
                let file = self.root().join(&path);
                if path == ".git" {
                    continue;
                }
                if file.is_dir() {
                    left.push(path);
                } else {
                    files.push(path);
                }
            }
        }
        files
    }

    pub(crate) fn text(&self, path: &str) -> String {
        std::fs::read_to_string(self.root().join(path)).expect("it is a file of the repository")
    }

    /// Runs `sceau` with these words, of which none has a space.
    pub(crate) async fn run(&self, line: &str) -> Finished {
        self.run_with_input(line, "").await
    }

    pub(crate) async fn run_with_input(&self, line: &str, input: &str) -> Finished {
        commands::run(self.command(line).into(), input.as_bytes(), PATIENCE).await
    }

    /// Starts `sceau`, to be killed before its end.
    pub(crate) fn spawn(&self, line: &str) -> Process {
        // Processes start where their log is; the working directory is an argument.
        let mut within = Command::new("env");
        let command = self.command(line);
        within
            .arg(format!("--chdir={}", self.root().display()))
            .arg(command.get_program())
            .args(command.get_args());
        for (name, value) in command.get_envs() {
            within.env(name, value.unwrap_or_default());
        }
        Process::start(&self.scratch, "sceau", &within)
    }

    /// Commits everything, dated this many days ago.
    pub(crate) async fn commit(&self, message: &str, days_ago: i64) {
        let then = Timestamp::now() - SignedDuration::from_hours(24 * days_ago);
        self.git(&["add", "*.pem", "*.yaml"], then).await;
        self.git(&["commit", "--quiet", "--message", message], then)
            .await;
    }

    async fn git(&self, arguments: &[&str], now: Timestamp) -> String {
        let mut git = Command::new("git");
        git.args(["-c", "user.name=ops", "-c", "user.email=ops@shop.example"])
            .args(arguments)
            .current_dir(self.root())
            .env("GIT_AUTHOR_DATE", now.to_string())
            .env("GIT_COMMITTER_DATE", now.to_string())
            .env("HOME", self.scratch.directory());
        commands::run(git.into(), b"", PATIENCE).await.succeeded()
    }

    fn command(&self, line: &str) -> Command {
        let mut command = Command::new(self.program);
        command
            .args(line.split_whitespace())
            .current_dir(self.root())
            .env("KUBECONFIG", &self.kubeconfig)
            .env("HOME", self.scratch.directory())
            .env("RUST_LOG", "trace");
        command
    }
}
