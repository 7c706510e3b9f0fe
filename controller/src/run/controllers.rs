//! The leader's tasks: one controller for SealedSecrets, one for Environments, one for
//! ResealRequests, and what goes with them.

use std::{
    convert::Infallible,
    future::{pending, ready},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use futures::{FutureExt as _, Stream, StreamExt as _, future::BoxFuture, stream};
use k8s_openapi::api::core::v1::Secret;
use kube::{
    Api, ResourceExt as _,
    core::PartialObjectMeta,
    runtime::{
        Controller, Predicate as _, PredicateConfig, WatchStreamExt as _, controller, predicates,
        reflector::{self, ObjectRef, Store, store::Writer},
        watcher,
    },
};
use tokio::{
    sync::{Notify, Semaphore, watch},
    time::sleep,
};

use super::Replica;
use crate::{
    backoff::{DriftBackoff, ErrorBackoff},
    environment::reconcile as environment,
    fingerprint::{
        keeper::{self, FingerprintKeeper},
        reuse::{self, Values},
    },
    request::{
        self, RequestHandler,
        reseal::ResealHandler,
        value_review::{Traces, ValueReviewHandler},
    },
    sealed_secret::{
        context::{CIPHERTEXT_BUDGET, Context as SealedSecretContext},
        plan::{MANAGED_BY, MANAGED_BY_LABEL},
        recent_statuses::RecentStatuses,
        reconcile as sealed_secret,
    },
    store::{
        objects::{ReceivedEnvironment, ReceivedSealedSecret},
        watcher::{ListCounter, Lists, changes, watching},
    },
    telemetry::{metrics::Written, probes::Phase},
};

/// SealedSecrets reconciled at once: most of the time, each waits for the API server.
const CONCURRENCY: u16 = 24;

/// Requests of one kind answered at once. One keeps all cores busy; with two, a small one need not wait for
/// a large one.
const REQUESTS_AT_ONCE: u16 = 2;

/// SealedSecrets that are listed at once: each may have more than a megabyte.
const PAGE: u32 = 10;

/// Secrets whose metadata is listed at once: each may have annotations of 256 KiB.
const SECRETS_PAGE: u32 = 50;

/// How long changes of SealedSecrets are gathered before the Environments count them.
const COUNT_AFTER: Duration = Duration::from_secs(2);

/// The leader's tasks by name. They end when the program is asked to end and work in flight is done.
pub(super) fn tasks(replica: &Replica) -> [(&'static str, BoxFuture<'static, ()>); 8] {
    let (watched, values) = watched(replica);
    let (environments_counter, environments_listed) = Lists::new();
    let (changed, values_changed) = (
        Arc::clone(&watched.changed),
        Arc::clone(&watched.values_changed),
    );
    replica
        .metrics
        .sealed_secrets
        .count_in(values.sealed_secrets.clone());
    let environments = Arc::new(environment_context(replica, &values));
    let sealed_secrets = Arc::new(sealed_secret_context(replica, &values));
    let readiness = tell_when_leading(
        replica.phase.clone(),
        [
            values.sealed_secrets_listed.clone(),
            values.secrets_listed.clone(),
            environments_listed,
        ],
    );
    let report = environment::report_unusable_keys(Arc::clone(&environments));
    let again = stream::select(
        values.sealed_secrets_listed.stream(),
        values.secrets_listed.stream(),
    );
    let reuse = reuse::report_reuse(values.clone(), values_changed, Arc::clone(&replica.metrics));
    [
        (
            "SealedSecret controller",
            after_fingerprint_key(replica, unseal(replica, watched, again, sealed_secrets)),
        ),
        (
            "Environment controller",
            keep_environments(replica, environments_counter, changed, environments),
        ),
        ("ResealRequest controller", answer_reseal_requests(replica)),
        (
            "ValueReview controller",
            answer_value_reviews(replica, values),
        ),
        ("fingerprint key", keep_fingerprint_key(replica)),
        ("report of reuse", until_shutdown(replica, reuse)),
        ("report of unusable keys", until_shutdown(replica, report)),
        ("readiness", until_shutdown(replica, readiness)),
    ]
}

/// What is about to be watched, and what will be seen of it.
fn watched(replica: &Replica) -> (Watched, Values) {
    let (sealed_secrets, sealed_secrets_writer) = reflector::store();
    let (secrets, secrets_writer) = reflector::store();
    let (sealed_secrets_counter, sealed_secrets_listed) = Lists::new();
    let (secrets_counter, secrets_listed) = Lists::new();
    let watched = Watched {
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
    (watched, values)
}

fn environment_context(replica: &Replica, values: &Values) -> environment::Context {
    environment::Context {
        client: replica.client.clone(),
        own_namespace: replica.settings.namespace.clone(),
        store: replica.store.clone(),
        sealed_secrets: values.sealed_secrets.clone(),
        sealed_secrets_listed: values.sealed_secrets_listed.clone(),
        events: replica.events.clone(),
        metrics: Arc::clone(&replica.metrics),
        retries: ErrorBackoff::default(),
        lost: Mutex::default(),
        revoked: Mutex::default(),
    }
}

fn sealed_secret_context(replica: &Replica, values: &Values) -> SealedSecretContext {
    SealedSecretContext {
        client: replica.client.clone(),
        store: replica.store.clone(),
        secrets: values.secrets.clone(),
        secrets_listed: values.secrets_listed.clone(),
        recent: RecentStatuses::default(),
        retries: ErrorBackoff::default(),
        heals: DriftBackoff::default(),
        private_key_operations: Arc::clone(&replica.private_key_operations),
        room: Semaphore::new(CIPHERTEXT_BUDGET as usize),
        events: replica.events.clone(),
        metrics: Arc::clone(&replica.metrics),
    }
}

/// Runs a task that would go on for ever until the program is asked to end.
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

fn keep_fingerprint_key(replica: &Replica) -> BoxFuture<'static, ()> {
    let keeper = FingerprintKeeper {
        client: replica.client.clone(),
        own_namespace: replica.settings.namespace.clone(),
        store: replica.store.clone(),
        metrics: Arc::clone(&replica.metrics),
    };
    until_shutdown(replica, keeper.keep())
}

fn after_fingerprint_key(
    replica: &Replica,
    task: BoxFuture<'static, ()>,
) -> BoxFuture<'static, ()> {
    keeper::until_made(replica.store.clone())
        .then(|()| task)
        .boxed()
}

