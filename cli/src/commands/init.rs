//! `sceau init`: the files that a repository needs before its first sealed secret.
//!
//! It writes all of them or none, and does not change git's settings.

use std::{fmt::Write as _, path::Path};

use sealing::EnvironmentName;

use crate::{
    error::{CommandError, Result},
    output::{self, Audience, Existing, NewFile},
    project::{self, FILE_NAME},
    ui::{self, Io},
};

/// Set up a repository: project file, secret scan and pre-commit hook
///
/// Writes sceau.yaml, .gitleaks.toml, .githooks/pre-commit and
/// .github/workflows/secrets-scan.yaml. The hook and the job both run gitleaks with that
/// configuration and fail on a leak. If one of the files exists, nothing is written.
///
/// The hook is a file of the repository, so every clone has it and its changes are reviewed. Enable
/// it once in each clone with `git config core.hooksPath .githooks`.
#[derive(Debug, clap::Args)]
pub(crate) struct InitArguments {
    /// An environment of the project; may be repeated
    #[arg(long = "environment", value_name = "NAME", default_values = ["dev", "prod"])]
    environments: Vec<EnvironmentName>,
}

const HOOK: &str = ".githooks/pre-commit";

pub(super) fn run(arguments: &InitArguments, io: &mut Io<'_>) -> Result<()> {
    check_is_root(&io.directory)?;
    let project_file = project_file(&arguments.environments);
    let files = [
        (FILE_NAME, project_file.as_str(), Audience::Everyone),
        (
            ".gitleaks.toml",
            include_str!("init/gitleaks.toml"),
            Audience::Everyone,
        ),
        (
            HOOK,
            include_str!("init/pre-commit"),
            Audience::EveryoneRuns,
        ),
        (
            ".github/workflows/secrets-scan.yaml",
            include_str!("init/secrets-scan.yaml"),
            Audience::Everyone,
        ),
    ];
    output::reject_existing(&io.directory, &files.map(|(name, _, _)| Path::new(name)))?;
    let mut staged = Vec::new();
    for (name, text, audience) in files {
        let file = NewFile {
            directory: &io.directory,
            name: Path::new(name),
            bytes: text.as_bytes(),
            audience,
        };
        staged.push(output::stage(&file, Existing::Keep)?);
    }
    output::commit(staged)?;
    for (name, _, _) in files {
        ui::note(io, format_args!("wrote {name}"));
    }
    ui::print(io, next_steps(&arguments.environments))
}

/// Hooks and workflows work at the root of a repository only.
fn check_is_root(directory: &Path) -> Result<()> {
    match project::repository_root(directory) {
        Some(root) if root != directory => Err(CommandError::user(format!(
            "the working directory is not the root of the repository: {} is",
            root.display()
        ))
        .hint(format!("run `cd {} && sceau init`", root.display()))),
        _ => Ok(()),
    }
}

fn project_file(environments: &[EnvironmentName]) -> String {
    let mut text = String::from(
        "# The environments, the certificates that their secrets are sealed to, and their paths.\n\
         # All paths are relative to this file; `*` stops at `/`, `**` does not.\n\
         environments:\n",
    );
    for name in environments {
        let _ = write!(
            text,
            "  {name}:\n    certificates: [certificates/{name}.pem]\n    paths: [\"deploy/*/{name}/**\"]\n"
        );
    }
    text.push_str(
        "\n# The people who operate the environments, such as\n\
         #   alice: {certificate: certificates/people/alice.pem, operates: [dev], left: null}\n\
         people: {}\n",
    );
    text
}

fn next_steps(environments: &[EnvironmentName]) -> String {
    let mut text =
        String::from("Next:\n  git config core.hooksPath .githooks    # in every clone\n");
    for name in environments {
        let _ = writeln!(text, "  sceau certificate fetch --environment {name}");
    }
    text.push_str(
        "  sceau seal secret.yaml --write deploy/APPLICATION/ENVIRONMENT/secret.yaml\n\
         Adapt the paths in sceau.yaml to your repository, and commit what was written.\n",
    );
    text
}
