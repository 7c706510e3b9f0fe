//! Which files of a repository may hold manifests.

use std::{
    collections::HashSet,
    ffi::OsStr,
    path::{Path, PathBuf},
};

use ignore::{DirEntry, WalkBuilder};

use super::Input;
use crate::{
    error::{CommandError, Result},
    paths,
};

/// The extensions of files that are looked into.
const EXTENSIONS: [&str; 3] = ["json", "yaml", "yml"];

/// Finds the YAML and JSON files below the paths, in the order of their names. What git ignores is
/// left out; a file that is named itself is in, whatever it is called.
pub(crate) fn manifest_files(paths: &[PathBuf], directory: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut seen = HashSet::new();
    for path in paths {
        let walk = WalkBuilder::new(paths::absolute(directory, path))
            .hidden(false)
            .require_git(false)
            .sort_by_file_path(Path::cmp)
            .filter_entry(|entry| entry.file_name() != ".git")
            .build();
        for entry in walk {
            let entry = entry.map_err(|error| unreadable(path, &error))?;
            if may_hold_manifests(&entry) && seen.insert(entry.path().to_owned()) {
                files.push(entry.into_path());
            }
        }
    }
    Ok(files)
}

fn may_hold_manifests(entry: &DirEntry) -> bool {
    if entry.depth() == 0 {
        return entry.path().is_file();
    }
    entry.file_type().is_some_and(|it| it.is_file()) && is_manifest_name(entry.path())
}

/// Whether a file of this name is looked into.
pub(crate) fn is_manifest_name(path: &Path) -> bool {
    let extension = path.extension().and_then(OsStr::to_str);
    extension.is_some_and(|it| EXTENSIONS.contains(&it))
}

fn unreadable(path: &Path, error: &ignore::Error) -> CommandError {
    match error.io_error() {
        Some(error) => CommandError::file("read", path, error),
        None => CommandError::user(format!("cannot read {}: {error}", path.display())),
    }
}

/// Reads a file that was found, named relative to `directory` where it stands below it.
pub(crate) fn read_found(path: &Path, directory: &Path) -> Result<Input> {
    let name = path.strip_prefix(directory).unwrap_or(path);
    super::read_file_input(name, directory)
}
