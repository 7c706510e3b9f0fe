//! How often a Secret is healed that another writer keeps changing: each time costs private-key
//! operations, and a tenant decides how many times.
//!
//! Only heals wait: what is new is never held up.

use std::{
    collections::HashMap,
    sync::Mutex,
    time::{Duration, Instant},
};

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_mins(1);

/// When nothing was healed for as long, the next change counts as the first.
const QUIET: Duration = Duration::from_mins(5);

/// The last heal of each object.
#[derive(Debug, Default)]
pub(crate) struct Heals(Mutex<HashMap<String, Heal>>);

#[derive(Debug, Clone, Copy)]
struct Heal {
    at: Instant,
    /// Until the next one.
    wait: Duration,
}

impl Heals {
    /// Begins a heal: the first at once, the next ones 1 s, 2 s, 4 s … 1 min after the one before.
    ///
    /// # Errors
    /// How long there still is to wait.
    pub(crate) fn begin(&self, object: &str, now: Instant) -> Result<(), Duration> {
        let mut heals = self.heals();
        let wait = match heals.get(object) {
            Some(last) if now < last.at + last.wait => return Err(last.at + last.wait - now),
            Some(last) if now < last.at + QUIET => (last.wait * 2).min(LONGEST),
            _ => FIRST,
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
    fn the_first_heal_is_at_once_and_the_next_wait_longer_until_it_is_quiet() {
        let heals = Heals::default();
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
        assert_eq!(heals.begin("shop/api", now), Err(FIRST));
        heals.forget("shop/api");
        assert_eq!(heals.begin("shop/api", now), Ok(()));
    }
}
