//! How many SealedSecrets a sealing key still opens. Pure.
//!
//! It counts by key ids alone: whether a seal really opens is for unsealing to find out.

use std::sync::Arc;

use sealing::KeyId;

use crate::{received::ReceivedSealedSecret, surroundings::KnownEnvironment};

/// Whom the seals of one SealedSecret are wrapped for: ids by seal.
pub(crate) type Recipients = Vec<Vec<KeyId>>;

/// For each SealedSecret of an environment, whom its seals are wrapped for.
pub(crate) fn recipients_of(
    objects: &[Arc<ReceivedSealedSecret>],
    environment: &str,
) -> Vec<Recipients> {
    objects
        .iter()
        .filter_map(|object| object.outline.as_ref().ok())
        .filter(|outline| outline.environment == environment)
        .map(|outline| outline.seals.clone())
        .collect()
}

/// How many SealedSecrets of an environment have a seal that this key opens: a seal is opened by the
/// first of its recipients that the ring holds.
pub(crate) fn count(id: KeyId, environment: &KnownEnvironment, recipients: &[Recipients]) -> usize {
    let opened =
        |seal: &Vec<KeyId>| seal.iter().find(|id| environment.ring.holds(**id)) == Some(&id);
    recipients
        .iter()
        .filter(|seals| seals.iter().any(opened))
        .count()
}
