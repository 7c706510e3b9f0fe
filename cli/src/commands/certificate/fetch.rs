//! `sceau certificate fetch`: pins the current certificate of an environment's cluster.
//!
//! A pinned certificate decides who can read what is sealed from then on, so a change of its key is
//! shown and needs confirmation.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use sealing::{Certificate, EnvironmentName, KeyId};

use crate::{
    cluster::{self, login::ClusterArguments},
    error::{CommandError, Result},
    output::{self, Audience, NewFile},
    paths,
    project::{self, Environment, Project, resolve},
    ui::{self, Io},
};

/// Fetch an environment's certificate from its cluster and pin it
///
/// Reads `status.certificate` of the Environment with your kubeconfig. Your login only needs `get`
/// on environments.sceau.dev. If the pinned certificate has another key, sceau shows both key ids
/// and asks for confirmation.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct FetchArguments {
    /// The environment; the Environment in the cluster has the same name
    #[arg(long, value_name = "NAME")]
    environment: EnvironmentName,

    #[command(flatten)]
    cluster: ClusterArguments,

    /// The file to pin, if the environment has several certificates
    #[arg(short, long, value_name = "FILE")]
    write: Option<PathBuf>,

    /// Replace a certificate with another key without confirmation
    #[arg(long)]
    yes: bool,
}

const EXAMPLES: &str = "\
Examples:
  sceau certificate fetch --environment dev

  For one of the two clusters of an environment:
    sceau certificate fetch --environment prod --context prod-us --write certificates/prod-us.pem";

pub(in crate::commands) fn run(arguments: &FetchArguments, io: &mut Io<'_>) -> Result<()> {
    let project = Project::load(&io.directory)?;
    let (name, environment) = resolve::named(&project, &arguments.environment)?;
    let pinned = arguments.pinned(&project, environment, &io.directory)?;
    let target = arguments.cluster.target(environment, &io.directory);
    let pem = cluster::fetch_certificate(&target, name)?;
    let fetched = check(&pem, io.now)?;
    let change = PinChange::of(&pinned, fetched.key_id());
    if arguments.is_confirmed(change, &pinned, io)? {
        output::write(&NewFile {
            directory: &pinned.directory,
            name: &pinned.name,
            bytes: pem.as_bytes(),
            audience: Audience::Everyone,
        })?;
        let name = pinned.name.display();
        ui::note(io, format_args!("{name} pins {}", fetched.key_id()));
    }
    Ok(())
}

/// Checks that the cluster's certificate can be pinned, and can be sealed to at `now`.
fn check(pem: &str, now: Timestamp) -> Result<Certificate> {
    let valid = |certificate: Certificate| {
        let validity = certificate.check_validity(now);
        validity.map(|()| certificate).map_err(CommandError::user)
    };
    let checked = project::parse_certificate(pem).and_then(valid);
    checked.map_err(|error| CommandError::cluster(error.message).at("the cluster's certificate"))
}

/// The file of a pinned certificate.
struct Pinned {
    /// The directory that its name is relative to.
    directory: PathBuf,
    /// Its name, as in the project file.
    name: PathBuf,
}

/// The change of a pinned certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PinChange {
    /// Nothing was pinned.
    First,
    /// Another key was pinned, or an unreadable file.
    Replaced { old: Option<KeyId>, new: KeyId },
    /// The same key was pinned; the certificate around it may be newer.
    SameKey,
}

impl PinChange {
    fn of(pinned: &Pinned, new: KeyId) -> Self {
        match project::read_pinned(&pinned.directory, &pinned.name) {
            Ok(None) => Self::First,
            Ok(Some(old)) if old.key_id() == new => Self::SameKey,
            Ok(Some(old)) => Self::Replaced {
                old: Some(old.key_id()),
                new,
            },
            Err(_) => Self::Replaced { old: None, new },
        }
    }
}

impl FetchArguments {
    fn pinned(
        &self,
        project: &Project,
        environment: &Environment,
        directory: &Path,
    ) -> Result<Pinned> {
        let name = &self.environment;
        let pinned = |certificate: &Path| Pinned {
            directory: project.root.clone(),
            name: certificate.to_owned(),
        };
        if let Some(file) = &self.write {
            let file = paths::absolute(directory, file);
            let is_file =
                |certificate: &&PathBuf| paths::absolute(&project.root, certificate) == file;
            let certificate = environment.certificates.iter().find(is_file);
            return certificate
                .map(|certificate| pinned(certificate))
                .ok_or_else(|| self.not_pinned());
        }
        match environment.certificates.as_slice() {
            [only] => Ok(pinned(only)),
            [] => Err(CommandError::user(format!(
                "sceau.yaml names no certificate for environment `{name}`"
            ))
            .hint(format!(
                "add one, such as `certificates: [certificates/{name}.pem]`"
            ))),
            several => {
                let paths: Vec<_> = several
                    .iter()
                    .map(|path| path.display().to_string())
                    .collect();
                Err(CommandError::usage(format!(
                    "environment `{name}` has several certificates: {}",
                    paths.join(", ")
                ))
                .hint("choose the file with `--write FILE`, and the cluster with `--context`"))
            }
        }
    }

    /// The error for a file that sceau.yaml does not list: nothing would be sealed to it.
    fn not_pinned(&self) -> CommandError {
        let name = &self.environment;
        CommandError::user(format!(
            "the file to write is not a certificate of environment `{name}` in sceau.yaml"
        ))
        .hint(format!(
            "list it under environments.{name}.certificates, whose paths are relative to sceau.yaml"
        ))
    }

    /// Shows a changed key, and asks for confirmation.
    fn is_confirmed(&self, change: PinChange, pinned: &Pinned, io: &mut Io<'_>) -> Result<bool> {
        let PinChange::Replaced { old, new } = change else {
            return Ok(true);
        };
        let old = old.map_or_else(|| "unreadable".to_owned(), |id| id.to_string());
        let name = pinned.name.display();
        ui::note(
            io,
            format_args!("the key of {name} changes\nold: {old}\nnew: {new}"),
        );
        if self.yes {
            return Ok(true);
        }
        if !io.terminals.stdin {
            return Err(CommandError::user(
                "the pinned certificate was not replaced: confirmation needs a terminal",
            )
            .hint(
                "compare the new key id with the one that operations announced, and pass `--yes`",
            ));
        }
        let is_confirmed = ui::confirm(io, "Seal to the new key from now on?")?;
        if !is_confirmed {
            ui::note(io, "nothing was changed");
        }
        Ok(is_confirmed)
    }
}
