//! The audit: one line for each use of private keys. It says what, where, which keys and how it
//! ended, never a value.
//!
//! Who asked is not known here: the API server's own audit says who wrote the SealedSecret.

use sealing::{EnvironmentName, KeyId, Place};

use crate::Reason;

/// An attempt to unseal.
pub(crate) struct Attempt<'a> {
    pub(crate) place: &'a Place,
    pub(crate) environment: &'a EnvironmentName,
    pub(crate) keys: &'a [KeyId],
    pub(crate) outcome: Reason,
}

/// Writes the line. It is written at any log level.
pub(crate) fn record(attempt: &Attempt<'_>) {
    let keys: Vec<String> = attempt.keys.iter().map(ToString::to_string).collect();
    tracing::info!(
        target: "audit",
        namespace = %attempt.place.namespace,
        name = %attempt.place.name,
        environment = %attempt.environment,
        keys = keys.join(","),
        outcome = %attempt.outcome,
        "unseal"
    );
}
