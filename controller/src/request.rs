//! Requests: objects that ask the leader something. The leader answers each once and deletes it
//! later.
//!
//! ```text
//! read      [read]   the request, as the API server has it now
//! next_step pure     -> leave it | delete it | answer it
//! answer             by kind: ResealRequest, ValueReview
//! apply     [write]  the status of an unanswered request, or the deletion
//! ```
//!
//! The API server decides who may create requests, and its audit log names the user.

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
        metrics::{Metrics, WrittenResource},
    },
};

mod apply;
mod lifecycle;
pub(crate) mod reseal;
pub(crate) mod value_review;

pub(crate) use lifecycle::{Completion, complete};
use lifecycle::{NextStep, next_step};

/// A kind of request.
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

/// Answers one kind of request.
pub(crate) trait RequestHandler: Send + Sync + 'static {
    type Request: Request;

    fn context(&self) -> &Context;

    /// The answer, or when to try again.
    fn answer(
        &self,
        request: &ReceivedRequest<Self::Request>,
    ) -> impl Future<Output = Result<Answered<Self::Request>, Requeue>> + Send;
}

/// What all handlers share.
pub(crate) struct Context {
    pub(crate) client: Client,
    /// How long a request is kept.
    pub(crate) time_to_live: Duration,
    pub(crate) error_backoff: ErrorBackoff,
    pub(crate) metrics: Arc<Metrics>,
    /// The resource that a written answer is counted as.
    pub(crate) written: WrittenResource,
}

/// An answer: the status, and the fields of the audit line.
pub(crate) struct Answered<R: HasStatus> {
    pub(crate) status: R::Status,
    pub(crate) reason: &'static str,
    pub(crate) message: String,
}

/// Answers one request, or deletes it when its time to live is over.
pub(crate) async fn reconcile<A: RequestHandler>(
    request: Arc<PartialObjectMeta<A::Request>>,
    handler: Arc<A>,
) -> Result<Action, Infallible> {
    let name = request.name_any();
    let context = handler.context();
    let next = answer_or_delete(&*handler, &name)
        .await
        .unwrap_or_else(|error| {
            let error = describe(&error);
            tracing::warn!(request = name, error, "request not reconciled");
            Requeue::Backoff
        });
    if next != Requeue::Backoff {
        context.error_backoff.forget(&name);
    }
    Ok(match next {
        Requeue::After(wait) => Action::requeue(wait),
        Requeue::Backoff => Action::requeue(context.error_backoff.wait(&name)),
        Requeue::OnChange => Action::await_change(),
    })
}

async fn answer_or_delete<A: RequestHandler>(
    handler: &A,
    name: &str,
) -> Result<Requeue, kube::Error> {
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
            Ok(answered) => {
                apply::write_status(client, &request, &answered.status).await?;
                metrics.count_write(*written);
                audit::record_answer(name, answered.reason, &answered.message);
                Ok(Requeue::After(*time_to_live))
            }
            Err(next) => Ok(next),
        },
    }
}
