//! The flags that mean the same in several commands.

use std::path::PathBuf;

use sealing::{Namespace, SecretName};

/// Private keys to unseal with.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct KeysArguments {
    /// A file with private keys; may be given several times
    ///
    /// Either PEM, with as many keys as there are, or key Secrets as `kubectl get secret -o yaml`
    /// exports them, sceau's own or the original's, single, in several documents or in a List.
    #[arg(long, value_name = "FILE", required = true)]
    pub(crate) keys: Vec<PathBuf>,
}

/// Which SealedSecret is edited.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct TargetArguments {
    /// The file of the SealedSecret, which is edited in place
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    /// The name of the SealedSecret, if the file holds several
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<SecretName>,

    /// Its namespace, if the file holds several or does not say it
    #[arg(short, long, value_name = "NAME")]
    pub(crate) namespace: Option<Namespace>,
}

/// How a report is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ReportFormat {
    /// JSON, indented
    Json,
    /// A table for people
    #[default]
    Table,
    /// YAML
    Yaml,
}
