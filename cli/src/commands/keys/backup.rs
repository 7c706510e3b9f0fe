//! `sceau keys backup`: a backup of sealing keys, for people to keep offline.

use std::{collections::BTreeMap, path::PathBuf};

use sealing::{
    EnvironmentName,
    resource::{Environment, SealingKeyState},
};

use super::ClusterArguments;
use crate::{
    cluster::Cluster,
    error::{CommandError, Result},
    keys::{
        age::{self, RecoveryRecipient},
        key_secret::{self, Home, KeySecret},
    },
    output::{self, Audience, Existing, NewFile},
    ui::{self, Io},
};

/// Back up sealing keys, encrypted for people
///
/// Reads the key Secrets of the controller's namespace with your login, which needs the role
/// `sceau-key-keeper` there and the cluster role `sceau-environment-reader`. Writes them to one new
/// file, which each recipient can decrypt alone. Name at least two people: one may lose their
/// identity. Back up again after each new sealing key: without a backup, what is sealed to it is
/// lost with the cluster.
///
/// The file is an age file with ASCII armor, as <https://age-encryption.org> describes. It holds a
/// List of Secrets, so it can be restored without sceau too:
/// `age --decrypt --identity FILE backup.age | kubectl create --filename -`. A decrypted backup
/// decrypts every secret of the environments. Keep it offline like the identities, and out of git:
/// git keeps it forever, and an identity may leak later.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct BackupArguments {
    /// A recipient who may decrypt the backup, `age1...`; may be repeated, at least two are
    /// recommended
    #[arg(long = "recipient", value_name = "RECIPIENT")]
    recipients: Vec<String>,

    /// A file of recipients, one a line; lines that begin with `#` are comments
    #[arg(long, value_name = "FILE")]
    recipients_file: Vec<PathBuf>,

    /// Write the backup to this new file, readable by you only
    #[arg(short, long, value_name = "FILE")]
    write: PathBuf,

    /// Back up the keys of this environment only
    #[arg(long, value_name = "NAME")]
    environment: Option<EnvironmentName>,

    /// Back up the keys of a file, without a cluster; may be repeated
    ///
    /// Either key Secrets as `kubectl get secret -o yaml` exports them, of sceau or of the Bitnami
    /// controller, or PEM: private keys and their certificates, with `--environment`.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["context", "kubeconfig"])]
    keys: Vec<PathBuf>,

    #[command(flatten)]
    cluster: ClusterArguments,
}

const EXAMPLES: &str = "\
Examples:
  The keys of all environments, for two people:
    sceau keys backup --recipient age1... --recipient age1... --write prod-2026-11-22.age

  For all recipients in a file, with a test of the backup:
    sceau keys backup --recipients-file recovery.txt --write /media/stick/prod.age
    sceau keys drill /media/stick/prod.age --identity /media/stick/alice.txt";

pub(in crate::commands) fn run(arguments: &BackupArguments, io: &mut Io<'_>) -> Result<()> {
    let recipients = age::read_recipients(&arguments.recipients, &arguments.recipients_file, io)?;
    output::reject_existing(&io.directory, &[&arguments.write])?;
    let (mut key_secrets, states) = arguments.read(io)?;
    if let Some(wanted) = &arguments.environment {
        key_secrets.retain(|key_secret| key_secret.environment.as_ref() == Some(wanted));
    }
    if key_secrets.is_empty() {
        return Err(arguments.nothing());
    }
    for key_secret in &mut key_secrets {
        if let Some(state) = states.of(key_secret) {
            key_secret.mark_revoked(state == SealingKeyState::Revoked);
        }
    }
    let backup = key_secret::back_up(&key_secrets, &recipients)?;
    let file = NewFile {
        directory: &io.directory,
        name: &arguments.write,
        bytes: &backup,
        audience: Audience::Owner,
    };
    output::commit(vec![output::stage(&file, Existing::Keep)?])?;
    ui::print(io, table(&key_secrets, &states))?;
    if key_secrets
        .iter()
        .any(|key_secret| states.of(key_secret).is_none())
    {
        ui::warn(
            io,
            "the backup does not record whether keys of an unknown state are revoked, so a restored one \
             would decrypt again; the cluster role `sceau-environment-reader` lets you read states",
        );
    }
    report(arguments, &recipients, io);
    Ok(())
}

