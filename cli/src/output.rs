//! Files that are written whole or not at all.
//!
//! A file is written beside its target and renamed over it, so a failure leaves the old file. Of
//! several files, all are written before the first is renamed.

use std::{
    collections::BTreeSet,
    ffi::OsString,
    fs::{self, Permissions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use tempfile::{Builder, NamedTempFile};

use crate::error::{CommandError, Result};

/// Who may read a file. An existing file keeps its mode; for plaintext, only if it is narrower.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Audience {
    /// Everyone who may read the repository.
    Everyone,
    /// The same, and the file is executable.
    EveryoneRuns,
    /// The owner only: the file holds plaintext or a private key.
    Owner,
}

/// A file to write.
#[derive(Clone, Copy)]
pub(crate) struct NewFile<'a> {
    /// The directory that its name is relative to.
    pub(crate) directory: &'a Path,
    /// Its name, as the user gave it.
    pub(crate) name: &'a Path,
    pub(crate) bytes: &'a [u8],
    pub(crate) audience: Audience,
}

/// A complete file beside its target.
#[must_use = "nothing is in place before `commit`"]
pub(crate) struct Staged {
    temporary: NamedTempFile,
    target: PathBuf,
    existing: Existing,
}

impl Staged {
    /// The absolute path of its target.
    fn resolved_target(&self) -> PathBuf {
        let directory = self
            .target
            .parent()
            .and_then(|parent| fs::canonicalize(parent).ok());
        let name = self.target.file_name().unwrap_or_default();
        directory.map_or_else(|| self.target.clone(), |parent| parent.join(name))
    }
}

/// What happens to a target that exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Existing {
    /// It stays, and the command fails.
    Keep,
    /// It is replaced.
    Replace,
}

/// Writes one file, or replaces it.
pub(crate) fn write(file: &NewFile<'_>) -> Result<()> {
    commit(vec![stage(file, Existing::Replace)?])
}

/// Writes a file beside its target. Missing directories are created.
pub(crate) fn stage(file: &NewFile<'_>, existing: Existing) -> Result<Staged> {
    let failed = |error: io::Error| CommandError::file("write", file.name, &error);
    let path = file.directory.join(file.name);
    let target = behind_links(path).map_err(failed)?;
    let existing_file = fs::metadata(&target).ok();
    if existing_file
        .as_ref()
        .is_some_and(|metadata| !metadata.is_file())
    {
        let name = file.name.display();
        return Err(CommandError::user(format!(
            "{name} exists and is not a regular file"
        )));
    }
    let directory = match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    fs::create_dir_all(directory).map_err(failed)?;
    let mut temporary = temporary_for(&target, directory).map_err(failed)?;
    temporary.write_all(file.bytes).map_err(failed)?;
    let permissions = file.audience.permissions(existing_file.as_ref());
    fs::set_permissions(temporary.path(), permissions).map_err(failed)?;
    Ok(Staged {
        temporary,
        target,
        existing,
    })
}

/// A file beside a target. Its name is derived from the target's name, so that the next run finds
/// and removes the file of a killed one. The process that writes it holds its lock.
fn temporary_for(target: &Path, directory: &Path) -> io::Result<NamedTempFile> {
    const PREFIX: &str = ".sceau-";
    let mut name = OsString::from(PREFIX);
    name.push(target.file_name().unwrap_or_default());
    // The extension keeps the repository walk from reading it as a manifest.
    name.push(".part");
    remove_leftover(&directory.join(&name));
    let temporary = Builder::new()
        .prefix(&name)
        .rand_bytes(0)
        .tempfile_in(directory)
        .or_else(|_| Builder::new().prefix(PREFIX).tempfile_in(directory))?;
    // A file system without locks cannot report it as a leftover either.
    let _ = temporary.as_file().try_lock();
    Ok(temporary)
}

/// Removes a file that no process writes any longer. A failure to remove it is ignored: a random
/// name is used then.
fn remove_leftover(path: &Path) {
    let is_file = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file());
    if is_file && fs::File::open(path).is_ok_and(|file| file.try_lock().is_ok()) {
        let _ = fs::remove_file(path);
    }
}

/// A symbolic link stays one: sceau writes the file that it leads to, whether that exists or not.
fn behind_links(path: PathBuf) -> io::Result<PathBuf> {
    const MAX_LINKS: usize = 40;
    let mut target = path;
    for _ in 0..MAX_LINKS {
        match (fs::canonicalize(&target), fs::read_link(&target)) {
            (Ok(existing), _) => return Ok(existing),
            (Err(_), Err(_)) => return Ok(target),
            (Err(_), Ok(link)) => target = target.with_file_name(link),
        }
    }
    Err(io::Error::other("too many symbolic links"))
}

/// Renames staged files to their targets, which must be distinct.
pub(crate) fn commit(files: Vec<Staged>) -> Result<()> {
    let mut targets = BTreeSet::new();
    if let Some(twice) = files
        .iter()
        .find(|staged| !targets.insert(staged.resolved_target()))
    {
        let target = twice.target.display();
        return Err(CommandError::user(format!(
            "{target} is named twice as a file to write"
        )));
    }
    for Staged {
        temporary,
        target,
        existing,
    } in files
    {
        let persisted = match existing {
            Existing::Keep => temporary.persist_noclobber(&target),
            Existing::Replace => temporary.persist(&target),
        };
        persisted.map_err(|error| CommandError::file("write", &target, &error.error))?;
    }
    Ok(())
}

/// A text as one word of a POSIX shell. A text with special characters is put in single quotes.
pub(crate) fn shell_word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./@".contains(c);
    if !text.is_empty() && !text.starts_with('-') && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Fails if one of the files exists. Commands check this before long work; `commit` checks again,
/// so a file that appears in between is not overwritten either.
pub(crate) fn reject_existing(directory: &Path, files: &[&Path]) -> Result<()> {
    let existing: Vec<String> = files
        .iter()
        .filter(|file| fs::symlink_metadata(directory.join(file)).is_ok())
        .map(|file| file.display().to_string())
        .collect();
    if existing.is_empty() {
        return Ok(());
    }
    let exist = if existing.len() == 1 {
        "exists"
    } else {
        "exist"
    };
    let problem = format!(
        "{} already {exist}, and nothing was written",
        existing.join(", ")
    );
    Err(CommandError::user(problem).hint("move existing files away, and run this again"))
}

impl Audience {
    /// The permissions of a file that replaces `existing`, if there is one.
    #[cfg(unix)]
    fn permissions(self, existing: Option<&fs::Metadata>) -> Permissions {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = match self {
            Self::Everyone => 0o644,
            Self::EveryoneRuns => 0o755,
            Self::Owner => 0o600,
        };
        let existing = existing.map(|metadata| metadata.permissions().mode());
        Permissions::from_mode(match (existing, self) {
            (None, _) => mode,
            (Some(existing), Self::Owner) => existing & mode,
            (Some(existing), _) => existing,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_word_is_quoted_where_a_shell_would_change_it() {
        for (text, word) in [
            ("alice.smith", "alice.smith"),
            ("Offboard alice", "'Offboard alice'"),
            ("O'Brien", r"'O'\''Brien'"),
            ("$(id)", "'$(id)'"),
            ("-x", "'-x'"),
            ("", "''"),
        ] {
            assert_eq!(shell_word(text), word);
        }
    }
}
