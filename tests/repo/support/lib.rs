//! What the rules of this repository are checked with: its files, and its sources as parsed code.
//!
//! [`code`] parses a crate, [`rules`] says who may name what, [`circles`] finds modules that need
//! each other.
#![expect(clippy::panic, reason = "a harness says what it expected by panicking")]

pub mod circles;
pub mod code;
pub mod rules;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
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
        .is_some_and(|found| found == extension)
}

/// Holds a committed file against what its source gives; with `UPDATE=1` the file is rewritten.
///
/// # Panics
/// When they differ, naming the command that brings the file up to date.
pub fn check_generated(path: &str, expected: &str) {
    let file = root().join(path);
    if std::env::var_os("UPDATE").is_some_and(|value| value == "1") {
        fs::write(&file, expected).unwrap_or_else(|error| panic!("{path}: {error}"));
    }
    let committed = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        committed == expected,
        "{path} is out of date; `UPDATE=1 cargo test -p repo` rewrites it",
    );
}

/// The crates whose sources have rules: the folder, and the name that other crates use.
pub const CRATES: [(&str, &str); 3] = [
    ("sealing", "sealing"),
    ("cli", "sceau"),
    ("controller", "sceau_controller"),
];

/// The sources of one of [`CRATES`], parsed once.
///
/// # Panics
/// When the crate is not one of them, or a file of it is in no module.
pub fn parsed(folder: &str) -> &'static code::Crate {
    static PARSED: LazyLock<Vec<code::Crate>> = LazyLock::new(|| {
        CRATES
            .iter()
            .map(|&(folder, name)| parse(folder, name))
            .collect()
    });
    let parsed = PARSED.iter().find(|parsed| parsed.folder == folder);
    parsed.expect("it is one of the crates")
}

fn parse(folder: &str, name: &str) -> code::Crate {
    let sources = format!("{folder}/src/");
    let sources = tracked_files()
        .into_iter()
        .filter(|path| path.starts_with(&sources) && has_extension(path, "rs"))
        .map(|path| {
            let text = read(&path);
            (path, text)
        });
    code::Crate::parse(folder, name, sources)
}
