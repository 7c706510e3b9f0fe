//! A SealedSecret becomes a Secret: the table of contents.
//!
//! ```text
//! observe   [read]   the object, its Environment with the key ring, its Secret's metadata
//! plan      pure     -> leave it | an failure | unseal
//! observe   [read]   the object's ciphertexts, which are not kept in memory
//! open      beside   private-key operations, away from the async runtime
//! apply     [write]  the Secret -> an outcome
//! report    pure     -> status, event, when to look again
//! apply     [write]  status and event
//! ```
//! It holds no rules of its own: `plan` has them all.

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
        metrics::Written as Resource,
    },
};

/// The watch tells of a change in a moment; this is for the case that it does not.
const LOOK_AGAIN: Requeue = Requeue::After(Duration::from_secs(15));

/// Brings one Secret nearer to what its SealedSecret says.
pub(crate) async fn reconcile(
    object: Arc<ReceivedSealedSecret>,
    context: Arc<Context>,
) -> Result<Action, Infallible> {
    let began = Instant::now();
    context.metrics.begin_reconcile();
    let next = context.settle(&object).await;
    let action = context.action(&object, next);
    context.metrics.end_reconcile(began.elapsed());
    Ok(action)
}

impl Context {
    async fn settle(&self, object: &Arc<ReceivedSealedSecret>) -> Requeue {
        // Before that, each Secret would be asked for by its name.
        self.secrets_listed.wait_for_first().await;
        let observed = observe::observe(object, self).await;
        let outcome = match plan(&observed) {
            Plan::Leave => return Requeue::OnChange,
            Plan::Report(failure) => Err(failure),
            Plan::Unseal(permitted) => {
                if permitted.heals()
                    && let Err(wait) = self.heals.begin(&object.path(), Instant::now())
                {
                    return Requeue::After(wait);
                }
                match self.unseal(object, *permitted).await {
                    Some(outcome) => outcome,
                    None => return LOOK_AGAIN,
                }
            }
        };
        self.publish(&observed, outcome).await
    }

    /// Nothing comes of it when the object is not what was decided about any more.
    async fn unseal(&self, object: &ReceivedSealedSecret, permitted: Permitted) -> Option<Outcome> {
        let _room = self.reserve_memory(object).await;
        let spec = match observe::contents(object, self).await {
            Ok(Some(spec)) => spec,
            Ok(None) => return None,
            Err(failure) => return Some(Err(failure)),
        };
        let outcome = match permitted.unsealing(spec) {
            Ok(unsealing) => self.open_and_write(unsealing).await,
            Err(failure) => Err(failure),
        };
        Some(outcome)
    }

    /// Waits until the object may be held in memory.
    async fn reserve_memory(&self, object: &ReceivedSealedSecret) -> Option<SemaphorePermit<'_>> {
        let outline = object.outline.as_ref().ok()?;
        let size = u32::try_from(outline.size).unwrap_or(u32::MAX);
        self.room
            .acquire_many(size.min(CIPHERTEXT_BUDGET))
            .await
            .ok()
    }

    async fn open_and_write(&self, unsealing: Unsealing) -> Outcome {
        let opened = self.open(unsealing).await?;
        let outcome = apply::write_secret(&self.client, &opened).await;
        if outcome.is_ok() {
            self.metrics.count_write(Resource::Secret);
        }
        outcome
    }

    /// Opens the seals on a thread of its own, as many at once as there are cores, so that probes,
    /// Lease and watches stay prompt.
    async fn open(&self, unsealing: Unsealing) -> Result<Opened, Failure> {
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

    /// Tells what came of it, where that is news.
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
        self.recent.remember(object, &version, status);
        self.metrics.count_write(Resource::SealedSecretStatus);
        Ok(())
    }

    fn action(&self, object: &ReceivedSealedSecret, next: Requeue) -> Action {
        let path = object.path();
        if next != Requeue::Backoff {
            self.retries.forget(&path);
        }
        match next {
            Requeue::After(wait) => Action::requeue(wait),
            Requeue::Backoff => Action::requeue(self.retries.wait(&path)),
            Requeue::OnChange => Action::await_change(),
        }
    }

    /// Forgets what was kept about an object that is gone.
    pub(crate) fn forget(&self, namespace: &str, name: &str) {
        let path = format!("{namespace}/{name}");
        self.retries.forget(&path);
        self.heals.forget(&path);
        self.recent.forget(&path);
    }
}
