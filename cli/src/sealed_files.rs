//! Files that hold SealedSecrets.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::{
    error::Result as CommandResult,
    manifest::{self, Located, SourceSpan, Unreadable},
    sources,
};

/// Reads every file below the paths that speaks of SealedSecrets, in the order of their names.
pub(crate) fn read(paths: &[PathBuf], directory: &Path) -> CommandResult<Vec<SealedFile>> {
    Ok(sources::manifest_files(paths, directory)?
        .iter()
        .filter_map(|path| SealedFile::read(path, directory))
        .collect())
}

/// A file that speaks of SealedSecrets.
pub(crate) struct SealedFile {
    /// The file as the user knows it.
    pub(crate) label: String,
    /// Where it is.
    pub(crate) path: Option<PathBuf>,
    /// May hold Secrets in plain form beside what is sealed.
    pub(crate) text: Zeroizing<String>,
    /// What is sealed in it, in its order.
    pub(crate) objects: Vec<Result<Located, Unreadable>>,
}

impl SealedFile {
    /// Reads a file; nothing when it holds no SealedSecret.
    fn read(path: &Path, directory: &Path) -> Option<Self> {
        let input = match sources::read_found(path, directory) {
            Ok(input) => input,
            Err(error) => return Some(Self::unreadable(path, error.message)),
        };
        let objects = manifest::locate(&input.label, &input.text);
        (!objects.is_empty()).then_some(Self {
            label: input.label,
            path: input.path,
            text: input.text,
            objects,
        })
    }

    fn unreadable(path: &Path, problem: String) -> Self {
        let label = path.display().to_string();
        let origin = SourceSpan {
            file: label.clone(),
            document: 1,
            line: 1,
        };
        Self {
            label,
            path: None,
            text: Zeroizing::default(),
            objects: vec![Err(Unreadable { origin, problem })],
        }
    }
}
