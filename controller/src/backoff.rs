//! When an object is looked at again: after errors, and after its Secret was healed.

use std::{
    collections::HashMap,
    sync::Mutex,
    time::{Duration, Instant},
};

/// When to look at an object again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Requeue {
    /// After this time.
    After(Duration),
    /// After a time that grows with each error in a row.
    Backoff,
    /// When something that is watched changes.
    OnChange,
}

const FIRST_RETRY: Duration = Duration::from_secs(1);
const LONGEST_RETRY: Duration = Duration::from_mins(5);

/// Errors in a row, by object.
#[derive(Debug, Default)]
pub(crate) struct ErrorBackoff(Mutex<HashMap<String, u32>>);

impl ErrorBackoff {
    /// Counts an error and says how long to wait: 1 s, 2 s, 4 s … 5 min.
    pub(crate) fn wait(&self, object: &str) -> Duration {
        let mut counts = self.counts();
        let errors = counts.entry(object.to_owned()).or_default();
        let wait = FIRST_RETRY.saturating_mul(2_u32.saturating_pow(*errors));
        *errors += 1;
        wait.min(LONGEST_RETRY)
    }

    /// Whether its last reconcile came to an error.
    pub(crate) fn is_failing(&self, object: &str) -> bool {
        self.counts().contains_key(object)
    }

    /// Forgets the errors of an object that did well, or is gone.
    pub(crate) fn forget(&self, object: &str) {
        self.counts().remove(object);
    }

    fn counts(&self) -> std::sync::MutexGuard<'_, HashMap<String, u32>> {
        self.0
            .lock()
            .expect("nothing panics while counts are locked")
    }
}

const FIRST_HEAL: Duration = Duration::from_secs(1);
const LONGEST_HEAL: Duration = Duration::from_mins(1);

/// When nothing was healed for as long, the next change counts as the first.
const QUIET: Duration = Duration::from_mins(5);

/// The last heal of each object.
#[derive(Debug, Default)]
pub(crate) struct DriftBackoff(Mutex<HashMap<String, Heal>>);

#[derive(Debug, Clone, Copy)]
struct Heal {
    at: Instant,
    /// Until the next one.
    wait: Duration,
}

impl DriftBackoff {
    /// Begins a heal: the first at once, the next ones 1 s, 2 s, 4 s … 1 min after the one before.
    ///
    /// # Errors
    /// How long there still is to wait.
    pub(crate) fn begin(&self, object: &str, now: Instant) -> Result<(), Duration> {
        let mut heals = self.heals();
        let wait = match heals.get(object) {
            Some(last) if now < last.at + last.wait => return Err(last.at + last.wait - now),
            Some(last) if now < last.at + QUIET => (last.wait * 2).min(LONGEST_HEAL),
            _ => FIRST_HEAL,
        };
        heals.insert(object.to_owned(), Heal { at: now, wait });
        Ok(())
    }

    /// Forgets an object that is gone.
    pub(crate) fn forget(&self, object: &str) {
        self.heals().remove(object);
    }

    fn heals(&self) -> std::sync::MutexGuard<'_, HashMap<String, Heal>> {
        self.0
            .lock()
            .expect("nothing panics while heals are locked")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_five_minutes_and_start_over() {
        let retries = ErrorBackoff::default();
        let waits: Vec<u64> = (0..11)
            .map(|_| retries.wait("shop/api").as_secs())
            .collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
        assert_eq!(retries.wait("shop/other").as_secs(), 1);
        assert!(retries.is_failing("shop/api"));
        retries.forget("shop/api");
        assert!(!retries.is_failing("shop/api"));
        assert_eq!(retries.wait("shop/api").as_secs(), 1);
    }

    #[test]
    fn the_first_heal_is_at_once_and_the_next_wait_longer_until_it_is_quiet() {
        let heals = DriftBackoff::default();
        let mut now = Instant::now();
        let mut waits = Vec::new();
        for _ in 0..9 {
            assert_eq!(heals.begin("shop/api", now), Ok(()));
            let wait = heals.begin("shop/api", now).unwrap_err();
            waits.push(wait.as_secs());
            now += wait;
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(heals.begin("shop/other", now), Ok(()));

        now += QUIET;
        assert_eq!(heals.begin("shop/api", now), Ok(()));
        assert_eq!(heals.begin("shop/api", now), Err(FIRST_HEAL));
        heals.forget("shop/api");
        assert_eq!(heals.begin("shop/api", now), Ok(()));
    }
}
