//! The manifests of a repository, found in the same way for every command.
//!
//! In a git repository, the files are those that git tracks, even if an ignore rule matches them,
//! and those that it neither tracks nor ignores. Elsewhere, they are the files that no ignore rule
//! excludes. Of these, the extension decides. Nested repositories are not entered.
//!
//! A symbolic link to a file of the repository counts as that file, once, under the file's own
//! path. A link to a directory, to nothing or to the outside of the repository is not followed.

use std::{
    collections::{BTreeSet, HashSet},
    ffi::OsStr,
    fs, io,
    path::{Path, PathBuf},
};

use ignore::{DirEntry, WalkBuilder};

use crate::{
    error::{CommandError, Result},
    input::{self, Input},
    paths, project,
    repository::git,
};

/// The extensions of manifests, in any case.
const EXTENSIONS: [&str; 3] = ["json", "yaml", "yml"];

/// The directory of git's own files.
const GIT: &str = ".git";

/// Whether a file of this name may hold manifests, now or at an old commit.
pub(crate) fn is_manifest_name(path: &Path) -> bool {
    let extension = path.extension().and_then(OsStr::to_str);
    extension.is_some_and(|own| {
        EXTENSIONS
            .iter()
            .any(|known| own.eq_ignore_ascii_case(known))
    })
}

/// Finds the manifests below the paths, each once, sorted by name. A path that names a file counts
/// under any name.
pub(crate) fn manifest_files(paths: &[PathBuf], directory: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut seen = HashSet::new();
    for path in paths {
        let named = paths::absolute(directory, path);
        let unreadable = |error: io::Error| CommandError::file("read", path, &error);
        let real = fs::canonicalize(&named).map_err(unreadable)?;
        let area = Area::around(&named, &real);
        for file in area.below(&real)? {
            let shown = area.shown(&file);
            if seen.insert(file) {
                files.push(shown);
            }
        }
    }
    Ok(files)
}

/// Reads a file that was found. Its label is relative to `directory` if it is below it.
pub(crate) fn read_found(path: &Path, directory: &Path) -> Result<Input> {
    let name = path.strip_prefix(directory).unwrap_or(path);
    input::read_file_input(name, directory)
}

/// A repository, or the named directory if it is in none.
struct Area {
    /// Its path, without symbolic links.
    root: PathBuf,
    /// The same path as the user gave it.
    shown: PathBuf,
    is_repository: bool,
}

impl Area {
    fn around(named: &Path, real: &Path) -> Self {
        let repository = project::repository_root(real);
        let directory = if real.is_dir() {
            Some(real)
        } else {
            real.parent()
        };
        let root = repository.or(directory).unwrap_or(real);
        let is_root = |ancestor: &&Path| fs::canonicalize(ancestor).is_ok_and(|path| path == root);
        Self {
            shown: named.ancestors().find(is_root).unwrap_or(root).to_owned(),
            root: root.to_owned(),
            is_repository: repository.is_some(),
        }
    }

    /// A file under the path that the user gave.
    fn shown(&self, file: &Path) -> PathBuf {
        let below = file.strip_prefix(&self.root);
        below.map_or_else(|_| file.to_owned(), |below| self.shown.join(below))
    }

    /// The manifests below a directory, or the file itself, without symbolic links.
    fn below(&self, real: &Path) -> Result<BTreeSet<PathBuf>> {
        if !real.is_dir() {
            let file = real.is_file().then(|| real.to_owned());
            return Ok(file.into_iter().collect());
        }
        if !is_own(real, &self.root) {
            return Ok(BTreeSet::new());
        }
        let found = if self.is_repository {
            git::files(real)?
        } else {
            walk(real)?
        };
        let found = found.iter().filter(|path| is_manifest_name(path));
        let files = found.filter_map(|path| real_file(path).filter(|file| self.holds(file, path)));
        Ok(files.collect())
    }

    /// Whether a file that was found under a path belongs to the repository.
    fn holds(&self, real: &Path, found: &Path) -> bool {
        let is_elsewhere =
            || project::repository_root(real).is_some_and(|other| other != self.root);
        is_own(real, &self.root) && (real == found || !is_elsewhere())
    }
}

/// Whether a path is below a root and not one of git's own files.
fn is_own(real: &Path, root: &Path) -> bool {
    let below = real.strip_prefix(root);
    below.is_ok_and(|path| path.iter().all(|part| part != GIT))
}

/// The file that a path leads to, if it leads to one.
fn real_file(path: &Path) -> Option<PathBuf> {
    match fs::canonicalize(path) {
        Ok(real) => real.is_file().then_some(real),
        // Kept in the list, so that reading it reports the error.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Some(path.to_owned()),
        Err(_) => None,
    }
}

/// The files below a directory outside of a repository, except those that an ignore rule excludes.
fn walk(directory: &Path) -> Result<Vec<PathBuf>> {
    let is_nested = |entry: &DirEntry| entry.depth() > 0 && entry.path().join(GIT).exists();
    let walk = WalkBuilder::new(directory)
        .hidden(false)
        .require_git(false)
        .filter_entry(move |entry| entry.file_name() != GIT && !is_nested(entry))
        .build();
    walk.map(|entry| match entry {
        Ok(entry) => Ok(entry.into_path()),
        Err(error) => Err(unreadable(directory, &error)),
    })
    .collect()
}

fn unreadable(path: &Path, error: &ignore::Error) -> CommandError {
    match error.io_error() {
        Some(error) => CommandError::file("read", path, error),
        None => CommandError::user(format!("cannot read {}: {error}", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manifests_are_found_by_their_extension_in_any_case() {
        for name in ["a.yaml", "a.yml", "a.json", "b/a.YAML", "a.Yml", "a.b.JSON"] {
            assert!(is_manifest_name(Path::new(name)), "{name}");
        }
        for name in ["yaml", ".yaml", "a.yaml.part", "a.txt", "a.jsonl", "a."] {
            assert!(!is_manifest_name(Path::new(name)), "{name}");
        }
    }

    #[test]
    fn files_elsewhere_and_files_of_git_are_not_in_the_repository() {
        for (path, own) in [
            ("/r", true),
            ("/r/a.yaml", true),
            ("/r/.github/a.yaml", true),
            ("/r/.git/a.yaml", false),
            ("/r/b/.git/a.yaml", false),
            ("/ra/a.yaml", false),
            ("/a.yaml", false),
        ] {
            assert_eq!(is_own(Path::new(path), Path::new("/r")), own, "{path}");
        }
    }
}
