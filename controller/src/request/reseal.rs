//! ResealRequests: wraps the file keys of seals for the active key of their environment.
//!
//! ```text
//! decide    pure     -> wait for a key | reject | reseal
//! reseal    blocking private-key operations, outside the async runtime
//! answer    pure     -> status
//! ```
//!
//! `request` decides when, and writes the answer. A request contains no item, and a file key leaves
//! the program only in wrapped form.

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

/// Answers ResealRequests.
pub(crate) struct ResealHandler {
    pub(crate) context: Context,
    pub(crate) store: watch::Receiver<ClusterStore>,
    pub(crate) private_key_operations: Arc<Semaphore>,
}

/// An environment without an active key gets one within seconds.
const LOOK_FOR_KEY_AFTER: Duration = Duration::from_secs(1);

impl RequestHandler for ResealHandler {
    type Request = ResealRequest;

    fn context(&self) -> &Context {
        &self.context
    }

    /// If the answer does not fit into the object, the request is rejected.
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
    /// Reseals a batch on blocking threads. Each seal waits for a permit, as all unsealing does.
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
