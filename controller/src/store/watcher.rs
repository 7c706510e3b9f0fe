//! Watches as this program has them: stripped of what it never reads, retried soon, logged once.
//!
//! Errors end here: whoever follows a watch only sees what the API server says.

use std::{fmt::Debug, future::ready, time::Duration};

use futures::{Stream, StreamExt as _, stream};
use kube::{
    Api, Resource, ResourceExt as _,
    runtime::{WatchStreamExt as _, utils::Backoff, watcher, watcher::Event},
};
use serde::de::DeserializeOwned;
use tokio::sync::watch;

use crate::error::describe_watch;

/// Holds a whole object once more.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Follows all objects of `api` that `selection` selects. The stream never ends and never fails.
pub(crate) fn watching<K>(
    api: Api<K>,
    selection: watcher::Config,
) -> impl Stream<Item = watcher::Result<Event<K>>> + Send
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug + Send + 'static,
{
    init_when_listed(watcher(api, selection))
        .backoff(RetrySoon::default())
        .modify(strip)
        .filter_map(|event| ready(log_failure(event).map(Ok)))
}

/// Tells that a list begins only when some of it has come: each attempt at one begins, and would be
/// taken for a success that ends the growth of the waits between them.
fn init_when_listed<K>(
    events: impl Stream<Item = watcher::Result<Event<K>>>,
) -> impl Stream<Item = watcher::Result<Event<K>>> {
    let mut begun = false;
    events.flat_map(move |event| {
        let was_begun = std::mem::replace(&mut begun, matches!(event, Ok(Event::Init)));
        let init = (was_begun && event.is_ok()).then_some(Ok(Event::Init));
        let event = Some(event).filter(|event| !matches!(event, Ok(Event::Init)));
        stream::iter(init.into_iter().chain(event))
    })
}

fn strip<K: Resource>(object: &mut K) {
    object.managed_fields_mut().clear();
    object.annotations_mut().remove(LAST_APPLIED);
}

fn log_failure<K: Resource<DynamicType = ()>>(
    event: watcher::Result<Event<K>>,
) -> Option<Event<K>> {
    event
        .inspect_err(|error| {
            let kind = K::kind(&());
            tracing::warn!(%kind, error = describe_watch(error), "a watch failed and is retried");
        })
        .ok()
}

/// How often a watch has listed everything: once at first, and again whenever it had to begin anew.
///
/// A store of kube-runtime can be asked whether it is ready too, but of several tasks that wait for
/// it only the last one is woken.
#[derive(Debug, Clone)]
pub(crate) struct Lists(watch::Receiver<u64>);

/// The side of [`Lists`] that counts.
#[derive(Debug)]
pub(crate) struct ListCounter(watch::Sender<u64>);

impl Lists {
    pub(crate) fn new() -> (ListCounter, Self) {
        let (counter, lists) = watch::channel(0);
        (ListCounter(counter), Self(lists))
    }

    /// Waits for the first list.
    pub(crate) async fn wait_for_first(&self) {
        // The counter goes only when the program ends.
        let _ = self.0.clone().wait_for(|count| *count > 0).await;
    }

    /// Each list from now on; several may come as one.
    pub(crate) fn stream(&self) -> impl Stream<Item = ()> + use<> {
        changes(self.0.clone())
    }
}

impl ListCounter {
    /// To be called with every event, after the store has taken it in.
    pub(crate) fn inspect<K>(&self, event: &watcher::Result<Event<K>>) {
        if matches!(event, Ok(Event::InitDone)) {
            self.0.send_modify(|count| *count += 1);
        }
    }
}

/// Each change of a watched value from now on; several may come as one.
pub(crate) fn changes<T>(watched: watch::Receiver<T>) -> impl Stream<Item = ()> {
    stream::unfold(watched, async |mut watched| {
        watched.changed().await.ok()?;
        Some(((), watched))
    })
}

/// Waits between retries, doubled from half a second to five: there are few watches, and a key or a
/// revocation should not wait half a minute after the API server is back.
struct RetrySoon(Duration);

const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(5);

impl Default for RetrySoon {
    fn default() -> Self {
        Self(FIRST)
    }
}

impl Iterator for RetrySoon {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let wait = self.0;
        self.0 = (wait * 2).min(LONGEST);
        Some(wait)
    }
}

impl Backoff for RetrySoon {
    fn reset(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_list_that_fails_has_not_begun() {
        let failure = || Err(watcher::Error::NoResourceVersion);
        let events = [
            Ok(Event::Init),
            failure(),
            Ok(Event::Init),
            failure(),
            Ok(Event::Init),
            Ok(Event::InitApply(1)),
            failure(),
            Ok(Event::Init),
            Ok(Event::InitDone),
            Ok(Event::Apply(2)),
        ];
        let told: Vec<String> = init_when_listed(stream::iter(events))
            .map(|event| event.map_or_else(|_| "failure".to_owned(), |event| format!("{event:?}")))
            .collect()
            .await;
        assert_eq!(
            told.join(" "),
            "failure failure Init InitApply(1) failure Init InitDone Apply(2)"
        );
    }
}
