//! Paths as texts: pure functions that read no file.

use std::path::{Component, Path, PathBuf};

/// Makes a path absolute and removes `.` and `..`, by its text alone.
pub(crate) fn absolute(directory: &Path, path: &Path) -> PathBuf {
    let mut absolute = PathBuf::new();
    for component in directory.join(path).components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                absolute.pop();
            }
            other => absolute.push(other),
        }
    }
    absolute
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_made_absolute_by_their_text() {
        let absolute = |path| absolute(Path::new("/a/b"), Path::new(path));
        assert_eq!(absolute("c"), Path::new("/a/b/c"));
        assert_eq!(absolute("./c/../d"), Path::new("/a/b/d"));
        assert_eq!(absolute("../../../c"), Path::new("/c"));
        assert_eq!(absolute("/c/."), Path::new("/c"));
    }
}
