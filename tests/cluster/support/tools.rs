//! The paths of programs that are not built from this repository.
//!
//! `tests/tools/install` has their pins and builds them. This module only asks it for the paths.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use crate::repository;

/// A program of others.
#[derive(Clone, Copy)]
pub enum Tool {
    Actionlint,
    Age,
    AgeKeygen,
    Etcd,
    Gitleaks,
    KubeApiserver,
    KubeControllerManager,
    Kubectl,
    Kubeseal,
    SealedSecretsController,
}

impl Tool {
    /// The path of the program, which must exist.
    pub fn path(self) -> &'static Path {
        static PATHS: LazyLock<HashMap<String, PathBuf>> = LazyLock::new(ask_for_paths);
        let path = PATHS
            .get(self.name())
            .unwrap_or_else(|| panic!("tests/tools/install does not know {}", self.name()));
        assert!(
            path.exists(),
            "{} is not there: run tests/tools/install, which builds it",
            path.display()
        );
        path
    }

    fn name(self) -> &'static str {
        match self {
            Self::Actionlint => "actionlint",
            Self::Age => "age",
            Self::AgeKeygen => "age-keygen",
            Self::Etcd => "etcd",
            Self::Gitleaks => "gitleaks",
            Self::KubeApiserver => "kube-apiserver",
            Self::KubeControllerManager => "kube-controller-manager",
            Self::Kubectl => "kubectl",
            Self::Kubeseal => "kubeseal",
            Self::SealedSecretsController => "sealed-secrets-controller",
        }
    }
}

fn ask_for_paths() -> HashMap<String, PathBuf> {
    let answer = Command::new(repository().join("tests/tools/install"))
        .arg("--print")
        .output()
        .expect("tests/tools/install can be run");
    assert!(
        answer.status.success(),
        "tests/tools/install --print: {answer:?}"
    );
    String::from_utf8_lossy(&answer.stdout)
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(program, path)| (program.to_owned(), path.into()))
        .collect()
}
