//! `sceau keys drill`: whether a backup opens what the repository holds.
//!
//! Every item is really unsealed and dropped at once; no cluster is asked and nothing is written.

mod report;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
};

use sealing::{EnvironmentName, KeyId, KeyRing, Namespace, UnsealError};

use self::report::{Finding, Row};
use super::IdentityArguments;
use crate::{
    error::{CommandError, Result, with_causes},
    flags::ReportFormat,
    key_secrets::{self, KeySecret},
    manifest::{Located, Sealed},
    project::Project,
    recovery::Identities,
    sealed_files,
    ui::{self, Io, Progress},
};

/// Prove that a backup opens every manifest of a repository
///
/// Takes the sealing keys out of the backup into memory and unseals with them every SealedSecret below the
/// paths, sceau's own and the original's, as after the loss of the cluster. Values are dropped at
/// once; nothing is written and no cluster is asked. A key opens what is sealed for its own
/// environment, and a key that was revoked when it was backed up opens nothing.
///
/// Run it after each backup, where the identity is: it is nothing for CI.
///
/// Exit codes: 0 when every SealedSecret opens; 3 when one does not, of which the report tells the keys
/// that it would take; 1 when the backup cannot be opened or there is no SealedSecret.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct DrillArguments {
    /// The backup
    #[arg(value_name = "FILE")]
    backup: PathBuf,

    /// Files and directories; none is the directory of sceau.yaml
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,

    #[command(flatten)]
    identity: IdentityArguments,

    /// A further backup, as of another cluster: what one of them opens, opens; may be given several
    /// times
    #[arg(long = "backup", value_name = "FILE")]
    further: Vec<PathBuf>,

    /// The namespace, for SealedSecrets that name none
    #[arg(short, long, value_name = "NAME")]
    namespace: Option<Namespace>,

    /// How to write the report; a table leaves out what opens
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    output: ReportFormat,
}

const EXAMPLES: &str = "\
Examples:
  The whole repository:
    sceau keys drill prod.age --identity alice.txt

  Of two clusters, what is deployed to production:
    sceau keys drill prod-eu.age --backup prod-us.age --identity alice.txt deploy/*/prod";

pub(in crate::commands) fn run(arguments: &DrillArguments, io: &mut Io<'_>) -> Result<()> {
    let identities = Identities::read(&arguments.identity.identities, io)?;
    let rings = arguments.rings(&identities, io)?;
    let paths = if arguments.paths.is_empty() {
        vec![Project::load(&io.directory)?.root]
    } else {
        arguments.paths.clone()
    };
    let files = sealed_files::read(&paths, &io.directory)?;
    let progress = Progress::start(
        io,
        files.iter().map(|it| it.objects.len()).sum(),
        "unsealing",
    );
    let mut rows = Vec::new();
    for object in files.iter().flat_map(|it| &it.objects) {
        rows.push(match object {
            Ok(object) => rings.try_open(object, arguments.namespace.as_ref()),
            Err(unreadable) => {
                Row::new(&unreadable.origin).with(Finding::Unreadable, &unreadable.problem)
            }
        });
        progress.advance(1);
    }
    drop(progress);
    if rows.is_empty() {
        return Err(
            CommandError::user("there is no SealedSecret here: nothing is proved")
                .hint("name the directories of the manifests"),
        );
    }
    ui::print(io, report::render(&rows, arguments.output)?)?;
    ui::note(io, report::summary(&rows));
    verdict(&rows)
}

impl DrillArguments {
    fn rings(&self, identities: &Identities, io: &mut Io<'_>) -> Result<Rings> {
        let unnamed = Namespace::parse("unnamed").map_err(CommandError::bug)?;
        let mut rings = Rings::default();
        for backup in [&self.backup].into_iter().chain(&self.further) {
            for key_secret in key_secrets::read_backup(backup, identities, &unnamed, io)? {
                rings.take_in(&key_secret);
            }
        }
        Ok(rings)
    }
}

fn verdict(rows: &[Row]) -> Result<()> {
    let closed = rows
        .iter()
        .filter(|row| row.result != Finding::Opens)
        .count();
    if closed == 0 {
        return Ok(());
    }
    Err(CommandError::check(format!(
        "{closed} of {} would be lost with the cluster",
        report::sealed_secrets(rows.len())
    ))
    .hint("back the keys up again with `sceau keys backup`, or reseal what is sealed for old ones"))
}

/// The keys of backups, as a controller would have them.
#[derive(Default)]
struct Rings {
    /// The original's format does not name its key.
    all: KeyRing,
    by_environment: BTreeMap<EnvironmentName, KeyRing>,
    revoked: BTreeSet<KeyId>,
}

impl Rings {
    fn take_in(&mut self, key_secret: &KeySecret) {
        if key_secret.was_revoked() {
            self.revoked.insert(key_secret.id());
            return;
        }
        let own = key_secret.environment.as_ref();
        if let Some(environment) = own {
            let ring = self.by_environment.entry(environment.clone()).or_default();
            ring.insert(Arc::clone(&key_secret.sealing_key));
        }
        self.all.insert(Arc::clone(&key_secret.sealing_key));
    }

    /// Unseals a SealedSecret and drops what was in it.
    fn try_open(&self, object: &Located, namespace: Option<&Namespace>) -> Row {
        let mut row = Row::of(object);
        let place = match object.sealed.place(namespace) {
            Ok(place) => place,
            Err(problem) => return row.with(Finding::Malformed, &problem),
        };
        row.location.namespace = Some(place.namespace.to_string());
        let opened = match &object.sealed {
            Sealed::Bitnami(sealed) => sealing::unseal_bitnami(sealed, &place, &self.all),
            Sealed::Native(sealed) => {
                let none = KeyRing::default();
                let ring = EnvironmentName::parse(sealed.spec.environment.as_str())
                    .ok()
                    .and_then(|name| self.by_environment.get(&name));
                sealing::unseal(&sealed.spec, &place, ring.unwrap_or(&none))
            }
        };
        match opened {
            Ok(unsealed) => row.opened_by(&unsealed.opened_by),
            Err(error) => self.explain(row, &error),
        }
    }

    fn explain(&self, row: Row, error: &UnsealError) -> Row {
        let said = with_causes(error);
        match error {
            UnsealError::UnknownSealingKey(needed) => {
                let is_revoked = needed.iter().any(|id| self.revoked.contains(id));
                let (finding, said) = if is_revoked {
                    (
                        Finding::RevokedSealingKey,
                        "only a key that was revoked opens it",
                    )
                } else {
                    (
                        Finding::UnknownSealingKey,
                        "no backup has a key of its environment that opens it",
                    )
                };
                row.needing(needed).with(finding, said)
            }
            UnsealError::NoKeyOpens(_) => {
                let said =
                    "no key of a backup opens it, and its format does not say which one would";
                row.with(Finding::UnknownSealingKey, said)
            }
            UnsealError::Malformed(_) => row.with(Finding::Malformed, &said),
            UnsealError::Refused => row.with(Finding::Refused, &said),
        }
    }
}
