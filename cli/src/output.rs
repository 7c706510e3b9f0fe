//! Files that appear whole or not at all.
//!
//! A file is written beside its target and renamed over it, so a failure leaves what was there;
//! several files are all written before the first is renamed.

use std::{
    collections::BTreeSet,
    ffi::OsString,
    fs::{self, Permissions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use tempfile::{Builder, NamedTempFile};

use crate::error::{CommandError, Result};

/// Who may read a file. One that is there keeps its mode, as far as that is narrower for plaintext.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Audience {
    /// Whoever may read the repository.
    Everyone,
    /// Everyone, and they may run it.
    EveryoneRuns,
    /// Its owner: it holds plaintext or a private key.
    Owner,
}

/// A file that is to be written.
#[derive(Clone, Copy)]
pub(crate) struct NewFile<'a> {
    /// The directory that its name is relative to.
    pub(crate) directory: &'a Path,
    /// Its name, as the user knows it.
    pub(crate) name: &'a Path,
    pub(crate) bytes: &'a [u8],
    pub(crate) audience: Audience,
}

/// A file that is complete beside its target.
#[must_use = "nothing is in place before `commit`"]
pub(crate) struct Staged {
    temporary: NamedTempFile,
    target: PathBuf,
    existing: Existing,
}

impl Staged {
    /// Its target, however it was named.
    fn place(&self) -> PathBuf {
        let directory = self
            .target
            .parent()
            .and_then(|parent| fs::canonicalize(parent).ok());
        let name = self.target.file_name().unwrap_or_default();
        directory.map_or_else(|| self.target.clone(), |parent| parent.join(name))
    }
}

/// What may be done with a target that exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Existing {
    /// It stays, and the command fails.
    Keep,
    /// It is replaced.
    Replace,
}

/// Writes one file, which is replaced if it is there.
pub(crate) fn write(file: &NewFile<'_>) -> Result<()> {
    commit(vec![stage(file, Existing::Replace)?])
}

/// Writes a file beside its target. Missing directories are made.
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
            "{name} is there and is no file"
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

/// A file beside a target. Its name follows from the target's, so that what a killed run has left
/// there is found and removed by the next one; whoever writes it holds its lock.
fn temporary_for(target: &Path, directory: &Path) -> io::Result<NamedTempFile> {
    const PREFIX: &str = ".sceau-";
    let mut name = OsString::from(PREFIX);
    name.push(target.file_name().unwrap_or_default());
    // No manifest is looked for under such a name.
    name.push(".part");
    remove_leftover(&directory.join(&name));
    let temporary = Builder::new()
        .prefix(&name)
        .rand_bytes(0)
        .tempfile_in(directory)
        .or_else(|_| Builder::new().prefix(PREFIX).tempfile_in(directory))?;
    // Where there are no locks, nobody can take this one for a leftover either.
    let _ = temporary.as_file().try_lock();
    Ok(temporary)
}

/// Removes a file that nobody is writing any more. What cannot be removed is in nobody's way.
fn remove_leftover(path: &Path) {
    let is_file = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file());
    if is_file && fs::File::open(path).is_ok_and(|file| file.try_lock().is_ok()) {
        let _ = fs::remove_file(path);
    }
}

/// A symbolic link stays one: what it points to is written, whether that is there or not.
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

/// Puts staged files into their places, which must be as many.
pub(crate) fn commit(files: Vec<Staged>) -> Result<()> {
    let mut targets = BTreeSet::new();
    if let Some(twice) = files.iter().find(|staged| !targets.insert(staged.place())) {
        let target = twice.target.display();
        return Err(CommandError::user(format!(
            "{target} would be written twice"
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

/// A text as one word of a POSIX shell: as it is where nothing in it means anything there, else in
/// single quotes.
pub(crate) fn shell_word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./@".contains(c);
    if !text.is_empty() && !text.starts_with('-') && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Refuses to go on when one of the files is there. It is asked before long work; `commit` asks
/// again, so a file that appears meanwhile is not overwritten either.
pub(crate) fn refuse_existing(directory: &Path, files: &[&Path]) -> Result<()> {
    let existing: Vec<String> = files
        .iter()
        .filter(|file| fs::symlink_metadata(directory.join(file)).is_ok())
        .map(|file| file.display().to_string())
        .collect();
    if existing.is_empty() {
        return Ok(());
    }
    let are = if existing.len() == 1 { "is" } else { "are" };
    let problem = format!("{} {are} there already", existing.join(", "));
    Err(CommandError::user(problem)
        .hint("nothing was written: move away what is there, and try again"))
}

impl Audience {
    /// The permissions of a file that replaces `existing`, if that is there.
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
    fn a_shell_reads_the_word_that_was_meant() {
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
