//! A directory for one cluster's files, and the janitor that outlives the test process by a moment.
//!
//! Statics are not dropped, and a process may be ended with `kill -9`. So the end of a cluster is
//! not left to destructors alone: a shell, in a process group of its own, reads from a pipe whose
//! other end this process holds. However this process ends, the pipe closes, and the shell ends
//! every process that left its id in the directory and then removes the directory.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// Renaming the directory first stops anything that is just being started: it can no longer leave
/// its id, and without that it does not run (see `Process::start`).
const JANITOR: &str = r#"
while read -r _; do :; done
mv "$1" "$1.over"
for id in "$1.over"/*.id; do
  [ -e "$id" ] && kill -9 "$(cat "$id")"
done
for attempt in 1 2 3 4 5; do
  rm -rf "$1.over" && break
  sleep 0.2
done
"#;

/// A directory, private to this user, that goes with everything that runs in it.
pub struct Scratch {
    directory: PathBuf,
    janitor: Child,
    files: AtomicU32,
}

impl Scratch {
    pub fn create() -> Self {
        let directory = tempfile::Builder::new()
            .prefix("sceau-cluster-")
            .tempdir()
            .expect("the temporary directory is writable")
            .keep();
        let janitor = Command::new("sh")
            .args(["-c", JANITOR, "janitor"])
            .arg(&directory)
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("sh is on the PATH");
        Self {
            directory,
            janitor,
            files: AtomicU32::new(0),
        }
    }

    /// The path of a file in the directory.
    pub fn file(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// The path of a file that no earlier call was given.
    pub fn unused_file(&self, name: &str, extension: &str) -> PathBuf {
        let number = self.files.fetch_add(1, Ordering::Relaxed);
        self.file(&format!("{name}-{number}.{extension}"))
    }

    /// Writes a file and returns its path.
    pub fn write(&self, name: &str, content: &str) -> PathBuf {
        let path = self.file(name);
        std::fs::write(&path, content)
            .unwrap_or_else(|error| panic!("{} cannot be written: {error}", path.display()));
        path
    }

    pub fn directory(&self) -> &Path {
        &self.directory
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(self.janitor.stdin.take());
        let _ = self.janitor.wait();
    }
}
