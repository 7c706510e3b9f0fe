//! Reconciles one SealedSecret. This is the table of contents:
//!
//! ```text
//! observe   [read]   the object, its Environment with the key ring, its Secret's metadata
//! plan      pure     -> leave it | report a failure | unseal it
//! observe   [read]   the ciphertexts, which are not kept in memory
//! open      blocking private-key operations, outside the async runtime
//! apply     [write]  the Secret -> an outcome
//! report    pure     -> status, event, when to reconcile again
//! apply     [write]  status and event
//! ```
//!
//! It has no rules of its own: all are in `plan`.

use std::{
    convert::Infallible,
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use kube::{Resource as _, runtime::controller::Action};
use sealing::resource::SealedSecretStatus;
use tokio::sync::SemaphorePermit;

use super::{
    apply,
    context::{CIPHERTEXT_BUDGET, Context},
    observe,
    outcome::{Failure, Outcome},
    plan::{Observed, Opened, Permitted, Plan, Unsealing, plan},
    report::{Report, report},
};
use crate::{
    backoff::Requeue,
    error::describe,
    status::reason::Reason,
    store::objects::ReceivedSealedSecret,
    telemetry::{
        audit::{self, Attempt},
        metrics::WrittenResource,
    },
};

/// The watch shows the new version in a moment. This is for the case that it does not.
const RETRY_AFTER_CHANGE: Requeue = Requeue::After(Duration::from_secs(15));

/// Reconciles one SealedSecret.
pub(crate) async fn reconcile(
    object: Arc<ReceivedSealedSecret>,
    context: Arc<Context>,
) -> Result<Action, Infallible> {
    let began = Instant::now();
    context.metrics.begin_reconcile();
    let next = context.reconcile(&object).await;
    let action = context.action(&object, next);
    context.metrics.end_reconcile(began.elapsed());
    Ok(action)
}

impl Context {
    async fn reconcile(&self, object: &Arc<ReceivedSealedSecret>) -> Requeue {
        // Before the list, each Secret would be read by its name.
        self.secrets_listed.wait_for_first().await;
        let observed = observe::observe(object, self).await;
        let outcome = match plan(&observed) {
            Plan::Leave => return Requeue::OnChange,
            Plan::Report(failure) => Err(failure),
            Plan::Unseal(permitted) => {
                if permitted.corrects_drift()
                    && let Err(wait) = self.drift_backoff.begin(&object.path(), Instant::now())
                {
                    return Requeue::After(wait);
                }
                match self.unseal(object, *permitted).await {
                    Some(outcome) => outcome,
                    None => return RETRY_AFTER_CHANGE,
                }
            }
        };
        self.publish(&observed, outcome).await
    }

    /// Unseals the object; `None` when it changed since it was observed.
    async fn unseal(&self, object: &ReceivedSealedSecret, permitted: Permitted) -> Option<Outcome> {
        let _permit = self.reserve_memory(object).await;
        let spec = match observe::contents(object, self).await {
            Ok(Some(spec)) => spec,
            Ok(None) => return None,
            Err(failure) => return Some(Err(failure)),
        };
        let outcome = match permitted.unsealing(spec) {
            Ok(unsealing) => self.decrypt_and_write(unsealing).await,
            Err(failure) => Err(failure),
        };
        Some(outcome)
    }

    /// Waits until there is enough memory for the ciphertexts.
    async fn reserve_memory(&self, object: &ReceivedSealedSecret) -> Option<SemaphorePermit<'_>> {
        let outline = object.outline.as_ref().ok()?;
        let size = u32::try_from(outline.size).unwrap_or(u32::MAX);
        self.ciphertext_budget
            .acquire_many(size.min(CIPHERTEXT_BUDGET))
            .await
            .ok()
    }

    async fn decrypt_and_write(&self, unsealing: Unsealing) -> Outcome {
        let opened = self.decrypt(unsealing).await?;
        let outcome = apply::write_secret(&self.client, &opened).await;
        if outcome.is_ok() {
            self.metrics.count_write(WrittenResource::Secret);
        }
        outcome
    }

    /// Decrypts the seals on a blocking thread. There are as many permits as cores, so probes,
    /// Lease and watches stay responsive.
    async fn decrypt(&self, unsealing: Unsealing) -> Result<Opened, Failure> {
        let interrupted = || Failure::new(Reason::ApiError, "unsealing was interrupted");
        let _permit = self
            .private_key_operations
            .acquire()
            .await
            .map_err(|_| interrupted())?;
        let unsealing = Arc::new(unsealing);
        let shared = Arc::clone(&unsealing);
        let opened = tokio::task::spawn_blocking(move || shared.open())
            .await
            .map_err(|_| interrupted())?;
        let outcome = opened
            .as_ref()
            .err()
            .map_or(Reason::Unsealed, |failure| failure.reason);
        self.metrics.count_unseal(outcome);
        audit::record(&Attempt {
            place: unsealing.place(),
            environment: unsealing.environment(),
            keys: unsealing.keys(),
            outcome,
        });
        opened
    }

    /// Writes status and event, if the outcome changed.
    async fn publish(&self, observed: &Observed, outcome: Outcome) -> Requeue {
        if let Err(failure) = &outcome {
            self.metrics.count_failure(failure.reason);
        }
        let Report {
            status,
            event_message,
            next,
        } = report(observed, outcome, Timestamp::now());
        if let Some(status) = status
            && let Err(error) = self.write_status(&observed.object, status).await
        {
            let (object, error) = (observed.object.path(), describe(&error));
            tracing::warn!(object, error, "status not written");
            return Requeue::Backoff;
        }
        if let Some(event_message) = event_message {
            self.events
                .publish(&event_message, observed.object.object_ref(&()))
                .await;
        }
        next
    }

    async fn write_status(
        &self,
        object: &ReceivedSealedSecret,
        status: SealedSecretStatus,
    ) -> Result<(), kube::Error> {
        let version = apply::write_status(&self.client, object, &status).await?;
        self.recent_statuses.remember(object, &version, status);
        self.metrics
            .count_write(WrittenResource::SealedSecretStatus);
        Ok(())
    }

    fn action(&self, object: &ReceivedSealedSecret, next: Requeue) -> Action {
        let path = object.path();
        if next != Requeue::Backoff {
            self.error_backoff.forget(&path);
        }
        match next {
            Requeue::After(wait) => Action::requeue(wait),
            Requeue::Backoff => Action::requeue(self.error_backoff.wait(&path)),
            Requeue::OnChange => Action::await_change(),
        }
    }

    /// Forgets an object that was deleted.
    pub(crate) fn forget(&self, namespace: &str, name: &str) {
        let path = format!("{namespace}/{name}");
        self.error_backoff.forget(&path);
        self.drift_backoff.forget(&path);
        self.recent_statuses.forget(&path);
    }
}