impl BackupArguments {
    fn read(&self, io: &mut Io<'_>) -> Result<(Vec<KeySecret>, States)> {
        let environment = self.environment.as_ref();
        let namespace = &self.cluster.controller_namespace;
        if !self.keys.is_empty() {
            let home = Home {
                environment,
                namespace,
            };
            let read = key_secret::read_files(&self.keys, &home, io)?;
            return Ok((read, States::default()));
        }
        let cluster = self.cluster.connect(&io.directory)?;
        let secrets = cluster.key_secrets(namespace, environment)?;
        let read = key_secret::read_usable(secrets, io);
        let states = States::read(&cluster, &read);
        Ok((read, states))
    }

    fn nothing(&self) -> CommandError {
        let of = self.environment.as_ref();
        let of = of.map_or_else(String::new, |name| format!(" of {name}"));
        if self.keys.is_empty() {
            let namespace = &self.cluster.controller_namespace;
            CommandError::user(format!("namespace {namespace} has no sealing key{of}"))
                .hint("check `--context` and `--controller-namespace`")
        } else {
            CommandError::user(format!("the files have no sealing key{of}"))
        }
    }
}

/// The states of keys, from the Environments that can be read.
#[derive(Default)]
struct States(BTreeMap<EnvironmentName, Environment>);

impl States {
    fn read(cluster: &Cluster, key_secrets: &[KeySecret]) -> Self {
        let mut environments = BTreeMap::new();
        for name in key_secrets
            .iter()
            .filter_map(|key_secret| key_secret.environment.as_ref())
        {
            if !environments.contains_key(name) {
                // A login for key Secrets may lack access to Environments.
                environments.extend(
                    cluster
                        .environment(name)
                        .ok()
                        .map(|environment| (name.clone(), environment)),
                );
            }
        }
        Self(environments)
    }

    fn of(&self, key_secret: &KeySecret) -> Option<SealingKeyState> {
        let environment = self.0.get(key_secret.environment.as_ref()?)?;
        let id = key_secret.id().to_string();
        if environment.spec.sealing_keys.revoked_key_ids.contains(&id) {
            return Some(SealingKeyState::Revoked);
        }
        let statuses = &environment.status.as_ref()?.sealing_keys;
        statuses
            .iter()
            .find(|status| status.key_id == id)
            .map(|status| status.state)
    }
}

fn table(key_secrets: &[KeySecret], states: &States) -> String {
    let header = ["ENVIRONMENT", "STATE", "KEY", "SECRET"];
    ui::table(
        &header,
        key_secrets.iter().map(|key_secret| {
            let state = states.of(key_secret);
            vec![
                key_secret.environment_name().to_owned(),
                state.map_or_else(|| "?".to_owned(), |state| format!("{state:?}")),
                key_secret.id().to_string(),
                key_secret.secret.place.to_string(),
            ]
        }),
    )
}

fn report(arguments: &BackupArguments, recipients: &[RecoveryRecipient], io: &mut Io<'_>) {
    let names: Vec<_> = recipients.iter().map(ToString::to_string).collect();
    let file = arguments.write.display();
    ui::note(
        io,
        format_args!(
            "each of these recipients decrypts {file}\n{}",
            names.join("\n")
        ),
    );
    if let [_] = recipients {
        ui::warn(
            io,
            "the backup has one recipient: if that identity is lost, the backup is lost",
        );
    }
    ui::note(
        io,
        "the backup decrypts every secret of these environments: keep it offline, and out of git",
    );
    ui::note(
        io,
        format_args!("test the backup: sceau keys drill {file} --identity FILE"),
    );
}
