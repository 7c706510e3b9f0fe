//! The three watches that keep the surroundings.

use std::future::ready;

use futures::{Stream, StreamExt as _, future::BoxFuture};
use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::{
    Api, Client, ResourceExt,
    core::PartialObjectMeta,
    runtime::watcher::{self, Event},
};
use sealing::resource::{Environment, SEALING_KEY_LABEL};
use tokio::sync::watch;

use super::{Mirror, Surroundings};
use crate::{key_ring::KeySecret, watching::watching};

/// Futures that keep `surroundings` as the API server says. They never end.
pub(crate) fn watches(
    client: &Client,
    own_namespace: &str,
    surroundings: &watch::Sender<Surroundings>,
) -> [BoxFuture<'static, ()>; 3] {
    let everything = watcher::Config::default();
    let environments = watching(Api::<Environment>::all(client.clone()), everything.clone());
    let namespaces = watching(
        Api::<PartialObjectMeta<Namespace>>::all(client.clone()),
        everything.clone(),
    );
    let key_secrets = watching(
        Api::<Secret>::namespaced(client.clone(), own_namespace),
        everything.labels(SEALING_KEY_LABEL),
    );
    [
        Box::pin(follow(
            environments,
            surroundings.clone(),
            Part {
                of: |environment| environment.spec,
                kept_in: |surroundings| &mut surroundings.specs,
            },
        )),
        Box::pin(follow(
            namespaces,
            surroundings.clone(),
            Part {
                of: |namespace| namespace.metadata.labels.unwrap_or_default(),
                kept_in: |surroundings| &mut surroundings.namespaces,
            },
        )),
        Box::pin(follow(
            key_secrets,
            surroundings.clone(),
            Part {
                of: KeySecret::read,
                kept_in: |surroundings| &mut surroundings.key_secrets,
            },
        )),
    ]
}

/// What is needed of an object, and where it is kept.
struct Part<K, T> {
    of: fn(K) -> T,
    kept_in: fn(&mut Surroundings) -> &mut Mirror<T>,
}

/// Keeps one mirror; whoever waits for changes is woken when there is one.
async fn follow<K: ResourceExt, T: PartialEq>(
    events: impl Stream<Item = watcher::Result<Event<K>>>,
    surroundings: watch::Sender<Surroundings>,
    part: Part<K, T>,
) {
    let named = |object: K| (object.name_any(), (part.of)(object));
    let update = |event: Event<(String, T)>| {
        surroundings.send_if_modified(|surroundings| {
            let changed = (part.kept_in)(surroundings).take_in(event);
            if changed {
                surroundings.assemble();
            }
            changed
        })
    };
    events
        .filter_map(|event| ready(event.ok()))
        .map(|event| map_event(event, named))
        .for_each(|event| {
            update(event);
            ready(())
        })
        .await;
}

fn map_event<K, T>(event: Event<K>, map: impl Fn(K) -> T) -> Event<T> {
    match event {
        Event::Apply(object) => Event::Apply(map(object)),
        Event::Delete(object) => Event::Delete(map(object)),
        Event::Init => Event::Init,
        Event::InitApply(object) => Event::InitApply(map(object)),
        Event::InitDone => Event::InitDone,
    }
}
