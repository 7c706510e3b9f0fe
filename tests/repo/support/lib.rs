//! Where the repository's files are, and how a generated one is held against its source.
#![expect(clippy::panic, reason = "a harness says what it expected by panicking")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The root of the repository.
pub fn root() -> PathBuf {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    PathBuf::from(root)
        .canonicalize()
        .expect("the repository is where it was compiled")
}

/// The text of a file, named from the root.
///
/// # Panics
/// When it cannot be read as text.
pub fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every file that git tracks, named from the root.
///
/// # Panics
/// When git does not answer.
pub fn tracked_files() -> Vec<String> {
    let listed = Command::new("git")
        .arg("ls-files")
        .current_dir(root())
        .output();
    let listed = listed.expect("git is installed");
    assert!(
        listed.status.success(),
        "git ls-files: {}",
        String::from_utf8_lossy(&listed.stderr)
    );
    String::from_utf8_lossy(&listed.stdout)
        .lines()
        .map(str::to_owned)
        .collect()
}

/// Whether a path's name ends with a dot and this.
pub fn has_extension(path: &str, extension: &str) -> bool {
    Path::new(path)
        .extension()
        .is_some_and(|it| it == extension)
}

/// Holds a committed file against what its source gives; with `UPDATE=1` the file is rewritten.
///
/// # Panics
/// When they differ, naming the command that brings the file up to date.
pub fn check_generated(path: &str, expected: &str) {
    let file = root().join(path);
    if std::env::var_os("UPDATE").is_some_and(|it| it == "1") {
        fs::write(&file, expected).unwrap_or_else(|error| panic!("{path}: {error}"));
    }
    let committed = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        committed == expected,
        "{path} is out of date; `UPDATE=1 cargo test -p repo` rewrites it",
    );
}
