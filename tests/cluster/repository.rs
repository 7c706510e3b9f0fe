//! A repository with `sceau.yaml`, and `sceau` as somebody runs it there.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use cluster::commands::{self, Finished};
use cluster::scratch::Scratch;
use cluster::{Identity, programs};

/// How long a command may take.
const PATIENCE: Duration = Duration::from_mins(2);

/// A git repository in a directory that goes when this is dropped.
pub(crate) struct Repository {
    scratch: Scratch,
    program: &'static Path,
    kubeconfig: PathBuf,
}

impl Repository {
    /// A repository with this project file. Whoever works in it has this login.
    pub(crate) async fn create(login: &Identity, project: &str) -> Self {
        let repository = Self {
            scratch: Scratch::create(),
            program: programs::sceau().await,
            kubeconfig: login.kubeconfig().to_owned(),
        };
        std::fs::create_dir(repository.root()).expect("the directory is new");
        repository.git(&["init", "--quiet"]).await;
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

    pub(crate) fn text(&self, path: &str) -> String {
        std::fs::read_to_string(self.root().join(path)).expect("it is a file of the repository")
    }

    /// Runs `sceau` with these words, of which none has a space.
    pub(crate) async fn run_with_input(&self, line: &str, input: &str) -> Finished {
        commands::run(self.command(line).into(), input.as_bytes(), PATIENCE).await
    }

    pub(crate) async fn git(&self, arguments: &[&str]) -> String {
        let mut git = Command::new("git");
        git.args(["-c", "user.name=ops", "-c", "user.email=ops@shop.example"])
            .args(arguments)
            .current_dir(self.root())
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
