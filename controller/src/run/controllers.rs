//! The tasks of the leader.

use std::{convert::Infallible, future::pending, sync::Arc};

use futures::{FutureExt as _, future::BoxFuture, stream};
use kube::runtime::reflector;
use tokio::sync::watch;

use super::Replica;
use crate::{
    environment::reconcile::report_unusable_keys,
    fingerprint::{
        key::{KeyProvisioner, wait_for_key},
        reuse::{Values, report_reuse},
    },
    store::watcher::Lists,
    telemetry::probes::Phase,
};

mod environment;
mod request;
mod sealed_secret;

use sealed_secret::Watches;

/// The tasks of the leader by name. They end after a shutdown signal, when reconciles in progress
/// have ended.
pub(super) fn tasks(replica: &Replica) -> [(&'static str, BoxFuture<'static, ()>); 8] {
    let (watches, values) = watches(replica);
    let (environments_counter, environments_listed) = Lists::new();
    let (changed, values_changed) = (
        Arc::clone(&watches.changed),
        Arc::clone(&watches.values_changed),
    );
    replica
        .metrics
        .sealed_secrets
        .count_in(values.sealed_secrets.clone());
    let environments = Arc::new(environment::context(replica, &values));
    let sealed_secrets = Arc::new(sealed_secret::context(replica, &values));
    let readiness = report_leading(
        replica.phase.clone(),
        [
            values.sealed_secrets_listed.clone(),
            values.secrets_listed.clone(),
            environments_listed,
        ],
    );
    let unusable_keys = report_unusable_keys(Arc::clone(&environments));
    let again = stream::select(
        values.sealed_secrets_listed.stream(),
        values.secrets_listed.stream(),
    );
    let reuse = report_reuse(values.clone(), values_changed, Arc::clone(&replica.metrics));
    [
        (
            "SealedSecret controller",
            after_fingerprint_key(
                replica,
                sealed_secret::controller(replica, watches, again, sealed_secrets),
            ),
        ),
        (
            "Environment controller",
            environment::controller(replica, environments_counter, changed, environments),
        ),
        (
            "ResealRequest controller",
            request::reseal_controller(replica),
        ),
        (
            "ValueReview controller",
            request::value_review_controller(replica, values),
        ),
        ("fingerprint key", provision_fingerprint_key(replica)),
        ("report of reuse", until_shutdown(replica, reuse)),
        (
            "report of unusable keys",
            until_shutdown(replica, unusable_keys),
        ),
        ("readiness", until_shutdown(replica, readiness)),
    ]
}

/// The watches, and the stores that they fill.
fn watches(replica: &Replica) -> (Watches, Values) {
    let (sealed_secrets, sealed_secrets_writer) = reflector::store();
    let (secrets, secrets_writer) = reflector::store();
    let (sealed_secrets_counter, sealed_secrets_listed) = Lists::new();
    let (secrets_counter, secrets_listed) = Lists::new();
    let watches = Watches {
        sealed_secrets: sealed_secrets.clone(),
        sealed_secrets_writer,
        sealed_secrets_counter,
        secrets_writer,
        secrets_counter,
        changed: Arc::default(),
        values_changed: Arc::default(),
    };
    let values = Values {
        store: replica.store.clone(),
        sealed_secrets,
        sealed_secrets_listed,
        secrets,
        secrets_listed,
    };
    (watches, values)
}

/// Runs a task that never ends until shutdown.
fn until_shutdown(
    replica: &Replica,
    task: impl Future<Output = Infallible> + Send + 'static,
) -> BoxFuture<'static, ()> {
    let shutdown = replica.shutdown.clone();
    async move {
        tokio::select! {
            never = task => match never {},
            () = shutdown => {}
        }
    }
    .boxed()
}

fn provision_fingerprint_key(replica: &Replica) -> BoxFuture<'static, ()> {
    let provisioner = KeyProvisioner {
        client: replica.client.clone(),
        own_namespace: replica.settings.namespace.clone(),
        store: replica.store.clone(),
        metrics: Arc::clone(&replica.metrics),
    };
    until_shutdown(replica, provisioner.run())
}

fn after_fingerprint_key(
    replica: &Replica,
    task: BoxFuture<'static, ()>,
) -> BoxFuture<'static, ()> {
    wait_for_key(replica.store.clone()).then(|()| task).boxed()
}

/// Reports that this replica leads, once all lists are complete. A controller of kube-runtime that
/// is shut down before its first list waits for it forever.
async fn report_leading(phase: watch::Sender<Phase>, listed: [Lists; 3]) -> Infallible {
    for lists in listed {
        lists.wait_for_first().await;
    }
    phase.send_replace(Phase::Leading);
    pending().await
}
