//! Requests: objects by which somebody asks the leader something, answered once and then deleted.
//!
//! ```text
//! read      [read]   the request, as the API server has it now
//! next_step pure     -> leave it | delete it | answer it
//! answer             each kind's own: ResealRequests, ValueReviews
//! apply     [write]  the status of a request that nobody has answered; or its deletion
//! ```
//! Who may ask, the API server decides, and its audit says who asked.

use std::{convert::Infallible, fmt::Debug, sync::Arc, time::Duration};

use jiff::Timestamp;
use kube::{
    Client, Resource, ResourceExt as _,
    core::{
        ClusterResourceScope, PartialObjectMeta,
        object::{HasSpec, HasStatus},
    },
    runtime::controller::Action,
};
use sealing::resource::RequestStatus;
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    backoff::ErrorBackoff,
    backoff::Requeue,
    error::describe,
    store::objects::ReceivedRequest,
    telemetry::{
        audit,
        metrics::{Metrics, Written},
    },
};

mod apply;
mod lifecycle;
pub(crate) mod reseal;
pub(crate) mod value_review;

use lifecycle::{NextStep, next_step};
pub(crate) use lifecycle::{Verdict, complete};

/// A kind of requests.
pub(crate) trait Request:
    Resource<DynamicType = (), Scope = ClusterResourceScope>
    + HasSpec<Spec: DeserializeOwned + Send + Sync>
    + HasStatus<Status: RequestStatus + Serialize + DeserializeOwned + Send + Sync>
    + Clone
    + Debug
    + DeserializeOwned
    + Send
    + Sync
    + 'static
{
}

impl<R> Request for R where
    R: Resource<DynamicType = (), Scope = ClusterResourceScope>
        + HasSpec<Spec: DeserializeOwned + Send + Sync>
        + HasStatus<Status: RequestStatus + Serialize + DeserializeOwned + Send + Sync>
        + Clone
        + Debug
        + DeserializeOwned
        + Send
        + Sync
        + 'static
{
}

/// Whoever answers one kind of requests.
pub(crate) trait RequestHandler: Send + Sync + 'static {
    type Request: Request;

    fn context(&self) -> &Context;

    /// The answer, or when to try again.
    fn answer(
        &self,
        request: &ReceivedRequest<Self::Request>,
    ) -> impl Future<Output = Result<Answered<Self::Request>, Requeue>> + Send;
}

/// What all that answer need.
pub(crate) struct Context {
    pub(crate) client: Client,
    /// How long a request is kept.
    pub(crate) time_to_live: Duration,
    pub(crate) retries: ErrorBackoff,
    pub(crate) metrics: Arc<Metrics>,
    /// What an answer is counted as.
    pub(crate) written: Written,
}

/// What is told, as a whole and in words for the audit.
pub(crate) struct Answered<R: HasStatus> {
    pub(crate) status: R::Status,
    pub(crate) reason: &'static str,
    pub(crate) message: String,
}

/// Answers one request, or deletes it when its time is over.
pub(crate) async fn reconcile<A: RequestHandler>(
    request: Arc<PartialObjectMeta<A::Request>>,
    handler: Arc<A>,
) -> Result<Action, Infallible> {
    let name = request.name_any();
    let context = handler.context();
    let next = settle(&*handler, &name).await.unwrap_or_else(|error| {
        let error = describe(&error);
        tracing::warn!(request = name, error, "request not settled");
        Requeue::Backoff
    });
    if next != Requeue::Backoff {
        context.retries.forget(&name);
    }
    Ok(match next {
        Requeue::After(wait) => Action::requeue(wait),
        Requeue::Backoff => Action::requeue(context.retries.wait(&name)),
        Requeue::OnChange => Action::await_change(),
    })
}

async fn settle<A: RequestHandler>(handler: &A, name: &str) -> Result<Requeue, kube::Error> {
    let Context {
        client,
        time_to_live,
        metrics,
        written,
        ..
    } = handler.context();
    let Some(request) = apply::read::<A::Request>(client, name).await? else {
        return Ok(Requeue::OnChange);
    };
    match next_step(&request, *time_to_live, Timestamp::now()) {
        NextStep::Delete => {
            apply::delete(client, &request).await?;
            tracing::info!(request = name, "request deleted");
            Ok(Requeue::OnChange)
        }
        NextStep::Leave(next) => Ok(next),
        NextStep::Answer => match handler.answer(&request).await {
            Ok(told) => {
                apply::write_status(client, &request, &told.status).await?;
                metrics.count_write(*written);
                audit::record_answer(name, told.reason, &told.message);
                Ok(Requeue::After(*time_to_live))
            }
            Err(next) => Ok(next),
        },
    }
}
