//! The controllers of requests: one for ResealRequests, one for ValueReviews.

use std::{future::ready, sync::Arc, time::Instant};

use futures::{FutureExt as _, StreamExt as _, future::BoxFuture};
use kube::{
    Api,
    core::PartialObjectMeta,
    runtime::{
        Controller, PredicateConfig, WatchStreamExt as _, controller, predicates, reflector,
        watcher,
    },
};

use crate::{
    backoff::ErrorBackoff,
    fingerprint::reuse::Values,
    request::{
        Context, RequestHandler, reconcile,
        reseal::ResealHandler,
        value_review::{Traces, ValueReviewHandler},
    },
    run::Replica,
    store::watcher::watching,
    telemetry::metrics::WrittenResource,
};

/// Requests of one kind that are answered at once. One keeps all cores busy. With two, a small one
/// does not wait for a large one.
const REQUESTS_AT_ONCE: u16 = 2;

pub(super) fn reseal_controller(replica: &Replica) -> BoxFuture<'static, ()> {
    let handler = ResealHandler {
        context: context(replica, WrittenResource::ResealRequestStatus),
        store: replica.store.clone(),
        private_key_operations: Arc::clone(&replica.private_key_operations),
    };
    controller(replica, handler)
}

pub(super) fn value_review_controller(replica: &Replica, values: Values) -> BoxFuture<'static, ()> {
    let handler = ValueReviewHandler {
        context: context(replica, WrittenResource::ValueReviewStatus),
        store: replica.store.clone(),
        private_key_operations: Arc::clone(&replica.private_key_operations),
        values,
        traces: Traces::new(Instant::now()),
    };
    controller(replica, handler)
}

fn context(replica: &Replica, written: WrittenResource) -> Context {
    Context {
        client: replica.client.clone(),
        time_to_live: replica.settings.request_ttl,
        error_backoff: ErrorBackoff::default(),
        metrics: Arc::clone(&replica.metrics),
        written,
    }
}

/// Requests are large and short-lived. So they are watched as metadata, and read when they are
/// answered.
fn controller<A: RequestHandler>(replica: &Replica, handler: A) -> BoxFuture<'static, ()> {
    let handler = Arc::new(handler);
    let (requests, writer) = reflector::store();
    let api = Api::<PartialObjectMeta<A::Request>>::all(replica.client.clone());
    let watch = watching(api, watcher::Config::default())
        .reflect(writer)
        .applied_objects()
        // Our own answers are filtered out.
        .predicate_filter(predicates::generation, PredicateConfig::default());
    let forgetful = Arc::clone(&handler);
    Controller::for_stream(watch, requests)
        .with_config(controller::Config::default().concurrency(REQUESTS_AT_ONCE))
        .graceful_shutdown_on(replica.shutdown.clone())
        .run(reconcile, |_, never, _| match *never {}, handler)
        .for_each(move |ended| {
            if let Err(controller::Error::ObjectNotFound(gone)) = ended {
                forgetful.context().error_backoff.forget(&gone.name);
            }
            ready(())
        })
        .boxed()
}
