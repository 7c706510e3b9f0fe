//! `sceau certificate fetch`: pins the certificate that an environment's cluster seals with now.
//!
//! Whoever replaces a pinned certificate decides who can read what is sealed from then on, so a
//! change is shown and asked for.

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
/// Reads `status.certificate` of the Environment through your kubeconfig; that needs `get` on
/// environments.sceau.dev and nothing else. A pinned certificate with another key is replaced only
/// after both key ids were shown and you agreed.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct FetchArguments {
    /// The environment, which is the name of the Environment in the cluster too
    #[arg(long, value_name = "NAME")]
    environment: EnvironmentName,

    #[command(flatten)]
    cluster: ClusterArguments,

    /// The file to pin, one of the environment's certificates, when it has several
    #[arg(short, long, value_name = "FILE")]
    write: Option<PathBuf>,

    /// Replace a certificate with another key without asking
    #[arg(long)]
    yes: bool,
}

const EXAMPLES: &str = "\
Examples:
  sceau certificate fetch --environment dev

  Of an environment with two clusters, each has its certificate:
    sceau certificate fetch --environment prod --context prod-us --write certificates/prod-us.pem";

pub(in crate::commands) fn run(arguments: &FetchArguments, io: &mut Io<'_>) -> Result<()> {
    let project = Project::load(&io.directory)?;
    let (name, environment) = resolve::named(&project, &arguments.environment)?;
    let pinned = arguments.pinned(&project, environment, &io.directory)?;
    let target = arguments.cluster.target(environment, &io.directory);
    let pem = cluster::fetch_certificate(&target, name)?;
    let fetched = check(&pem, io.now)?;
    let change = Change::of(&pinned, fetched.key_id());
    if arguments.agreed(change, &pinned, io)? {
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

/// What the cluster gave must be fit to be pinned, and to be sealed to at `now`.
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
    /// Its name, as the project file knows it.
    name: PathBuf,
}

/// What fetching would change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    /// Nothing was pinned.
    First,
    /// Another key was pinned, or something unreadable.
    Replaced { old: Option<KeyId>, new: KeyId },
    /// The same key was pinned; the certificate around it may be newer.
    SameKey,
}

impl Change {
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
                .hint("say which is this cluster's with `--write FILE`, and which cluster with `--context`"))
            }
        }
    }

    /// Pinning what nothing is sealed to would be of no effect.
    fn not_pinned(&self) -> CommandError {
        let name = &self.environment;
        CommandError::user(format!(
            "the file to write is no certificate of environment `{name}` in sceau.yaml"
        ))
        .hint(format!(
            "list it under environments.{name}.certificates, whose paths are relative to sceau.yaml"
        ))
    }

    /// Shows the change, and asks where somebody must agree.
    fn agreed(&self, change: Change, pinned: &Pinned, io: &mut Io<'_>) -> Result<bool> {
        let Change::Replaced { old, new } = change else {
            return Ok(true);
        };
        let old = old.map_or_else(|| "unreadable".to_owned(), |id| id.to_string());
        let name = pinned.name.display();
        ui::note(
            io,
            format_args!("{name} changes its key\nold: {old}\nnew: {new}"),
        );
        if self.yes {
            return Ok(true);
        }
        if !io.terminals.stdin {
            return Err(CommandError::user(
                "the pinned certificate was not replaced: nobody can be asked",
            )
            .hint("compare the new key id with what operations announced, and say `--yes`"));
        }
        let agreed = ui::confirm(io, "Seal to the new key from now on?")?;
        if !agreed {
            ui::note(io, "nothing was changed");
        }
        Ok(agreed)
    }
}
