//! A token bucket: ten requests at once, then one a minute. Pure; the time is an argument.
//!
//! It is kept in memory, so another leader begins with a full bucket.

use std::time::{Duration, Instant};

/// Tokens of a full bucket.
const AT_ONCE: u32 = 10;
/// The time in which one token is added.
const INTERVAL: Duration = Duration::from_mins(1);

/// A bucket, described by the instant when it is full again.
#[derive(Debug)]
pub(super) struct RateLimit {
    full_at: Instant,
}

impl RateLimit {
    /// A full bucket.
    pub(super) fn new(now: Instant) -> Self {
        Self { full_at: now }
    }

    /// Takes a token.
    ///
    /// # Errors
    /// How long to wait for one.
    pub(super) fn take(&mut self, now: Instant) -> Result<(), Duration> {
        let full_at = self.full_at.max(now) + INTERVAL;
        let wait = full_at.saturating_duration_since(now + INTERVAL * AT_ONCE);
        if wait.is_zero() {
            self.full_at = full_at;
            Ok(())
        } else {
            Err(wait)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_at_once_and_then_one_a_minute() {
        let start = Instant::now();
        let mut limit = RateLimit::new(start);
        let mut take = |seconds| limit.take(start + Duration::from_secs(seconds));
        for _ in 0..10 {
            assert_eq!(take(0), Ok(()));
        }
        for (seconds, expected) in [
            (0, Err(60)),
            (45, Err(15)),
            (60, Ok(())),
            (60, Err(60)),
            (185, Ok(())),
            (185, Ok(())),
            (185, Err(55)),
        ] {
            let expected = expected.map_err(Duration::from_secs);
            assert_eq!(take(seconds), expected, "{seconds}");
        }
        for _ in 0..10 {
            assert_eq!(take(10_000), Ok(()));
        }
        assert_eq!(take(10_000), Err(INTERVAL));
    }
}
