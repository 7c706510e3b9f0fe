//! When the controller reconciles an object again: after errors, and after it corrected drift.

use std::{
    collections::HashMap,
    sync::Mutex,
    time::{Duration, Instant},
};

/// When to reconcile an object again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Requeue {
    /// After this time.
    After(Duration),
    /// After a time that grows with each consecutive error.
    Backoff,
    /// When a watched object changes.
    OnChange,
}

const FIRST_RETRY: Duration = Duration::from_secs(1);
const LONGEST_RETRY: Duration = Duration::from_mins(5);

/// Consecutive errors, by object.
#[derive(Debug, Default)]
pub(crate) struct ErrorBackoff(Mutex<HashMap<String, u32>>);

impl ErrorBackoff {
    /// Counts an error and returns how long to wait: 1 s, 2 s, 4 s … 5 min.
    pub(crate) fn wait(&self, object: &str) -> Duration {
        let mut counts = self.counts();
        let errors = counts.entry(object.to_owned()).or_default();
        let wait = FIRST_RETRY.saturating_mul(2_u32.saturating_pow(*errors));
        *errors += 1;
        wait.min(LONGEST_RETRY)
    }

    /// Whether its last reconcile failed.
    pub(crate) fn is_failing(&self, object: &str) -> bool {
        self.counts().contains_key(object)
    }

    /// Forgets the errors of an object that was reconciled or deleted.
    pub(crate) fn forget(&self, object: &str) {
        self.counts().remove(object);
    }

    fn counts(&self) -> std::sync::MutexGuard<'_, HashMap<String, u32>> {
        self.0
            .lock()
            .expect("nothing panics while counts are locked")
    }
}

const FIRST_CORRECTION: Duration = Duration::from_secs(1);
const LONGEST_CORRECTION: Duration = Duration::from_mins(1);

/// After this time without a correction, the backoff begins at its first step again.
const QUIET: Duration = Duration::from_mins(5);

/// The last drift correction of each object.
#[derive(Debug, Default)]
pub(crate) struct DriftBackoff(Mutex<HashMap<String, Correction>>);

#[derive(Debug, Clone, Copy)]
struct Correction {
    at: Instant,
    /// The time until the next one.
    wait: Duration,
}

impl DriftBackoff {
    /// Begins a correction: the first at once, the next ones 1 s, 2 s, 4 s … 1 min after the one
    /// before.
    ///
    /// # Errors
    /// How long to wait.
    pub(crate) fn begin(&self, object: &str, now: Instant) -> Result<(), Duration> {
        let mut corrections = self.corrections();
        let wait = match corrections.get(object) {
            Some(last) if now < last.at + last.wait => return Err(last.at + last.wait - now),
            Some(last) if now < last.at + QUIET => (last.wait * 2).min(LONGEST_CORRECTION),
            _ => FIRST_CORRECTION,
        };
        corrections.insert(object.to_owned(), Correction { at: now, wait });
        Ok(())
    }

    /// Forgets an object that was deleted.
    pub(crate) fn forget(&self, object: &str) {
        self.corrections().remove(object);
    }

    fn corrections(&self) -> std::sync::MutexGuard<'_, HashMap<String, Correction>> {
        self.0
            .lock()
            .expect("nothing panics while corrections are locked")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_five_minutes_and_start_over() {
        let backoff = ErrorBackoff::default();
        let waits: Vec<u64> = (0..11)
            .map(|_| backoff.wait("shop/api").as_secs())
            .collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
        assert_eq!(backoff.wait("shop/other").as_secs(), 1);
        assert!(backoff.is_failing("shop/api"));
        backoff.forget("shop/api");
        assert!(!backoff.is_failing("shop/api"));
        assert_eq!(backoff.wait("shop/api").as_secs(), 1);
    }

    #[test]
    fn the_first_correction_is_at_once_and_the_next_wait_longer_until_it_is_quiet() {
        let backoff = DriftBackoff::default();
        let mut now = Instant::now();
        let mut waits = Vec::new();
        for _ in 0..9 {
            assert_eq!(backoff.begin("shop/api", now), Ok(()));
            let wait = backoff.begin("shop/api", now).unwrap_err();
            waits.push(wait.as_secs());
            now += wait;
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(backoff.begin("shop/other", now), Ok(()));

        now += QUIET;
        assert_eq!(backoff.begin("shop/api", now), Ok(()));
        assert_eq!(backoff.begin("shop/api", now), Err(FIRST_CORRECTION));
        backoff.forget("shop/api");
        assert_eq!(backoff.begin("shop/api", now), Ok(()));
    }
}
