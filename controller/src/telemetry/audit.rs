//! The audit: one line for each use of private keys, for each that is revoked, and for each value
//! that stands in more than one Secret. It says what, where, which keys and how it ended, never a
//! value or a fingerprint.
//!
//! Who asked is not known here: the API server's own audit says who wrote the SealedSecret, the
//! request or the Environment.

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

/// Writes the line, as all lines of the audit at any log level.
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
    let keys: Vec<&str> = recipients.map(|it| it.key_id.as_str()).collect();
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

/// An attempt to find out where a value stands.
pub(crate) struct TraceAttempt<'a> {
    pub(crate) request: &'a str,
    pub(crate) environment: &'a EnvironmentName,
    pub(crate) seal: &'a SealedValue,
    pub(crate) outcome: &'static str,
    /// In how many places.
    pub(crate) found: usize,
}

/// Writes the line.
pub(crate) fn record_trace(attempt: &TraceAttempt<'_>) {
    let recipients = attempt.seal.recipients.iter();
    let keys: Vec<&str> = recipients.map(|it| it.key_id.as_str()).collect();
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

/// Writes the line about a request as a whole.
pub(crate) fn record_answer(request: &str, outcome: &str, answer: &str) {
    tracing::info!(target: "audit", request, outcome, answer, "answer");
}

/// A sealing key that was revoked.
pub(crate) struct RevokedKey<'a> {
    pub(crate) environment: &'a str,
    pub(crate) key_id: &'a str,
    /// How many SealedSecrets it opens no more.
    pub(crate) closed: usize,
    /// Some of them.
    pub(crate) first: &'a str,
}

/// Writes the line about it.
pub(crate) fn record_revocation(revoked: &RevokedKey<'_>) {
    tracing::info!(
        target: "audit",
        environment = revoked.environment,
        key = revoked.key_id,
        closed = revoked.closed,
        first = revoked.first,
        "revoke"
    );
}

/// Writes the line about a value that stands in so many places, with some of them.
pub(crate) fn record_reuse(places: &[ItemRef], count: usize) {
    let places = places.iter().map(ToString::to_string);
    tracing::info!(
        target: "audit",
        places = places.collect::<Vec<_>>().join(", "),
        count,
        "reuse"
    );
}
