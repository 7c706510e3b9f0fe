//! An empty directory to run programs in, with files from the vectors.
#![expect(clippy::panic, reason = "a harness says what it expected by panicking")]

use std::{ffi::OsStr, path::Path, time::Duration};

use cluster::{
    commands::{self, Finished},
    scratch::Scratch,
};
use tokio::process::Command;

const PATIENCE: Duration = Duration::from_mins(2);

/// A directory that goes when the test ends, on every path out of it.
pub struct Workplace(Scratch);

impl Workplace {
    /// An empty one.
    #[must_use]
    pub fn empty() -> Self {
        Self(Scratch::create())
    }

    /// Writes a file.
    #[must_use]
    pub fn with(self, name: &str, content: &str) -> Self {
        self.0.write(name, content);
        self
    }

    /// The text of a file.
    ///
    /// # Panics
    /// When it is not there.
    pub fn text_of(&self, name: &str) -> String {
        std::fs::read_to_string(self.path().join(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        self.0.directory()
    }

    /// Runs a program in it, words parted by spaces, with this standard input.
    pub async fn runs(&self, program: &Path, words: &str, input: &str) -> Finished {
        let mut command = Command::new(program);
        command
            .args(words.split_whitespace().map(OsStr::new))
            .current_dir(self.path())
            .env_remove("KUBECONFIG");
        commands::run(command, input.as_bytes(), PATIENCE).await
    }
}

/// A file of `tests/vectors`.
///
/// # Panics
/// When it is not there.
pub fn vector(name: &str) -> String {
    let path = format!("{}/../vectors/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}
