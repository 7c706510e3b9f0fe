//! `sceau keys drill`: tests whether a backup decrypts the manifests of a repository.
//!
//! Every item is unsealed and dropped at once. It connects to no cluster and writes nothing.

mod report;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
};

use sealing::{EnvironmentName, KeyId, KeyRing, Namespace, UnsealError};

use self::report::{DrillFinding, DrillRow};
use super::IdentityArguments;
use crate::{
    error::{CommandError, Result, with_causes},
    flags::ReportFormat,
    keys::{
        age::Identities,
        key_secret::{self, KeySecret},
    },
    manifest::{Located, Sealed},
    project::Project,
    repository::sealed_files,
    ui::{self, Io, Progress},
};

/// Test that a backup decrypts every manifest of a repository
///
/// Reads the sealing keys of the backup into memory, and unseals every SealedSecret below the
/// paths, in the sceau format and the kubeseal format, as after the loss of the cluster. Values are
/// dropped at once. It writes nothing and connects to no cluster. A key decrypts only what is
/// sealed for its own environment. A key that was revoked at the time of the backup decrypts
/// nothing. The manifests are those that `sceau reseal` reads.
///
/// Run it after each backup, on the machine with the identity. Do not run it in CI.
///
/// Exit codes: 0 if every SealedSecret was unsealed; 3 if one was not, with the keys that it needs
/// in the report; 1 if the backup cannot be decrypted or there is no SealedSecret.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct DrillArguments {
    /// The backup
    #[arg(value_name = "FILE")]
    backup: PathBuf,

    /// Files and directories; no path means the directory of sceau.yaml
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,

    #[command(flatten)]
    identity: IdentityArguments,

    /// A further backup, for example of another cluster; may be repeated
    #[arg(long = "backup", value_name = "FILE")]
    further: Vec<PathBuf>,

    /// The namespace, for SealedSecrets that name none
    #[arg(short, long, value_name = "NAME")]
    namespace: Option<Namespace>,

    /// The output format of the report; a table leaves out what was unsealed
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    output: ReportFormat,
}

const EXAMPLES: &str = "\
Examples:
  The whole repository:
    sceau keys drill prod.age --identity alice.txt

  The manifests of production, which has two clusters:
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
        files.iter().map(|file| file.objects.len()).sum(),
        "unsealing",
    );
    let mut rows = Vec::new();
    for object in files.iter().flat_map(|file| &file.objects) {
        rows.push(match object {
            Ok(object) => rings.try_unseal(object, arguments.namespace.as_ref()),
            Err(unreadable) => DrillRow::new(&unreadable.origin)
                .with(DrillFinding::Unreadable, &unreadable.problem),
        });
        progress.advance(1);
    }
    drop(progress);
    if rows.is_empty() {
        return Err(
            CommandError::user("found no SealedSecrets, so nothing was tested")
                .hint("pass the directories of the manifests"),
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
            for key_secret in key_secret::read_backup(backup, identities, &unnamed, io)? {
                rings.add(&key_secret);
            }
        }
        Ok(rings)
    }
}

fn verdict(rows: &[DrillRow]) -> Result<()> {
    let failed = rows
        .iter()
        .filter(|row| row.result != DrillFinding::Unsealed)
        .count();
    if failed == 0 {
        return Ok(());
    }
    Err(CommandError::check(format!(
        "{failed} of {} would be lost with the cluster",
        report::sealed_secrets(rows.len())
    ))
    .hint("back up the keys again with `sceau keys backup`, or reseal what is sealed to old ones"))
}

/// The keys of backups, arranged as in the controller.
#[derive(Default)]
struct Rings {
    /// For the kubeseal format, which does not name its key.
    all: KeyRing,
    by_environment: BTreeMap<EnvironmentName, KeyRing>,
    revoked: BTreeSet<KeyId>,
}

impl Rings {
    fn add(&mut self, key_secret: &KeySecret) {
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

    /// Unseals a SealedSecret and drops its values.
    fn try_unseal(&self, object: &Located, namespace: Option<&Namespace>) -> DrillRow {
        let mut row = DrillRow::of(object);
        let place = match object.sealed.place(namespace) {
            Ok(place) => place,
            Err(problem) => return row.with(DrillFinding::Malformed, &problem),
        };
        row.location.namespace = Some(place.namespace.to_string());
        let unsealed = match &object.sealed {
            Sealed::Bitnami(sealed) => sealing::unseal_bitnami(sealed, &place, &self.all),
            Sealed::Native(sealed) => {
                let none = KeyRing::default();
                let ring = EnvironmentName::parse(sealed.spec.environment.as_str())
                    .ok()
                    .and_then(|name| self.by_environment.get(&name));
                sealing::unseal(&sealed.spec, &place, ring.unwrap_or(&none))
            }
        };
        match unsealed {
            Ok(unsealed) => row.decrypted_by(&unsealed.opened_by),
            Err(error) => self.explain(row, &error),
        }
    }

    fn explain(&self, row: DrillRow, error: &UnsealError) -> DrillRow {
        let message = with_causes(error);
        match error {
            UnsealError::UnknownSealingKey(needed) => {
                let is_revoked = needed.iter().any(|id| self.revoked.contains(id));
                let (finding, message) = if is_revoked {
                    (
                        DrillFinding::RevokedSealingKey,
                        "only a revoked key decrypts it",
                    )
                } else {
                    (
                        DrillFinding::UnknownSealingKey,
                        "no backup has a key of its environment that decrypts it",
                    )
                };
                row.needing(needed).with(finding, message)
            }
            UnsealError::NoKeyOpens(_) => {
                let message =
                    "no key of a backup decrypts it, and its format does not name the key";
                row.with(DrillFinding::UnknownSealingKey, message)
            }
            UnsealError::Malformed(_) => row.with(DrillFinding::Malformed, &message),
            UnsealError::Refused => row.with(DrillFinding::Refused, &message),
        }
    }
}
