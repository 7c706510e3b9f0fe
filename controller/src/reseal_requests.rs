//! ResealRequests: the file keys of seals are wrapped for the active key of their environment.
//!
//! ```text
//! read      [read]   the request, as the API server has it now
//! decide    pure     -> keep it | delete it | wait for a key | refuse it | reseal
//! reseal    beside   private-key operations, away from the async runtime
//! answer    pure     -> status
//! apply     [write]  the status of a request that nobody has answered; or its deletion
//! ```
//! No item is in a request, and no file key leaves the program but wrapped. Nobody but the leader
//! answers.

use std::{convert::Infallible, sync::Arc, thread::available_parallelism, time::Duration};

use futures::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;
use kube::{Client, ResourceExt as _, core::PartialObjectMeta, runtime::controller::Action};
use sealing::resource::{ResealOutcome, ResealRequest};
use tokio::{
    sync::{Semaphore, watch},
    task::JoinError,
};

use crate::{
    audit::{self, ResealAttempt},
    error::describe,
    metrics::{Metrics, Written},
    outcome::Next,
    received::ReceivedResealRequest,
    retries::Retries,
    surroundings::Surroundings,
};

mod answer;
mod apply;

use answer::{Answer, Batch, Decision, Refusal, decide};

/// What all answers share.
pub(crate) struct Resealer {
    pub(crate) client: Client,
    pub(crate) surroundings: watch::Receiver<Surroundings>,
    pub(crate) private_key_operations: Arc<Semaphore>,
    /// How long a request is kept.
    pub(crate) time_to_live: Duration,
    pub(crate) retries: Retries,
    pub(crate) metrics: Arc<Metrics>,
}

/// Answers one request, or deletes it when its time is over.
pub(crate) async fn reconcile(
    request: Arc<PartialObjectMeta<ResealRequest>>,
    resealer: Arc<Resealer>,
) -> Result<Action, Infallible> {
    let name = request.name_any();
    let next = resealer.settle(&name).await.unwrap_or_else(|error| {
        let error = describe(&error);
        tracing::warn!(request = name, error, "request not settled");
        Next::Backoff
    });
    if next != Next::Backoff {
        resealer.retries.forget(&name);
    }
    Ok(match next {
        Next::After(wait) => Action::requeue(wait),
        Next::Backoff => Action::requeue(resealer.retries.wait(&name)),
        Next::OnChange => Action::await_change(),
    })
}

/// An environment without an active key is about to get one, which takes seconds.
const LOOK_FOR_KEY_AFTER: Duration = Duration::from_secs(1);

impl Resealer {
    async fn settle(&self, name: &str) -> Result<Next, kube::Error> {
        let Some(request) = apply::read(&self.client, name).await? else {
            return Ok(Next::OnChange);
        };
        let decision = {
            let surroundings = self.surroundings.borrow();
            decide(&request, &surroundings, self.time_to_live, Timestamp::now())
        };
        match decision {
            Decision::Delete => {
                apply::delete(&self.client, &request).await?;
                tracing::info!(request = name, "request deleted");
                Ok(Next::OnChange)
            }
            Decision::Leave(next) => Ok(next),
            Decision::Refuse(refusal) => self.answer(&request, refusal.into()).await,
            Decision::Reseal(batch) => match self.reseal(name, batch).await {
                Ok(outcomes) => self.answer(&request, outcomes.into()).await,
                Err(_) => Ok(Next::Backoff),
            },
            Decision::WaitForKey => Ok(Next::After(LOOK_FOR_KEY_AFTER)),
        }
    }

    /// Reseals a batch on threads of its own. Each seal waits for its turn among all that is to be
    /// unsealed.
    async fn reseal(&self, request: &str, batch: Batch) -> Result<Vec<ResealOutcome>, JoinError> {
        let cores = available_parallelism().map_or(1, usize::from);
        let batch = Arc::new(batch);
        stream::iter(0..batch.headers.len())
            .map(|index| self.reseal_one(request, Arc::clone(&batch), index))
            .buffered(cores)
            .try_collect()
            .await
    }

    async fn reseal_one(
        &self,
        request: &str,
        batch: Arc<Batch>,
        index: usize,
    ) -> Result<ResealOutcome, JoinError> {
        let shared = Arc::clone(&batch);
        let outcome = {
            let _permit = self.private_key_operations.acquire().await;
            tokio::task::spawn_blocking(move || shared.reseal(index)).await?
        };
        self.metrics.count_reseal(outcome.result);
        audit::record_reseal(&ResealAttempt {
            request,
            environment: &batch.environment.name,
            header: &batch.headers[index],
            outcome: outcome.result,
        });
        Ok(outcome)
    }

    /// Writes the answer. Of one that does not fit into the object, it is told that it does not.
    async fn answer(
        &self,
        request: &ReceivedResealRequest,
        answer: Answer,
    ) -> Result<Next, kube::Error> {
        let answer = if answer.fits(request) {
            answer
        } else {
            Refusal::TooLarge.into()
        };
        let status = answer.status(request, Timestamp::now());
        apply::write_status(&self.client, request, &status).await?;
        self.metrics.count_write(Written::ResealRequestStatus);
        audit::record_answer(&request.name_any(), answer.reason(), &answer.message());
        Ok(Next::After(self.time_to_live))
    }
}
