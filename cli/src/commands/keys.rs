//! `sceau keys`: what keeps a lost cluster from being lost secrets.

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

/// The cluster whose keys are meant.
#[derive(Debug, clap::Args)]
pub(crate) struct ClusterArguments {
    /// The controller's namespace, which key Secrets stand in
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

/// Private keys of the people whom backups are for.
#[derive(Debug, clap::Args)]
pub(crate) struct IdentityArguments {
    /// An identity file of age, of one of the backup's recipients; may be given several times
    ///
    /// As `age-keygen` writes it. For one that is protected by a passphrase, that is asked for.
    #[arg(long = "identity", value_name = "FILE", required = true)]
    identities: Vec<PathBuf>,
}
