//! `sceau keys restore`: restores the sealing keys of a backup to a cluster.

use std::path::PathBuf;

use sealing::{EnvironmentName, SecretName, SecretRef};

use super::{ClusterArguments, IdentityArguments};
use crate::{
    cluster::{Cluster, ClusterError, Mode},
    error::{CommandError, Result},
    keys::{
        age::Identities,
        key_secret::{self, KeySecret},
    },
    ui::{self, Io},
};

/// Restore sealing keys from a backup
///
/// Creates the key Secrets of a backup in the controller's namespace with your login, which needs
/// the role `sceau-key-keeper` there and the cluster role `sceau-environment-reader`. Existing keys
/// stay unchanged, and no Secret is ever overwritten. If another sealing key has the name, as in a
/// new cluster, the restored key gets another name. The controller uses the keys at once. The
/// youngest key of an environment is active, by the dates of the certificates. So an old key that
/// is restored decrypts, and nothing is sealed to it.
///
/// A key that was revoked at the time of the backup is restored only if the Environment in the
/// cluster revokes it too: apply the Environment first.
///
/// Exit codes: 0 if every key of the backup exists now; 1 if some could not be restored; 4 if the
/// cluster is unreachable or rejected the request. Keys that were restored before a failure stay:
/// run it again.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct RestoreArguments {
    /// The backup
    #[arg(value_name = "FILE")]
    backup: PathBuf,

    #[command(flatten)]
    identity: IdentityArguments,

    /// Restore the keys of this environment only
    #[arg(long, value_name = "NAME")]
    environment: Option<EnvironmentName>,

    /// Check whether the API server would accept the keys, and change nothing
    #[arg(long)]
    dry_run: bool,

    #[command(flatten)]
    cluster: ClusterArguments,
}

const EXAMPLES: &str = "\
Examples:
  Show what would be restored:
    sceau keys restore prod.age --identity alice.txt --dry-run

  Into a new cluster, before its Environments and the controller:
    sceau keys restore prod.age --identity alice.txt --context prod-new

  Without sceau:
    age --decrypt --identity alice.txt prod.age | kubectl create --filename -";

pub(in crate::commands) fn run(arguments: &RestoreArguments, io: &mut Io<'_>) -> Result<()> {
    let identities = Identities::read(&arguments.identity.identities, io)?;
    let namespace = &arguments.cluster.controller_namespace;
    let mut backed_up = key_secret::read_backup(&arguments.backup, &identities, namespace, io)?;
    if let Some(wanted) = &arguments.environment {
        backed_up.retain(|key_secret| key_secret.environment.as_ref() == Some(wanted));
        if backed_up.is_empty() {
            let backup = arguments.backup.display();
            return Err(CommandError::user(format!(
                "{backup} has no key of environment {wanted}"
            )));
        }
    }
    let cluster = arguments.cluster.connect(&io.directory)?;
    let present = key_secret::read_usable(cluster.key_secrets(namespace, None)?, io);
    let mut rows = Vec::new();
    let mut outcome = Ok(());
    for mut key_secret in backed_up {
        key_secret.secret.place.namespace = namespace.clone();
        let decision = decide(&key_secret, &present, || is_revoked(&cluster, &key_secret));
        match arguments.restore(key_secret, decision, &cluster) {
            Ok(row) => rows.push(row),
            Err(error) => {
                outcome = Err(error.into());
                break;
            }
        }
    }
    ui::print(io, table(&rows))?;
    outcome.and_then(|()| verdict(&rows))
}

/// The decision about a key of a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Decision {
    /// Create it under this name.
    Create(SecretName),
    /// It exists, under this name.
    LeaveAlone(SecretName),
    /// It was revoked, and the cluster does not revoke it.
    LeaveOut,
}

