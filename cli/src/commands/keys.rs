//! `sceau keys`: backups of sealing keys, for the loss of a cluster.

pub(crate) mod backup;
pub(crate) mod drill;
pub(crate) mod restore;

use std::path::{Path, PathBuf};

use sealing::Namespace;

use self::{backup::BackupArguments, drill::DrillArguments, restore::RestoreArguments};
use crate::{
    cluster::{Cluster, Target},
    error::Result,
    ui::Io,
};

/// The commands of `sceau keys`.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum KeysCommand {
    Backup(BackupArguments),
    Restore(RestoreArguments),
    Drill(DrillArguments),
}

pub(super) fn run(command: &KeysCommand, io: &mut Io<'_>) -> Result<()> {
    match command {
        KeysCommand::Backup(arguments) => backup::run(arguments, io),
        KeysCommand::Restore(arguments) => restore::run(arguments, io),
        KeysCommand::Drill(arguments) => drill::run(arguments, io),
    }
}

/// The cluster of the keys.
#[derive(Debug, clap::Args)]
pub(crate) struct ClusterArguments {
    /// The controller's namespace, which holds the key Secrets
    #[arg(long, value_name = "NAME", default_value = "sceau-system")]
    controller_namespace: Namespace,

    /// The kubeconfig context, instead of the current one
    #[arg(long, value_name = "NAME")]
    context: Option<String>,

    /// The kubeconfig file, instead of KUBECONFIG or ~/.kube/config
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
}

impl ClusterArguments {
    fn connect(&self, directory: &Path) -> Result<Cluster> {
        let target = Target {
            kubeconfig: self.kubeconfig.as_ref().map(|file| directory.join(file)),
            context: self.context.clone(),
        };
        Ok(Cluster::connect(&target)?)
    }
}

/// Private keys of the recipients of backups.
#[derive(Debug, clap::Args)]
pub(crate) struct IdentityArguments {
    /// The age identity file of a recipient of the backup; may be repeated
    ///
    /// `age-keygen` writes such files. sceau prompts for the passphrase of a protected file.
    #[arg(long = "identity", value_name = "FILE", required = true)]
    identities: Vec<PathBuf>,
}
