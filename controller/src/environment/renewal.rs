//! When an environment gets a new sealing key.
//!
//! It only decides; a key is made by `environment`.

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

/// How often a key is replaced when the Environment does not say.
const RENEW_EVERY: Duration = Duration::from_hours(720);

/// What is to be done about an environment's sealing keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Renewal {
    /// A key is to be made now, in place of this one; `None` when it is the first.
    Make {
        /// The key that it takes over from.
        replaced: Option<KeyId>,
    },
    /// Nothing is to be done before this instant; `None` is never.
    Wait(Option<Timestamp>),
}

/// Decides whether a key is to be made. `keys` are the environment's, newest first.
///
/// # Errors
/// [`ParseDurationError`] when `renewPeriod` is no duration.
pub(crate) fn renewal(
    settings: &SealingKeySettings,
    keys: &[KeyWithState<'_>],
    now: Timestamp,
) -> Result<Renewal, ParseDurationError> {
    let renew_period = match &settings.renew_period {
        Some(text) => duration::parse(text)?,
        None => RENEW_EVERY,
    };
    let active = keys
        .iter()
        .find(|fact| fact.state == SealingKeyState::Active);
    let Some(active) = active else {
        let newest = keys.first().map(|fact| fact.known.id());
        return Ok(Renewal::Make { replaced: newest });
    };
    let due = due(active.known, renew_period, settings, now);
    Ok(match due {
        Some(due) if due <= now => Renewal::Make {
            replaced: Some(active.known.id()),
        },
        due => Renewal::Wait(due),
    })
}

/// The earlier of the two instants at which a key is to be replaced.
fn due(
    known: &StoredKey,
    renew_period: Duration,
    settings: &SealingKeySettings,
    now: Timestamp,
) -> Option<Timestamp> {
    let by_age = (!renew_period.is_zero())
        .then(|| known.ages_from(now).checked_add(renew_period).ok())
        .flatten();
    // A key that is made before this instant would itself be one to replace: so not before it.
    let by_order = settings
        .cutoff_time
        .as_ref()
        .map(|time| time.0)
        .filter(|instant| known.made_at() < *instant);
    by_age.into_iter().chain(by_order).min()
}

#[cfg(test)]
mod tests;
