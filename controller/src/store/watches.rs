//! The four watches that fill the store.

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

use super::ClusterStore;
use crate::{
    keys::fingerprint_secret::{self, FingerprintSecret},
    keys::key_secret::KeySecret,
    store::{objects::ReceivedEnvironment, watcher::watching},
};

/// Futures that fill `store` from the API server. They never end.
pub(crate) fn watches(
    client: &Client,
    own_namespace: &str,
    store: &watch::Sender<ClusterStore>,
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
        Box::pin(follow(environments, store.clone(), |store, event| {
            store.handle_environment(parts_of(event, |environment| environment.spec))
        })),
        Box::pin(follow(namespaces, store.clone(), |store, event| {
            store.handle_namespace(parts_of(event, |namespace| {
                namespace.metadata.labels.unwrap_or_default()
            }))
        })),
        Box::pin(follow(key_secrets, store.clone(), |store, event| {
            store.handle_key_secret(parts_of(event, KeySecret::read))
        })),
        Box::pin(follow(fingerprint_secret, store.clone(), |store, event| {
            store.handle_fingerprint_secret(parts_of(event, FingerprintSecret::read))
        })),
    ]
}

/// Stores each event. Receivers of the store are notified only if anything changed.
async fn follow<K>(
    events: impl Stream<Item = watcher::Result<Event<K>>>,
    store: watch::Sender<ClusterStore>,
    handle: fn(&mut ClusterStore, Event<K>) -> bool,
) {
    events
        .filter_map(|event| ready(event.ok()))
        .for_each(|event| {
            store.send_if_modified(|store| handle(store, event));
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
