//! Watches without the fields that this program never reads. Errors are logged here and retried
//! soon.
//!
//! A stream of a watch has only the events of the API server.

use std::{fmt::Debug, future::ready, time::Duration};

use futures::{Stream, StreamExt as _, stream};
use kube::{
    Api, Resource, ResourceExt as _,
    runtime::{WatchStreamExt as _, utils::Backoff, watcher, watcher::Event},
};
use serde::de::DeserializeOwned;
use tokio::sync::watch;

use crate::error::describe_watch;

/// This annotation of kubectl contains the whole object once more.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Watches all objects of `api` that `selection` selects. The stream never ends and has no errors.
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

/// Delays `Init` until the list has begun to arrive. Each failed attempt at a list emits `Init`
/// too, and the backoff would take that for a success.
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

/// The number of complete lists of a watch: one at first, and one after each restart of the watch.
///
/// Of several tasks that wait until a store of kube-runtime is ready, only the last one is woken.
#[derive(Debug, Clone)]
pub(crate) struct Lists(watch::Receiver<u64>);

/// The counter of [`Lists`].
#[derive(Debug)]
pub(crate) struct ListCounter(watch::Sender<u64>);

impl Lists {
    pub(crate) fn new() -> (ListCounter, Self) {
        let (counter, lists) = watch::channel(0);
        (ListCounter(counter), Self(lists))
    }

    /// Waits for the first list.
    pub(crate) async fn wait_for_first(&self) {
        // The counter lives as long as the program.
        let _ = self.0.clone().wait_for(|count| *count > 0).await;
    }

    /// Each complete list from now on. Several may be merged.
    pub(crate) fn stream(&self) -> impl Stream<Item = ()> + use<> {
        changes(self.0.clone())
    }
}

impl ListCounter {
    /// Must see each event, after the store has stored it.
    pub(crate) fn inspect<K>(&self, event: &watcher::Result<Event<K>>) {
        if matches!(event, Ok(Event::InitDone)) {
            self.0.send_modify(|count| *count += 1);
        }
    }
}

/// Each change of a watched value from now on. Several may be merged.
pub(crate) fn changes<T>(watched: watch::Receiver<T>) -> impl Stream<Item = ()> {
    stream::unfold(watched, async |mut watched| {
        watched.changed().await.ok()?;
        Some(((), watched))
    })
}

/// Waits between retries, doubled from half a second to five seconds. There are few watches. After
/// an outage, a key or a revocation should not wait for half a minute.
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
        let shown: Vec<String> = init_when_listed(stream::iter(events))
            .map(|event| event.map_or_else(|_| "failure".to_owned(), |event| format!("{event:?}")))
            .collect()
            .await;
        assert_eq!(
            shown.join(" "),
            "failure failure Init InitApply(1) failure Init InitDone Apply(2)"
        );
    }
}
