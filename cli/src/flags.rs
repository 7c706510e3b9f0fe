//! Flags that several commands share.

use std::path::PathBuf;

use sealing::{Namespace, SecretName};

/// Private keys to unseal with.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct KeysArguments {
    /// A file with private keys; may be repeated
    ///
    /// Either PEM with any number of keys, or key Secrets as `kubectl get secret -o yaml` exports
    /// them, of sceau or of the Bitnami controller. Several documents and Lists are read too.
    #[arg(long, value_name = "FILE", required = true)]
    pub(crate) keys: Vec<PathBuf>,
}

/// The SealedSecret to edit.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct TargetArguments {
    /// The file of the SealedSecret; sceau edits it in place
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    /// The name of the SealedSecret, if the file holds several
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<SecretName>,

    /// Its namespace, if the file holds several or does not name it
    #[arg(short, long, value_name = "NAME")]
    pub(crate) namespace: Option<Namespace>,
}

/// The format of a report.
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