/// A controller of kube-runtime that is asked to end before its first list waits for it for ever, so
/// every list has to be there before there is work that is waited for.
async fn tell_when_leading(phase: watch::Sender<Phase>, listed: [Lists; 3]) -> Infallible {
    for lists in listed {
        lists.wait_for_first().await;
    }
    phase.send_replace(Phase::Leading);
    pending().await
}

/// What the controller of SealedSecrets watches, and whom it tells of changes.
struct Watched {
    sealed_secrets: Store<ReceivedSealedSecret>,
    sealed_secrets_writer: Writer<ReceivedSealedSecret>,
    sealed_secrets_counter: ListCounter,
    secrets_writer: Writer<PartialObjectMeta<Secret>>,
    secrets_counter: ListCounter,
    changed: Arc<Notify>,
    values_changed: Arc<Notify>,
}

/// `again` tells when something was listed. What a list brings is in the store only when the list is
/// complete, and what has gone in the meantime is not in it: so everything is looked at again then.
fn unseal(
    replica: &Replica,
    watched: Watched,
    again: impl Stream<Item = ()> + Send + 'static,
    context: Arc<SealedSecretContext>,
) -> BoxFuture<'static, ()> {
    let everything = watcher::Config::default();
    let ours = everything
        .clone()
        .labels(&format!("{MANAGED_BY_LABEL}={MANAGED_BY}"))
        .page_size(SECRETS_PAGE);
    let in_small_pages = everything.page_size(PAGE);
    let values_changed = Arc::clone(&watched.values_changed);
    let sealed_secrets = watching(Api::all(replica.client.clone()), in_small_pages)
        .reflect(watched.sealed_secrets_writer)
        .inspect(move |event| watched.sealed_secrets_counter.inspect(event))
        .inspect(move |_| {
            watched.changed.notify_one();
            values_changed.notify_one();
        })
        .applied_objects()
        // Our own writes of the status are no news, but for the last one.
        .predicate_filter(
            predicates::generation
                .combine(predicates::annotations)
                .combine(|object: &_| Some(u64::from(has_current_status(object)))),
            PredicateConfig::default(),
        );
    let secrets = watching(Api::all(replica.client.clone()), ours)
        .reflect(watched.secrets_writer)
        .inspect(move |event| watched.secrets_counter.inspect(event))
        .inspect(move |_| watched.values_changed.notify_one())
        .touched_objects();
    let forgetful = Arc::clone(&context);
    Controller::for_stream(sealed_secrets, watched.sealed_secrets)
        .with_config(controller::Config::default().concurrency(CONCURRENCY))
        .watches_stream(secrets, |secret| sealed_secret_of(&secret))
        .reconcile_all_on(stream::select(changes(replica.store.clone()), again))
        .graceful_shutdown_on(replica.shutdown.clone())
        .run(
            sealed_secret::reconcile,
            |_, never, _| match *never {},
            context,
        )
        .for_each(move |ended| {
            if let Err(controller::Error::ObjectNotFound(gone)) = ended {
                forgetful.forget(gone.namespace.as_deref().unwrap_or_default(), &gone.name);
            }
            ready(())
        })
        .boxed()
}

