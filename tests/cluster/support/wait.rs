//! Waiting for a condition until a deadline, and saying what was last seen.
//!
//! A probe answers `Ok` with what was waited for, or `Err` with a line about what it saw instead.

use std::future::Future;
use std::panic::Location;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

/// Long enough for anything that a healthy cluster does by itself.
pub const SOON: Duration = Duration::from_secs(30);

const INTERVAL: Duration = Duration::from_millis(50);

/// Probes until the answer is `Ok`. Panics at the deadline with what was waited for, from where,
/// and what was last seen.
#[track_caller]
pub fn until<T>(
    what: &str,
    deadline: Duration,
    probe: impl AsyncFnMut() -> Result<T, String>,
) -> impl Future<Output = T> {
    let caller = Location::caller();
    async move {
        poll(deadline, probe).await.unwrap_or_else(|seen| {
            panic!("{caller}: waited {deadline:?} until {what}; last seen: {seen}")
        })
    }
}

/// Probes until the answer is `Ok`, or the deadline, which a hanging probe does not outlive.
///
/// # Errors
/// What was last seen.
pub async fn poll<T>(
    deadline: Duration,
    mut probe: impl AsyncFnMut() -> Result<T, String>,
) -> Result<T, String> {
    let end = Instant::now() + deadline;
    let mut seen = "nothing".to_owned();
    loop {
        match timeout_at(end, probe()).await {
            Ok(Ok(found)) => return Ok(found),
            Ok(Err(now)) => seen = now,
            Err(_) => return Err(format!("{seen}, then no answer")),
        }
        if Instant::now() >= end {
            return Err(seen);
        }
        sleep(INTERVAL).await;
    }
}
