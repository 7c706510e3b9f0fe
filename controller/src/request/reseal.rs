//! ResealRequests: the file keys of seals are wrapped for the active key of their environment.
//!
//! ```text
//! decide    pure     -> wait for a key | refuse it | reseal
//! reseal    beside   private-key operations, away from the async runtime
//! answer    pure     -> status
//! ```
//! When, and what becomes of the answer, is `requests`' business. No item is in a request, and no file
//! key leaves the program but wrapped.

use std::{sync::Arc, thread::available_parallelism, time::Duration};

use futures::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;
use sealing::resource::{ResealOutcome, ResealRequest};
use tokio::{
    sync::{Semaphore, watch},
    task::JoinError,
};

use crate::{
    backoff::Requeue,
    request::{Answered, Context, RequestHandler},
    store::{ClusterStore, objects::ReceivedRequest},
    telemetry::audit::{self, ResealAttempt},
};

mod answer;

use answer::{Answer, Batch, Decision, Refusal, decide};

/// What all answers share.
pub(crate) struct ResealHandler {
    pub(crate) context: Context,
    pub(crate) store: watch::Receiver<ClusterStore>,
    pub(crate) private_key_operations: Arc<Semaphore>,
}

/// An environment without an active key is about to get one, which takes seconds.
const LOOK_FOR_KEY_AFTER: Duration = Duration::from_secs(1);

impl RequestHandler for ResealHandler {
    type Request = ResealRequest;

    fn context(&self) -> &Context {
        &self.context
    }

    /// Of an answer that does not fit into the object, it is told that it does not.
    async fn answer(
        &self,
        request: &ReceivedRequest<ResealRequest>,
    ) -> Result<Answered<ResealRequest>, Requeue> {
        let decision = decide(request, &self.store.borrow());
        let answer = match decision {
            Decision::Refuse(refusal) => Answer::from(refusal),
            Decision::Reseal(batch) => match self.reseal(request.name(), batch).await {
                Ok(outcomes) => outcomes.into(),
                Err(_) => return Err(Requeue::Backoff),
            },
            Decision::WaitForKey => return Err(Requeue::After(LOOK_FOR_KEY_AFTER)),
        };
        let answer = if answer.fits(request) {
            answer
        } else {
            Refusal::TooLarge.into()
        };
        Ok(Answered {
            status: answer.status(request, Timestamp::now()),
            reason: answer.reason(),
            message: answer.message(),
        })
    }
}

impl ResealHandler {
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
        self.context.metrics.count_reseal(outcome.result);
        audit::record_reseal(&ResealAttempt {
            request,
            environment: &batch.environment.name,
            header: &batch.headers[index],
            outcome: outcome.result,
        });
        Ok(outcome)
    }
}
