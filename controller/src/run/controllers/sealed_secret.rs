//! The controller of SealedSecrets.

use std::{future::ready, sync::Arc};

use futures::{FutureExt as _, Stream, StreamExt as _, future::BoxFuture, stream};
use k8s_openapi::api::core::v1::Secret;
use kube::{
    Api, ResourceExt as _,
    core::PartialObjectMeta,
    runtime::{
        Controller, Predicate as _, PredicateConfig, WatchStreamExt as _, controller, predicates,
        reflector::{ObjectRef, Store, store::Writer},
        watcher,
    },
};
use tokio::sync::{Notify, Semaphore};

use crate::{
    backoff::{DriftBackoff, ErrorBackoff},
    fingerprint::reuse::Values,
    run::Replica,
    sealed_secret::{
        context::{CIPHERTEXT_BUDGET, Context},
        plan::{MANAGED_BY, MANAGED_BY_LABEL},
        recent_statuses::RecentStatuses,
        reconcile::reconcile,
    },
    store::{
        objects::ReceivedSealedSecret,
        watcher::{ListCounter, changes, watching},
    },
};

/// SealedSecrets that are reconciled at once. Most of the time, each waits for the API server.
const CONCURRENCY: u16 = 24;

/// Page size for SealedSecrets: each may have more than a megabyte.
const PAGE: u32 = 10;

/// Page size for the metadata of Secrets: each may have 256 KiB of annotations.
const SECRETS_PAGE: u32 = 50;

/// The watches of the SealedSecret controller, and the notifications of their changes.
pub(super) struct Watches {
    pub(super) sealed_secrets: Store<ReceivedSealedSecret>,
    pub(super) sealed_secrets_writer: Writer<ReceivedSealedSecret>,
    pub(super) sealed_secrets_counter: ListCounter,
    pub(super) secrets_writer: Writer<PartialObjectMeta<Secret>>,
    pub(super) secrets_counter: ListCounter,
    pub(super) changed: Arc<Notify>,
    pub(super) values_changed: Arc<Notify>,
}

pub(super) fn context(replica: &Replica, values: &Values) -> Context {
    Context {
        client: replica.client.clone(),
        store: replica.store.clone(),
        secrets: values.secrets.clone(),
        secrets_listed: values.secrets_listed.clone(),
        recent_statuses: RecentStatuses::default(),
        error_backoff: ErrorBackoff::default(),
        drift_backoff: DriftBackoff::default(),
        private_key_operations: Arc::clone(&replica.private_key_operations),
        ciphertext_budget: Semaphore::new(CIPHERTEXT_BUDGET as usize),
        events: replica.events.clone(),
        metrics: Arc::clone(&replica.metrics),
    }
}

/// `again` fires after each complete list. A list enters the store when it is complete, and does
/// not show objects that were deleted meanwhile. So all objects are reconciled again then.
pub(super) fn controller(
    replica: &Replica,
    watches: Watches,
    again: impl Stream<Item = ()> + Send + 'static,
    context: Arc<Context>,
) -> BoxFuture<'static, ()> {
    let everything = watcher::Config::default();
    let ours = everything
        .clone()
        .labels(&format!("{MANAGED_BY_LABEL}={MANAGED_BY}"))
        .page_size(SECRETS_PAGE);
    let in_small_pages = everything.page_size(PAGE);
    let values_changed = Arc::clone(&watches.values_changed);
    let sealed_secrets = watching(Api::all(replica.client.clone()), in_small_pages)
        .reflect(watches.sealed_secrets_writer)
        .inspect(move |event| watches.sealed_secrets_counter.inspect(event))
        .inspect(move |_| {
            watches.changed.notify_one();
            values_changed.notify_one();
        })
        .applied_objects()
        // Our own status writes are filtered out, but for the last one.
        .predicate_filter(
            predicates::generation
                .combine(predicates::annotations)
                .combine(|object: &_| Some(u64::from(has_current_status(object)))),
            PredicateConfig::default(),
        );
    let secrets = watching(Api::all(replica.client.clone()), ours)
        .reflect(watches.secrets_writer)
        .inspect(move |event| watches.secrets_counter.inspect(event))
        .inspect(move |_| watches.values_changed.notify_one())
        .touched_objects();
    let forgetful = Arc::clone(&context);
    Controller::for_stream(sealed_secrets, watches.sealed_secrets)
        .with_config(controller::Config::default().concurrency(CONCURRENCY))
        .watches_stream(secrets, |secret| sealed_secret_of(&secret))
        .reconcile_all_on(stream::select(changes(replica.store.clone()), again))
        .graceful_shutdown_on(replica.shutdown.clone())
        .run(reconcile, |_, never, _| match *never {}, context)
        .for_each(move |ended| {
            if let Err(controller::Error::ObjectNotFound(gone)) = ended {
                forgetful.forget(gone.namespace.as_deref().unwrap_or_default(), &gone.name);
            }
            ready(())
        })
        .boxed()
}

/// Whether the status describes the present generation. A replica that was paused continues its
/// reconciles before it notices that it lost the Lease. It may overwrite a status of the new
/// leader.
fn has_current_status(object: &ReceivedSealedSecret) -> bool {
    let status = object.status.as_ref();
    let observed = status.and_then(|status| status.observed_generation);
    observed == object.metadata.generation
}

/// The SealedSecret of a Secret has the same name. Owner references may have been removed.
fn sealed_secret_of(secret: &PartialObjectMeta<Secret>) -> Option<ObjectRef<ReceivedSealedSecret>> {
    let namespace = secret.namespace()?;
    Some(ObjectRef::new(&secret.name_any()).within(&namespace))
}