/// Decides about a key of a backup, from the existing key Secrets.
fn decide(
    backed_up: &KeySecret,
    present: &[KeySecret],
    is_revoked: impl FnOnce() -> bool,
) -> Decision {
    let is_same = |key_secret: &&KeySecret| {
        key_secret.id() == backed_up.id() && key_secret.environment == backed_up.environment
    };
    if let Some(same) = present.iter().find(is_same) {
        return Decision::LeaveAlone(same.secret.place.name.clone());
    }
    if backed_up.was_revoked() && !is_revoked() {
        return Decision::LeaveOut;
    }
    let name = &backed_up.secret.place.name;
    if present
        .iter()
        .any(|key_secret| key_secret.secret.place.name == *name)
    {
        let own = format!("{name}-{}", backed_up.id().short());
        return SecretName::parse(own)
            .map_or_else(|_| Decision::Create(name.clone()), Decision::Create);
    }
    Decision::Create(name.clone())
}

/// Whether the Environment in the cluster revokes the key. An unreadable one does not.
fn is_revoked(cluster: &Cluster, key_secret: &KeySecret) -> bool {
    let environment = key_secret.environment.as_ref();
    let environment = environment.and_then(|name| cluster.environment(name).ok());
    let id = key_secret.id().to_string();
    environment
        .is_some_and(|environment| environment.spec.sealing_keys.revoked_key_ids.contains(&id))
}

/// The result of restoring a key.
struct RestoredKey {
    key_secret: KeySecret,
    result: &'static str,
    problem: Option<String>,
}

impl RestoreArguments {
    fn restore(
        &self,
        mut key_secret: KeySecret,
        decision: Decision,
        cluster: &Cluster,
    ) -> std::result::Result<RestoredKey, ClusterError> {
        let (result, problem) = match decision {
            Decision::LeaveAlone(name) => {
                key_secret.secret.place.name = name;
                ("Present", None)
            }
            Decision::LeaveOut => {
                let problem = "it was revoked, but the Environment of the cluster does not revoke it, so it would decrypt again";
                ("LeftOut", Some(problem.to_owned()))
            }
            Decision::Create(name) => {
                key_secret.secret.place.name = name;
                let mode = if self.dry_run {
                    Mode::DryRun
                } else {
                    Mode::Real
                };
                match cluster.create_secret(&key_secret.secret, mode) {
                    Ok(()) if self.dry_run => ("WouldRestore", None),
                    Ok(()) => ("Restored", None),
                    Err(ClusterError::SecretExists(_)) if is_same_key(&key_secret, cluster)? => {
                        ("Present", None)
                    }
                    Err(ClusterError::SecretExists(_)) => {
                        let problem = "another Secret of that name exists, and is not overwritten";
                        ("NotRestored", Some(problem.to_owned()))
                    }
                    Err(error) => return Err(error),
                }
            }
        };
        Ok(RestoredKey {
            key_secret,
            result,
            problem,
        })
    }
}

/// Whether an existing Secret is the one of the backup. Keys of the Bitnami controller have no
/// label of sceau, so the list of key Secrets leaves them out.
fn is_same_key(
    key_secret: &KeySecret,
    cluster: &Cluster,
) -> std::result::Result<bool, ClusterError> {
    let found = KeySecret::read(cluster.secret(&key_secret.secret.place)?).ok();
    let labels = |key_secret: &KeySecret| key_secret.secret.template.metadata.labels.clone();
    Ok(found
        .is_some_and(|found| found.id() == key_secret.id() && labels(&found) == labels(key_secret)))
}

fn table(rows: &[RestoredKey]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let header = ["RESULT", "ENVIRONMENT", "KEY", "SECRET"];
    let cells = rows.iter().map(|row| {
        vec![
            row.result.to_owned(),
            row.key_secret.environment_name().to_owned(),
            row.key_secret.id().to_string(),
            row.key_secret.secret.place.to_string(),
        ]
    });
    let problems = rows.iter().filter_map(|row| {
        let SecretRef { namespace, name } = &row.key_secret.secret.place;
        let problem = row.problem.as_ref()?;
        Some(format!("\n{namespace}/{name}: {problem}\n"))
    });
    ui::table(&header, cells) + &problems.collect::<String>()
}

fn verdict(rows: &[RestoredKey]) -> Result<()> {
    let failed = rows.iter().filter(|row| row.problem.is_some()).count();
    let keys = match failed {
        0 => return Ok(()),
        1 => "1 key".to_owned(),
        several => format!("{several} keys"),
    };
    Err(CommandError::user(format!("could not be restored: {keys}"))
        .hint("fix the reasons in the report, and run this again: restored keys stay"))
}
