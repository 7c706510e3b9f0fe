//! Environments: their sealing keys are made and renewed, and their public side is told.
//!
//! As with SealedSecrets, it is observe, plan and apply. Nobody but the leader does it.

use std::{
    collections::BTreeSet,
    convert::Infallible,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;
use kube::{
    Client, Resource as _, ResourceExt as _,
    runtime::{
        controller::Action,
        reflector::{ObjectRef, Store},
    },
};
use tokio::sync::watch;

use crate::{
    backoff::ErrorBackoff,
    backoff::Requeue,
    error::describe,
    store::{
        ClusterStore,
        objects::{ReceivedEnvironment, ReceivedSealedSecret},
        usage,
        watcher::Lists,
    },
    telemetry::{
        audit::{self, RevokedKey},
        events::{EventMessage, Events},
        metrics::{Metrics, Written},
    },
};

use super::{
    apply,
    error::MakeKeyError,
    plan::{self, NewKeySpec, Observed, Plan},
    revocation::Revocation,
};

/// What every reconcile of an Environment shares.
pub(crate) struct Context {
    pub(crate) client: Client,
    /// Where key Secrets are kept.
    pub(crate) own_namespace: String,
    pub(crate) store: watch::Receiver<ClusterStore>,
    pub(crate) sealed_secrets: Store<ReceivedSealedSecret>,
    pub(crate) sealed_secrets_listed: Lists,
    pub(crate) events: Events,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) retries: ErrorBackoff,
    /// The ids of lost keys that were told of.
    pub(crate) lost: Mutex<BTreeSet<String>>,
    /// The names of Environments and the ids of their revoked keys that were told of.
    pub(crate) revoked: Mutex<BTreeSet<(String, String)>>,
}

/// Timers do not run while a machine sleeps, and clocks are set: so no renewal relies on a timer of
/// weeks.
const LONGEST_WAIT: Duration = Duration::from_hours(1);

/// A key that was made is expected from the watch long before.
const LOOK_FOR_KEY_AFTER: Duration = Duration::from_secs(15);

/// Brings one Environment nearer to what it says.
pub(crate) async fn reconcile(
    environment: Arc<ReceivedEnvironment>,
    context: Arc<Context>,
) -> Result<Action, Infallible> {
    let name = environment.name_any();
    let next = context.keep(&environment).await;
    if next != Requeue::Backoff {
        context.retries.forget(&name);
    }
    Ok(match next {
        Requeue::After(wait) => Action::requeue(wait.min(LONGEST_WAIT)),
        Requeue::Backoff => Action::requeue(context.retries.wait(&name)),
        Requeue::OnChange => Action::await_change(),
    })
}

impl Context {
    async fn keep(&self, environment: &ReceivedEnvironment) -> Requeue {
        // Without all of them, what a key opens cannot be counted.
        self.sealed_secrets_listed.wait_for_first().await;
        let now = Timestamp::now();
        let plan = self.plan(environment, now);
        let made = match &plan.order {
            None => Ok(()),
            Some(order) => self.make_key(environment, order).await,
        };
        match made {
            // The watch brings the key in a moment, and with it the next reconcile.
            Ok(()) if plan.order.is_some() => Requeue::After(LOOK_FOR_KEY_AFTER),
            Err(MakeKeyError::Exists(_)) if !self.retries.is_failing(&environment.name_any()) => {
                Requeue::Backoff
            }
            made => self.report(environment, &plan, made.err(), now).await,
        }
    }

    fn plan(&self, environment: &ReceivedEnvironment, now: Timestamp) -> Plan {
        let store = self.store.borrow();
        plan::plan(
            &Observed {
                environment,
                store: &store,
                recipients: &usage::recipients_of(
                    &self.sealed_secrets.state(),
                    &environment.name_any(),
                    &store,
                ),
            },
            now,
        )
    }

    async fn make_key(
        &self,
        environment: &ReceivedEnvironment,
        order: &NewKeySpec,
    ) -> Result<(), MakeKeyError> {
        let id = apply::make_key(&self.client, &self.own_namespace, order).await?;
        self.metrics.count_write(Written::KeySecret);
        tracing::info!(environment = %order.environment, key = %id, secret = order.secret, "sealing key made");
        let event_message =
            EventMessage::normal("SealingKeyGenerated", format!("made sealing key {id}"));
        self.events
            .publish(&event_message, environment.object_ref(&()))
            .await;
        Ok(())
    }

