//! How long to wait after a transient error: longer with each one in a row, for each object by
//! itself.

use std::{collections::HashMap, sync::Mutex, time::Duration};

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_mins(5);

/// Errors in a row, by object.
#[derive(Debug, Default)]
pub(crate) struct Retries(Mutex<HashMap<String, u32>>);

impl Retries {
    /// Counts an error and says how long to wait: 1 s, 2 s, 4 s … 5 min.
    pub(crate) fn wait(&self, object: &str) -> Duration {
        let mut counts = self.counts();
        let errors = counts.entry(object.to_owned()).or_default();
        let wait = FIRST.saturating_mul(2_u32.saturating_pow(*errors));
        *errors += 1;
        wait.min(LONGEST)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_five_minutes_and_start_over() {
        let retries = Retries::default();
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
}