/// Whether the status speaks of the object as it is. A replica that was paused wakes to work in
/// flight, and may write over what its successor has written before it finds out that it leads no
/// more.
fn has_current_status(object: &ReceivedSealedSecret) -> bool {
    let status = object.status.as_ref();
    let observed = status.and_then(|status| status.observed_generation);
    observed == object.metadata.generation
}

/// The SealedSecret of a Secret has its name. Owner references would say so too, unless somebody has
/// removed them.
fn sealed_secret_of(secret: &PartialObjectMeta<Secret>) -> Option<ObjectRef<ReceivedSealedSecret>> {
    let namespace = secret.namespace()?;
    Some(ObjectRef::new(&secret.name_any()).within(&namespace))
}

fn keep_environments(
    replica: &Replica,
    counter: ListCounter,
    sealed_secrets_changed: Arc<Notify>,
    context: Arc<environment::Context>,
) -> BoxFuture<'static, ()> {
    let (environments, writer) = reflector::store();
    let everything = watcher::Config::default();
    let environments_api = Api::<ReceivedEnvironment>::all(replica.client.clone());
    let watch = watching(environments_api, everything)
        .reflect(writer)
        .inspect(move |event| counter.inspect(event))
        // Of the status too, which another replica may have written that leads no more.
        .applied_objects();
    let counts = notifications(sealed_secrets_changed, COUNT_AFTER);
    let forgetful = Arc::clone(&context);
    Controller::for_stream(watch, environments)
        .reconcile_all_on(stream::select(changes(replica.store.clone()), counts))
        .graceful_shutdown_on(replica.shutdown.clone())
        .run(
            environment::reconcile,
            |_, never, _| match *never {},
            context,
        )
        .for_each(move |ended| {
            if let Err(controller::Error::ObjectNotFound(gone)) = ended {
                forgetful.retries.forget(&gone.name);
            }
            ready(())
        })
        .boxed()
}

fn answer_reseal_requests(replica: &Replica) -> BoxFuture<'static, ()> {
    let handler = ResealHandler {
        context: request_context(replica, Written::ResealRequestStatus),
        store: replica.store.clone(),
        private_key_operations: Arc::clone(&replica.private_key_operations),
    };
    answer_requests(replica, handler)
}

fn answer_value_reviews(replica: &Replica, values: Values) -> BoxFuture<'static, ()> {
    let handler = ValueReviewHandler {
        context: request_context(replica, Written::ValueReviewStatus),
        store: replica.store.clone(),
        private_key_operations: Arc::clone(&replica.private_key_operations),
        values,
        traces: Traces::new(Instant::now()),
    };
    answer_requests(replica, handler)
}

fn request_context(replica: &Replica, written: Written) -> request::Context {
    request::Context {
        client: replica.client.clone(),
        time_to_live: replica.settings.request_ttl,
        retries: ErrorBackoff::default(),
        metrics: Arc::clone(&replica.metrics),
        written,
    }
}

/// Requests are watched as metadata and read when it is their turn: they are large and short-lived.
fn answer_requests<A: RequestHandler>(replica: &Replica, handler: A) -> BoxFuture<'static, ()> {
    let handler = Arc::new(handler);
    let (requests, writer) = reflector::store();
    let api = Api::<PartialObjectMeta<A::Request>>::all(replica.client.clone());
    let watch = watching(api, watcher::Config::default())
        .reflect(writer)
        .applied_objects()
        // Our own answers are no news.
        .predicate_filter(predicates::generation, PredicateConfig::default());
    let forgetful = Arc::clone(&handler);
    Controller::for_stream(watch, requests)
        .with_config(controller::Config::default().concurrency(REQUESTS_AT_ONCE))
        .graceful_shutdown_on(replica.shutdown.clone())
        .run(request::reconcile, |_, never, _| match *never {}, handler)
        .for_each(move |ended| {
            if let Err(controller::Error::ObjectNotFound(gone)) = ended {
                forgetful.context().retries.forget(&gone.name);
            }
            ready(())
        })
        .boxed()
}

/// Each notification, after a pause that gathers those which follow.
fn notifications(notify: Arc<Notify>, pause: Duration) -> impl Stream<Item = ()> {
    stream::unfold(notify, move |notify| async move {
        notify.notified().await;
        sleep(pause).await;
        Some(((), notify))
    })
}