    /// Tells what was found in the Environment's status, when that is news.
    async fn report(
        &self,
        environment: &ReceivedEnvironment,
        plan: &Plan,
        failure: Option<MakeKeyError>,
        now: Timestamp,
    ) -> Requeue {
        let marked = self.mark(plan).await;
        let next = match failure {
            None if marked => plan.next,
            _ => Requeue::Backoff,
        };
        let status = plan.status(environment, failure.as_ref(), now);
        if environment.status.as_ref() == Some(&status) {
            return next;
        }
        // ReportedPlaces before it is written: what the status says is no news after a crash.
        self.report_revoked(environment, plan).await;
        match apply::write_status(&self.client, environment, &status).await {
            Ok(()) => {
                self.metrics.count_write(Written::EnvironmentStatus);
                self.report_lost(environment, plan).await;
                next
            }
            Err(error) => {
                let (environment, error) = (environment.name_any(), describe(&error));
                tracing::warn!(environment, error, "status not written");
                Requeue::Backoff
            }
        }
    }

    /// Marks the key Secrets whose mark is wrong, and whether all went well.
    async fn mark(&self, plan: &Plan) -> bool {
        let mut all = true;
        for mark in &plan.marks {
            match apply::mark(&self.client, &self.own_namespace, mark).await {
                Ok(()) => self.metrics.count_write(Written::KeySecret),
                Err(error) => {
                    let error = describe(&error);
                    tracing::warn!(secret = mark.secret, error, "key Secret not marked");
                    all = false;
                }
            }
        }
        all
    }

    /// Tells of keys that were deleted although SealedSecrets need them: once for each, for as long as
    /// this replica leads, since the watch may still bring the status that names it.
    async fn report_lost(&self, environment: &ReceivedEnvironment, plan: &Plan) {
        for lost in plan.lost.iter().filter(|lost| self.is_news(&lost.key_id)) {
            let (name, id) = (environment.name_any(), lost.key_id.as_str());
            tracing::warn!(
                environment = name,
                key = id,
                "a sealing key in use was deleted"
            );
            self.metrics.count_lost_key();
            let count = lost.sealed_secrets;
            let note = format!(
                "sealing key {id} was deleted and {count} SealedSecrets need it: restore it from a backup"
            );
            let event_message = EventMessage::warning("SealingKeyLost", note);
            self.events
                .publish(&event_message, environment.object_ref(&()))
                .await;
        }
    }

    fn is_news(&self, lost: &str) -> bool {
        let mut told = self.lost.lock().expect("nothing panics while it is locked");
        told.insert(lost.to_owned())
    }
}

impl Context {
    /// Tells of keys that were revoked and what they open no more: once for each revocation, for as
    /// long as this replica leads, since the watch may still bring the status from before it.
    async fn report_revoked(&self, environment: &ReceivedEnvironment, plan: &Plan) {
        let name = environment.name_any();
        self.forget_taken_back(&name, plan);
        for revocation in &plan.revocations {
            if self.is_first_told(&name, revocation) {
                audit::record_revocation(&RevokedKey {
                    environment: &name,
                    key_id: &revocation.key_id,
                    closed: revocation.closed.len(),
                    first: &revocation.first_closed(),
                });
                self.events
                    .publish(&revocation.event_message(), environment.object_ref(&()))
                    .await;
            }
        }
    }

    /// A revocation that was taken back may be made again, and is told of again then.
    fn forget_taken_back(&self, environment: &str, plan: &Plan) {
        self.told_revoked()
            .retain(|(name, id)| name != environment || plan.holds_revoked(id));
    }

    fn is_first_told(&self, environment: &str, revocation: &Revocation) -> bool {
        let told = (environment.to_owned(), revocation.key_id.clone());
        self.told_revoked().insert(told)
    }

    fn told_revoked(&self) -> MutexGuard<'_, BTreeSet<(String, String)>> {
        let told = self.revoked.lock();
        told.expect("nothing panics while it is locked")
    }
}

/// Tells of Secrets that carry the label of a sealing key and hold none: once for each, for as long
/// as this replica leads.
pub(crate) async fn report_unusable_keys(context: Arc<Context>) -> Infallible {
    let mut store = context.store.clone();
    let mut told = BTreeSet::new();
    loop {
        let unusable: BTreeSet<(String, String)> = store
            .borrow_and_update()
            .unusable_keys()
            .map(|(name, why)| (name.to_owned(), why.to_string()))
            .collect();
        for (name, why) in unusable.difference(&told) {
            tracing::warn!(secret = name, why, "key Secret passed over");
            let secret = ObjectRef::<Secret>::new(name).within(&context.own_namespace);
            let event_message = EventMessage::warning("UnusableKey", why);
            context.events.publish(&event_message, secret.into()).await;
        }
        told = unusable;
        if store.changed().await.is_err() {
            std::future::pending::<Infallible>().await;
        }
    }
}
