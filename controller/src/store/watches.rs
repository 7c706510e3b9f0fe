//! The four watches that keep the surroundings.

use std::future::ready;

use futures::{Stream, StreamExt as _, future::BoxFuture};
use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::{
    Api, Client, ResourceExt,
    core::PartialObjectMeta,
    runtime::watcher::{self, Event},
};
use sealing::resource::key_secret::SEALING_KEY_LABEL;
use tokio::sync::watch;

use super::Surroundings;
use crate::{
    keys::fingerprint_secret::{self, FingerprintSecret},
    keys::key_secret::KeySecret,
    store::{objects::ReceivedEnvironment, watcher::watching},
};

/// Futures that keep `surroundings` as the API server says. They never end.
pub(crate) fn watches(
    client: &Client,
    own_namespace: &str,
    surroundings: &watch::Sender<Surroundings>,
) -> [BoxFuture<'static, ()>; 4] {
    let everything = watcher::Config::default();
    let environments = watching(
        Api::<ReceivedEnvironment>::all(client.clone()),
        everything.clone(),
    );
    let namespaces = watching(
        Api::<PartialObjectMeta<Namespace>>::all(client.clone()),
        everything.clone(),
    );
    let key_secrets = watching(
        Api::<Secret>::namespaced(client.clone(), own_namespace),
        everything.clone().labels(SEALING_KEY_LABEL),
    );
    let fingerprint_secret = watching(
        Api::<Secret>::namespaced(client.clone(), own_namespace),
        everything.fields(&format!("metadata.name={}", fingerprint_secret::SECRET)),
    );
    [
        Box::pin(follow(
            environments,
            surroundings.clone(),
            |surroundings, event| {
                surroundings.take_environment(parts_of(event, |environment| environment.spec))
            },
        )),
        Box::pin(follow(
            namespaces,
            surroundings.clone(),
            |surroundings, event| {
                surroundings.take_namespace(parts_of(event, |namespace| {
                    namespace.metadata.labels.unwrap_or_default()
                }))
            },
        )),
        Box::pin(follow(
            key_secrets,
            surroundings.clone(),
            |surroundings, event| surroundings.take_key_secret(parts_of(event, KeySecret::read)),
        )),
        Box::pin(follow(
            fingerprint_secret,
            surroundings.clone(),
            |surroundings, event| {
                surroundings.take_fingerprint_secret(parts_of(event, FingerprintSecret::read))
            },
        )),
    ]
}

/// Tells the surroundings each event. Whoever waits for changes is woken when there is one.
async fn follow<K>(
    events: impl Stream<Item = watcher::Result<Event<K>>>,
    surroundings: watch::Sender<Surroundings>,
    take_in: fn(&mut Surroundings, Event<K>) -> bool,
) {
    events
        .filter_map(|event| ready(event.ok()))
        .for_each(|event| {
            surroundings.send_if_modified(|surroundings| take_in(surroundings, event));
            ready(())
        })
        .await;
}

/// Names and parts of the objects of an event.
fn parts_of<K: ResourceExt, T>(event: Event<K>, part: fn(K) -> T) -> Event<(String, T)> {
    let named = |object: K| (object.name_any(), part(object));
    match event {
        Event::Apply(object) => Event::Apply(named(object)),
        Event::Delete(object) => Event::Delete(named(object)),
        Event::Init => Event::Init,
        Event::InitApply(object) => Event::InitApply(named(object)),
        Event::InitDone => Event::InitDone,
    }
}
