//! Files that hold SealedSecrets.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::{
    error::Result as CommandResult,
    manifest::{self, Located, SourceSpan, Unreadable},
    repository::files,
};

/// Reads every manifest with SealedSecrets below the paths, sorted by name.
pub(crate) fn read(paths: &[PathBuf], directory: &Path) -> CommandResult<Vec<SealedFile>> {
    Ok(files::manifest_files(paths, directory)?
        .iter()
        .filter_map(|path| SealedFile::read(path, directory))
        .collect())
}

/// A file that holds SealedSecrets.
pub(crate) struct SealedFile {
    /// The file as the user gave it.
    pub(crate) label: String,
    /// Its absolute path.
    pub(crate) path: Option<PathBuf>,
    /// Its text, which may hold Secrets in plain form too.
    pub(crate) text: Zeroizing<String>,
    /// Its SealedSecrets, in their order.
    pub(crate) objects: Vec<Result<Located, Unreadable>>,
}

impl SealedFile {
    /// Reads a file; nothing if it holds no SealedSecret.
    fn read(path: &Path, directory: &Path) -> Option<Self> {
        let input = match files::read_found(path, directory) {
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
