//! The controller of Environments.

use std::{
    future::ready,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures::{FutureExt as _, Stream, StreamExt as _, future::BoxFuture, stream};
use kube::{
    Api,
    runtime::{Controller, WatchStreamExt as _, controller, reflector, watcher},
};
use tokio::{sync::Notify, time::sleep};

use crate::{
    backoff::ErrorBackoff,
    environment::reconcile::{Context, reconcile},
    fingerprint::reuse::Values,
    run::Replica,
    store::{
        objects::ReceivedEnvironment,
        watcher::{ListCounter, changes, watching},
    },
};

/// How long changes of SealedSecrets are gathered before Environments count them.
const COUNT_AFTER: Duration = Duration::from_secs(2);

pub(super) fn context(replica: &Replica, values: &Values) -> Context {
    Context {
        client: replica.client.clone(),
        own_namespace: replica.settings.namespace.clone(),
        store: replica.store.clone(),
        sealed_secrets: values.sealed_secrets.clone(),
        sealed_secrets_listed: values.sealed_secrets_listed.clone(),
        events: replica.events.clone(),
        metrics: Arc::clone(&replica.metrics),
        error_backoff: ErrorBackoff::default(),
        reported_lost: Mutex::default(),
        reported_revocations: Mutex::default(),
    }
}

pub(super) fn controller(
    replica: &Replica,
    counter: ListCounter,
    sealed_secrets_changed: Arc<Notify>,
    context: Arc<Context>,
) -> BoxFuture<'static, ()> {
    let (environments, writer) = reflector::store();
    let everything = watcher::Config::default();
    let environments_api = Api::<ReceivedEnvironment>::all(replica.client.clone());
    let watch = watching(environments_api, everything)
        .reflect(writer)
        .inspect(move |event| counter.inspect(event))
        // Status changes included: a former leader may have overwritten the status.
        .applied_objects();
    let counts = notifications(sealed_secrets_changed, COUNT_AFTER);
    let forgetful = Arc::clone(&context);
    Controller::for_stream(watch, environments)
        .reconcile_all_on(stream::select(changes(replica.store.clone()), counts))
        .graceful_shutdown_on(replica.shutdown.clone())
        .run(reconcile, |_, never, _| match *never {}, context)
        .for_each(move |ended| {
            if let Err(controller::Error::ObjectNotFound(gone)) = ended {
                forgetful.error_backoff.forget(&gone.name);
            }
            ready(())
        })
        .boxed()
}

/// Each notification, after a pause that gathers later ones.
fn notifications(notify: Arc<Notify>, pause: Duration) -> impl Stream<Item = ()> {
    stream::unfold(notify, move |notify| async move {
        notify.notified().await;
        sleep(pause).await;
        Some(((), notify))
    })
}
