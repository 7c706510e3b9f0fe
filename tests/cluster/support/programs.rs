//! The programs of this repository, built once.

use std::env;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use tokio::process::Command;
use tokio::sync::OnceCell;

use crate::{commands, repository};

/// A cold release build takes long.
const BUILD: Duration = Duration::from_mins(45);

/// The path of `sceau`.
pub async fn sceau() -> &'static Path {
    &build().await.sceau
}

/// The path of `sceau-controller`.
pub async fn sceau_controller() -> &'static Path {
    &build().await.controller
}

struct Programs {
    sceau: PathBuf,
    controller: PathBuf,
}

/// Builds both programs with the profile of the tests, and returns their paths.
async fn build() -> &'static Programs {
    static PROGRAMS: OnceCell<Programs> = OnceCell::const_new();
    PROGRAMS
        .get_or_init(async || {
            let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
            let mut command = Command::new(cargo);
            command
                // Of the whole workspace, so that these are the dependencies of the tests.
                .args(["build", "--workspace"])
                .args(["--bin=sceau", "--bin=sceau-controller"])
                .arg("--message-format=json-render-diagnostics")
                .current_dir(repository());
            if !cfg!(debug_assertions) {
                command.arg("--release");
            }
            let messages = commands::run(command, b"", BUILD).await.succeeded();
            Programs {
                sceau: executable(&messages, "sceau"),
                controller: executable(&messages, "sceau-controller"),
            }
        })
        .await
}

/// Finds the path of a program in cargo's messages, one JSON object a line.
fn executable(messages: &str, program: &str) -> PathBuf {
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message["target"]["name"] == program)
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .unwrap_or_else(|| panic!("cargo built no program `{program}`"))
}
