//! What can fail while an Environment is reconciled.

use crate::{error::describe, keys::key_secret::UnusableKey};

/// Why a sealing key could not be made.
#[derive(Debug, thiserror::Error)]
pub(super) enum MakeKeyError {
    /// The Secret is there. Either its key will be seen in a moment, or it holds none.
    #[error("the Secret {0} exists; no key of this environment was found in it")]
    Exists(String),
    #[error("the key could not be made: {0}")]
    Generate(#[from] UnusableKey),
    #[error("the key could not be stored: {}", describe(.0))]
    Api(#[from] kube::Error),
    #[error("making the key was interrupted")]
    Interrupted(#[from] tokio::task::JoinError),
}
