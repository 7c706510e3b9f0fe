//! Reconciles Environments: generates and renews their sealing keys, and writes their status.
//!
//! The steps are those of SealedSecrets: observe, plan, apply. Only the leader runs them.

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
        metrics::{Metrics, WrittenResource},
    },
};

use super::{
    apply,
    error::GenerateKeyError,
    plan::{self, NewKeySpec, Observed, Plan},
    revocation::Revocation,
};

/// What all reconciles of Environments share.
pub(crate) struct Context {
    pub(crate) client: Client,
    /// The namespace of key Secrets.
    pub(crate) own_namespace: String,
    pub(crate) store: watch::Receiver<ClusterStore>,
    pub(crate) sealed_secrets: Store<ReceivedSealedSecret>,
    pub(crate) sealed_secrets_listed: Lists,
    pub(crate) events: Events,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) error_backoff: ErrorBackoff,
    /// The ids of lost keys that were reported.
    pub(crate) reported_lost: Mutex<BTreeSet<String>>,
    /// The revoked keys that were reported, as name of the Environment and id of the key.
    pub(crate) reported_revocations: Mutex<BTreeSet<(String, String)>>,
}

/// Timers stop while a machine sleeps, and clocks are set. So no renewal depends on a timer of
/// weeks.
const LONGEST_WAIT: Duration = Duration::from_hours(1);

/// The watch shows a new key long before.
const LOOK_FOR_KEY_AFTER: Duration = Duration::from_secs(15);

/// Reconciles one Environment.
pub(crate) async fn reconcile(
    environment: Arc<ReceivedEnvironment>,
    context: Arc<Context>,
) -> Result<Action, Infallible> {
    let name = environment.name_any();
    let next = context.reconcile(&environment).await;
    if next != Requeue::Backoff {
        context.error_backoff.forget(&name);
    }
    Ok(match next {
        Requeue::After(wait) => Action::requeue(wait.min(LONGEST_WAIT)),
        Requeue::Backoff => Action::requeue(context.error_backoff.wait(&name)),
        Requeue::OnChange => Action::await_change(),
    })
}

impl Context {
    async fn reconcile(&self, environment: &ReceivedEnvironment) -> Requeue {
        // Before all SealedSecrets are listed, their number is too small.
        self.sealed_secrets_listed.wait_for_first().await;
        let now = Timestamp::now();
        let plan = self.plan(environment, now);
        let generated = match &plan.new_key {
            None => Ok(()),
            Some(new_key) => self.generate_key(environment, new_key).await,
        };
        match generated {
            // The watch shows the new key in a moment, and that reconciles again.
            Ok(()) if plan.new_key.is_some() => Requeue::After(LOOK_FOR_KEY_AFTER),
            Err(GenerateKeyError::Exists(_))
                if !self.error_backoff.is_failing(&environment.name_any()) =>
            {
                Requeue::Backoff
            }
            generated => self.report(environment, &plan, generated.err(), now).await,
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

    async fn generate_key(
        &self,
        environment: &ReceivedEnvironment,
        new_key: &NewKeySpec,
    ) -> Result<(), GenerateKeyError> {
        let id = apply::generate_key(&self.client, &self.own_namespace, new_key).await?;
        self.metrics.count_write(WrittenResource::KeySecret);
        tracing::info!(environment = %new_key.environment, key_id = %id, secret = new_key.secret, "sealing key generated");
        let event_message =
            EventMessage::normal("SealingKeyGenerated", format!("generated sealing key {id}"));
        self.events
            .publish(&event_message, environment.object_ref(&()))
            .await;
        Ok(())
    }

    /// Writes the status and reports changes, if the status differs.
    async fn report(
        &self,
        environment: &ReceivedEnvironment,
        plan: &Plan,
        failure: Option<GenerateKeyError>,
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
        // Reported before the status is written: after a crash in between, the status would hide
        // the revocation.
        self.report_revoked(environment, plan).await;
        match apply::write_status(&self.client, environment, &status).await {
            Ok(()) => {
                self.metrics.count_write(WrittenResource::EnvironmentStatus);
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

    /// Corrects the labels of key Secrets. Returns whether all writes succeeded.
    async fn mark(&self, plan: &Plan) -> bool {
        let mut all_written = true;
        for mark in &plan.marks {
            match apply::mark(&self.client, &self.own_namespace, mark).await {
                Ok(()) => self.metrics.count_write(WrittenResource::KeySecret),
                Err(error) => {
                    let error = describe(&error);
                    tracing::warn!(
                        secret = mark.secret,
                        error,
                        "label of key Secret not written"
                    );
                    all_written = false;
                }
            }
        }
        all_written
    }

    /// Reports keys that were deleted while SealedSecrets need them. Each is reported once while
    /// this replica leads: the watch may still show the status that names it.
    async fn report_lost(&self, environment: &ReceivedEnvironment, plan: &Plan) {
        for lost in plan
            .lost_keys
            .iter()
            .filter(|lost| self.is_new_loss(&lost.key_id))
        {
            let (name, id) = (environment.name_any(), lost.key_id.as_str());
            tracing::warn!(
                environment = name,
                key_id = id,
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

    fn is_new_loss(&self, lost: &str) -> bool {
        let mut reported = self
            .reported_lost
            .lock()
            .expect("nothing panics while it is locked");
        reported.insert(lost.to_owned())
    }
}

impl Context {
    /// Reports revoked keys and the SealedSecrets that need them. Each revocation is reported once
    /// while this replica leads: the watch may still show the status before it.
    async fn report_revoked(&self, environment: &ReceivedEnvironment, plan: &Plan) {
        let name = environment.name_any();
        self.forget_reverted(&name, plan);
        for revocation in &plan.revocations {
            if self.is_new_revocation(&name, revocation) {
                audit::record_revocation(&RevokedKey {
                    environment: &name,
                    key_id: &revocation.key_id,
                    affected: revocation.affected.len(),
                    examples: &revocation.first_affected(),
                });
                self.events
                    .publish(&revocation.event_message(), environment.object_ref(&()))
                    .await;
            }
        }
    }

    /// A revocation that was reverted may be repeated, and is reported again then.
    fn forget_reverted(&self, environment: &str, plan: &Plan) {
        self.reported_revocations()
            .retain(|(name, id)| name != environment || plan.holds_revoked(id));
    }

    fn is_new_revocation(&self, environment: &str, revocation: &Revocation) -> bool {
        let key = (environment.to_owned(), revocation.key_id.clone());
        self.reported_revocations().insert(key)
    }

    fn reported_revocations(&self) -> MutexGuard<'_, BTreeSet<(String, String)>> {
        let reported = self.reported_revocations.lock();
        reported.expect("nothing panics while it is locked")
    }
}

/// Reports Secrets that have the label of a sealing key and hold none. Each is reported once while
/// this replica leads.
pub(crate) async fn report_unusable_keys(context: Arc<Context>) -> Infallible {
    let mut store = context.store.clone();
    let mut reported = BTreeSet::new();
    loop {
        let unusable: BTreeSet<(String, String)> = store
            .borrow_and_update()
            .unusable_keys()
            .map(|(name, why)| (name.to_owned(), why.to_string()))
            .collect();
        for (name, why) in unusable.difference(&reported) {
            tracing::warn!(secret = name, why, "key Secret ignored");
            let secret = ObjectRef::<Secret>::new(name).within(&context.own_namespace);
            let event_message = EventMessage::warning("UnusableKey", why);
            context.events.publish(&event_message, secret.into()).await;
        }
        reported = unusable;
        if store.changed().await.is_err() {
            std::future::pending::<Infallible>().await;
        }
    }
}
