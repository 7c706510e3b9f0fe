//! When an environment gets a new sealing key. Pure.
//!
//! It only decides. `environment::apply` generates the key.

use std::time::Duration;

use jiff::Timestamp;
use sealing::{
    KeyId,
    resource::{SealingKeySettings, SealingKeyState},
};

use crate::{
    duration::{self, ParseDurationError},
    keys::key_secret::StoredKey,
    store::KeyWithState,
};

/// The age at which a key is renewed when the Environment sets none.
const DEFAULT_RENEW_PERIOD: Duration = Duration::from_hours(720);

/// The decision about an environment's sealing keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Renewal {
    /// Generate a key now.
    Generate {
        /// The key that it replaces; `None` for the first key.
        replaced: Option<KeyId>,
    },
    /// Wait until this instant; `None` is forever.
    Wait(Option<Timestamp>),
}

/// Decides whether to generate a key. `keys` are those of the environment, newest first.
///
/// # Errors
/// [`ParseDurationError`] when `renewPeriod` is not a duration.
pub(crate) fn renewal(
    settings: &SealingKeySettings,
    keys: &[KeyWithState<'_>],
    now: Timestamp,
) -> Result<Renewal, ParseDurationError> {
    let renew_period = match &settings.renew_period {
        Some(text) => duration::parse(text)?,
        None => DEFAULT_RENEW_PERIOD,
    };
    let active = keys.iter().find(|key| key.state == SealingKeyState::Active);
    // Without an active key, the newest is revoked or none exists. No older one is activated again.
    let Some(active) = active else {
        let newest = keys.first().map(|newest| newest.stored.id());
        return Ok(Renewal::Generate { replaced: newest });
    };
    let due = due(active.stored, renew_period, settings, now);
    Ok(match due {
        Some(due) if due <= now => Renewal::Generate {
            replaced: Some(active.stored.id()),
        },
        due => Renewal::Wait(due),
    })
}

/// The earlier one of the two instants at which a key is due for renewal.
fn due(
    key: &StoredKey,
    renew_period: Duration,
    settings: &SealingKeySettings,
    now: Timestamp,
) -> Option<Timestamp> {
    let by_age = (!renew_period.is_zero())
        .then(|| key.ages_from(now).checked_add(renew_period).ok())
        .flatten();
    // A cutoff in the future waits: a key that is generated before it would itself be older than
    // it.
    let by_cutoff = settings
        .cutoff_time
        .as_ref()
        .map(|time| time.0)
        .filter(|instant| key.effective_creation() < *instant);
    by_age.into_iter().chain(by_cutoff).min()
}

#[cfg(test)]
mod tests;
