//! Programs of others that tests run.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
};

/// The real gitleaks, as `tests/tools/install` builds it.
pub(crate) fn gitleaks() -> &'static Path {
    static GITLEAKS: LazyLock<PathBuf> = LazyLock::new(|| {
        let install = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/tools/install");
        let answer = Command::new(install).arg("--print").output().unwrap();
        let answer = String::from_utf8(answer.stdout).unwrap();
        let path = answer
            .lines()
            .find_map(|line| line.strip_prefix("gitleaks "));
        let path = PathBuf::from(path.expect("tests/tools/install knows gitleaks"));
        assert!(
            path.exists(),
            "{} is not there: run tests/tools/install, which builds it",
            path.display()
        );
        path
    });
    &GITLEAKS
}
