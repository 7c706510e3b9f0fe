//! Requests: objects by which somebody asks the leader something, answered once and then deleted.
//!
//! ```text
//! read      [read]   the request, as the API server has it now
//! turn      pure     -> leave it | delete it | answer it
//! answer             each kind's own: ResealRequests, Inquiries
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
    backoff::Next,
    backoff::Retries,
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

use lifecycle::{Turn, turn};
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
pub(crate) trait Answerer: Send + Sync + 'static {
    type Request: Request;

    fn desk(&self) -> &Desk;

    /// The answer, or when to try again.
    fn answer(
        &self,
        request: &ReceivedRequest<Self::Request>,
    ) -> impl Future<Output = Result<Answered<Self::Request>, Next>> + Send;
}

/// What all that answer need.
pub(crate) struct Desk {
    pub(crate) client: Client,
    /// How long a request is kept.
    pub(crate) time_to_live: Duration,
    pub(crate) retries: Retries,
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
pub(crate) async fn reconcile<A: Answerer>(
    request: Arc<PartialObjectMeta<A::Request>>,
    answerer: Arc<A>,
) -> Result<Action, Infallible> {
    let name = request.name_any();
    let desk = answerer.desk();
    let next = settle(&*answerer, &name).await.unwrap_or_else(|error| {
        let error = describe(&error);
        tracing::warn!(request = name, error, "request not settled");
        Next::Backoff
    });
    if next != Next::Backoff {
        desk.retries.forget(&name);
    }
    Ok(match next {
        Next::After(wait) => Action::requeue(wait),
        Next::Backoff => Action::requeue(desk.retries.wait(&name)),
        Next::OnChange => Action::await_change(),
    })
}

async fn settle<A: Answerer>(answerer: &A, name: &str) -> Result<Next, kube::Error> {
    let Desk {
        client,
        time_to_live,
        metrics,
        written,
        ..
    } = answerer.desk();
    let Some(request) = apply::read::<A::Request>(client, name).await? else {
        return Ok(Next::OnChange);
    };
    match turn(&request, *time_to_live, Timestamp::now()) {
        Turn::Delete => {
            apply::delete(client, &request).await?;
            tracing::info!(request = name, "request deleted");
            Ok(Next::OnChange)
        }
        Turn::Leave(next) => Ok(next),
        Turn::Answer => match answerer.answer(&request).await {
            Ok(told) => {
                apply::write_status(client, &request, &told.status).await?;
                metrics.count_write(*written);
                audit::record_answer(name, told.reason, &told.message);
                Ok(Next::After(*time_to_live))
            }
            Err(next) => Ok(next),
        },
    }
}
