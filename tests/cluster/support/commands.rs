//! Commands that are run to their end: kubectl, cargo, sceau.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::time::timeout;

/// The result of a command.
#[must_use]
#[derive(Debug)]
pub struct Finished {
    /// The command line, to name it in messages.
    pub command: String,
    /// `None` when a signal ended it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Finished {
    /// The standard output of a command that must have succeeded.
    #[track_caller]
    pub fn succeeded(self) -> String {
        assert!(self.code == Some(0), "expected success of {self:#?}");
        self.stdout
    }
}

/// Runs a command with this standard input. Panics when it cannot be started or outlives the
/// deadline; then it is ended.
pub async fn run(mut command: Command, input: &[u8], deadline: Duration) -> Finished {
    let line = format!("{:?}", command.as_std());
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap_or_else(|error| panic!("{line} does not start: {error}"));
    let mut stdin = child.stdin.take().expect("standard input is a pipe");
    let feed = async {
        // A command may end without reading its input. Its exit code shows whether that is right.
        let _ = stdin.write_all(input).await;
        drop(stdin);
    };
    let both = async { tokio::join!(feed, child.wait_with_output()).1 };
    let output = timeout(deadline, both)
        .await
        .unwrap_or_else(|_| panic!("{line} did not end within {deadline:?}"))
        .unwrap_or_else(|error| panic!("{line} cannot be waited for: {error}"));
    Finished {
        command: line,
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}
