//! ValueReviews: which Secrets hold a value.
//!
//! ```text
//! decide    pure     -> reject | find reused values | trace a value
//! open      blocking decrypts the traced value: one private-key operation
//! search             fingerprints in the metadata of Secrets; no Secret is read
//! answer    pure     -> status
//! ```
//!
//! `request` decides when, and writes the answer. A traced value is dropped as soon as it is
//! fingerprinted.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use jiff::Timestamp;
use sealing::resource::ValueReview;
use tokio::sync::{Semaphore, watch};

use crate::{
    backoff::Requeue,
    fingerprint::reuse::Values,
    request::{Answered, Context, RequestHandler},
    store::{ClusterStore, objects::ReceivedRequest},
    telemetry::audit::{self, TraceAttempt},
};

mod answer;
mod rate_limit;

use answer::{Answer, Decision, Refusal, Tracing, decide, question};
use rate_limit::RateLimit;

/// Answers ValueReviews.
pub(crate) struct ValueReviewHandler {
    pub(crate) context: Context,
    pub(crate) store: watch::Receiver<ClusterStore>,
    pub(crate) private_key_operations: Arc<Semaphore>,
    pub(crate) values: Values,
    pub(crate) traces: Traces,
}

/// Limits the rate of all ValueReviews together: a higher rate would allow guessing values.
pub(crate) struct Traces(Mutex<RateLimit>);

impl Traces {
    pub(crate) fn new(now: Instant) -> Self {
        Self(Mutex::new(RateLimit::new(now)))
    }

    fn begin(&self, now: Instant) -> Result<(), Duration> {
        let mut limit = self.0.lock().expect("nothing panics while it is locked");
        limit.take(now)
    }
}

impl RequestHandler for ValueReviewHandler {
    type Request = ValueReview;

    fn context(&self) -> &Context {
        &self.context
    }

    async fn answer(
        &self,
        request: &ReceivedRequest<ValueReview>,
    ) -> Result<Answered<ValueReview>, Requeue> {
        let decision = decide(request, &self.store.borrow());
        let answer = match decision {
            Decision::Refuse(refusal) => Answer::Refused(refusal),
            Decision::Reuse => match self.traces.begin(Instant::now()) {
                Ok(()) => Answer::reused(self.values.index().await),
                Err(wait) => Answer::Refused(Refusal::RateLimited(wait)),
            },
            Decision::Trace(tracing) => self.trace(request.name(), tracing).await?,
        };
        self.context
            .metrics
            .count_value_review(question(request), answer.reason());
        Ok(Answered {
            status: answer.status(request, Timestamp::now()),
            reason: answer.reason(),
            message: answer.message(),
        })
    }
}

impl ValueReviewHandler {
    async fn trace(&self, request: &str, tracing: Tracing) -> Result<Answer, Requeue> {
        if let Err(wait) = self.traces.begin(Instant::now()) {
            return Ok(Answer::Refused(Refusal::RateLimited(wait)));
        }
        let tracing = Arc::new(tracing);
        let shared = Arc::clone(&tracing);
        let opened = {
            let _permit = self.private_key_operations.acquire().await;
            let opened = tokio::task::spawn_blocking(move || shared.open()).await;
            opened.map_err(|_| Requeue::Backoff)?
        };
        let answer = match opened {
            Ok(fingerprints) => Answer::found(&self.values.index().await, &fingerprints),
            Err(refusal) => Answer::Refused(refusal),
        };
        audit::record_trace(&TraceAttempt {
            request,
            environment: &tracing.environment.name,
            seal: &tracing.seal,
            outcome: answer.reason(),
            found: answer.places(),
        });
        Ok(answer)
    }
}
