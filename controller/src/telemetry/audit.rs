//! The audit log: one line for each use of private keys, each revocation, and each value that is in
//! more than one Secret. A line has the objects, the keys and the outcome. It never has a value or
//! a fingerprint.
//!
//! The user is not known here: the audit log of the API server names who wrote the SealedSecret,
//! the request or the Environment.

use sealing::{
    EnvironmentName, ItemRef, KeyId, SecretRef,
    resource::{ResealResult, SealHeader, SealedValue},
};

use crate::status::reason::Reason;

/// An attempt to unseal.
pub(crate) struct Attempt<'a> {
    pub(crate) place: &'a SecretRef,
    pub(crate) environment: &'a EnvironmentName,
    pub(crate) keys: &'a [KeyId],
    pub(crate) outcome: Reason,
}

/// Writes the line. Audit lines are written at every log level.
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

/// An attempt to reseal.
pub(crate) struct ResealAttempt<'a> {
    pub(crate) request: &'a str,
    pub(crate) environment: &'a EnvironmentName,
    pub(crate) header: &'a SealHeader,
    pub(crate) outcome: ResealResult,
}

/// Writes the line.
pub(crate) fn record_reseal(attempt: &ResealAttempt<'_>) {
    let recipients = attempt.header.recipients.iter();
    let keys: Vec<&str> = recipients
        .map(|recipient| recipient.key_id.as_str())
        .collect();
    tracing::info!(
        target: "audit",
        request = attempt.request,
        namespace = attempt.header.namespace,
        name = attempt.header.name,
        environment = %attempt.environment,
        keys = keys.join(","),
        outcome = %attempt.outcome,
        "reseal"
    );
}

/// An attempt to find the Secrets that hold a value.
pub(crate) struct TraceAttempt<'a> {
    pub(crate) request: &'a str,
    pub(crate) environment: &'a EnvironmentName,
    pub(crate) seal: &'a SealedValue,
    pub(crate) outcome: &'static str,
    /// The number of items that were found.
    pub(crate) found: usize,
}

/// Writes the line.
pub(crate) fn record_trace(attempt: &TraceAttempt<'_>) {
    let recipients = attempt.seal.recipients.iter();
    let keys: Vec<&str> = recipients
        .map(|recipient| recipient.key_id.as_str())
        .collect();
    tracing::info!(
        target: "audit",
        request = attempt.request,
        environment = %attempt.environment,
        keys = keys.join(","),
        outcome = attempt.outcome,
        found = attempt.found,
        "trace"
    );
}

/// Writes the line about the answer to a request.
pub(crate) fn record_answer(request: &str, outcome: &str, answer: &str) {
    tracing::info!(target: "audit", request, outcome, answer, "answer");
}

/// A sealing key that was revoked.
pub(crate) struct RevokedKey<'a> {
    pub(crate) environment: &'a str,
    pub(crate) key_id: &'a str,
    /// The number of SealedSecrets that can no longer be decrypted.
    pub(crate) affected: usize,
    /// Some of them.
    pub(crate) examples: &'a str,
}

/// Writes the line.
pub(crate) fn record_revocation(revoked: &RevokedKey<'_>) {
    tracing::info!(
        target: "audit",
        environment = revoked.environment,
        key_id = revoked.key_id,
        affected = revoked.affected,
        examples = revoked.examples,
        "revoke"
    );
}

/// Writes the line about a value with `count` items, of which `places` are some.
pub(crate) fn record_reuse(places: &[ItemRef], count: usize) {
    let places = places.iter().map(ToString::to_string);
    tracing::info!(
        target: "audit",
        places = places.collect::<Vec<_>>().join(", "),
        count,
        "reuse"
    );
}
