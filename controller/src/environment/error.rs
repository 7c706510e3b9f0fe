//! Errors of reconciling an Environment.

use crate::{error::describe, keys::key_secret::UnusableKey};

/// Why a sealing key was not generated.
#[derive(Debug, thiserror::Error)]
pub(super) enum GenerateKeyError {
    /// The Secret exists. Either the watch has not shown its key yet, or it holds none.
    #[error(
        "Secret {0} exists, but holds no usable key of this environment: check its labels and data"
    )]
    Exists(String),
    #[error("the sealing key could not be generated: {0}")]
    Generate(#[from] UnusableKey),
    #[error("the sealing key could not be stored: {}", describe(.0))]
    Api(#[from] kube::Error),
    #[error("generating the sealing key was interrupted")]
    Interrupted(#[from] tokio::task::JoinError),
}
