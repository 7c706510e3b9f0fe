//! Requests: created under the user's own rights, answered by the controller, and deleted.

use std::{fmt::Debug, pin::pin, time::Duration};

use futures::TryStreamExt as _;
use kube::{
    Api, Client, Resource,
    api::{DeleteParams, PostParams, WatchEvent, WatchParams},
    core::{ClusterResourceScope, object::HasStatus},
};
use sealing::resource::RequestStatus;
use serde::{Serialize, de::DeserializeOwned};

use super::{ClusterError, PAUSE, explain, within_patience};

/// A request that is about to be made.
pub(super) struct Question<R> {
    pub(super) request: R,
    /// What its name begins with; the API server chooses the rest.
    pub(super) prefix: &'static str,
    /// What it means that the API server does not know such requests.
    pub(super) unknown: ClusterError,
    pub(super) deadline: Duration,
}

/// A kind of requests.
pub(super) trait Request:
    Resource<DynamicType = (), Scope = ClusterResourceScope>
    + HasStatus<Status: RequestStatus + Clone>
    + Clone
    + Debug
    + Serialize
    + DeserializeOwned
{
}

impl<R> Request for R where
    R: Resource<DynamicType = (), Scope = ClusterResourceScope>
        + HasStatus<Status: RequestStatus + Clone>
        + Clone
        + Debug
        + Serialize
        + DeserializeOwned
{
}

/// Asks and waits for the answer. The request is deleted afterwards, whatever came of it.
pub(super) async fn ask<R: Request>(
    client: &Client,
    question: Question<R>,
) -> Result<R::Status, ClusterError> {
    let api = Api::all(client.clone());
    let deadline = question.deadline;
    let name = within_patience(create(&api, question)).await?;
    let status = tokio::time::timeout(deadline, answer(&api, &name)).await;
    // A request that stays is deleted by the controller after ten minutes.
    let _ = within_patience(delete(&api, &name)).await;
    status
        .map_err(|_| ClusterError::Unanswered {
            kind: R::kind(&()),
            deadline,
        })
        .flatten()
}

async fn create<R: Request>(api: &Api<R>, question: Question<R>) -> Result<String, ClusterError> {
    let Question {
        mut request,
        prefix,
        unknown,
        ..
    } = question;
    let metadata = request.meta_mut();
    metadata.name = None;
    metadata.generate_name = Some(prefix.to_owned());
    let created = api.create(&PostParams::default(), &request).await;
    let created = created.map_err(|error| explain(&error, || unknown))?;
    let name = created.meta().name.clone();
    name.ok_or_else(|| refused::<R>("it was given no name"))
}

async fn answer<R: Request>(api: &Api<R>, name: &str) -> Result<R::Status, ClusterError> {
    let mut request = read(api, name).await?;
    loop {
        let status = request.status().cloned();
        if let Some(answer) = status.and_then(complete::<R>) {
            return answer;
        }
        request = if let Some(changed) = next_change(api, &request).await {
            changed
        } else {
            tokio::time::sleep(PAUSE).await;
            read(api, name).await?
        };
    }
}

async fn read<R: Request>(api: &Api<R>, name: &str) -> Result<R, ClusterError> {
    within_patience(async {
        let request = api.get(name).await;
        request.map_err(|error| explain(&error, || gone::<R>(name)))
    })
    .await
}

/// The request after its next change, if the API server tells of one before its connection ends.
async fn next_change<R: Request>(api: &Api<R>, request: &R) -> Option<R> {
    let metadata = request.meta();
    let (name, version) = (metadata.name.as_ref()?, metadata.resource_version.as_ref()?);
    let this_one = WatchParams::default().fields(&format!("metadata.name={name}"));
    let events = api.watch(&this_one, version).await.ok()?;
    match pin!(events).try_next().await {
        Ok(Some(WatchEvent::Modified(changed))) => Some(changed),
        _ => None,
    }
}

fn gone<R: Request>(name: &str) -> ClusterError {
    refused::<R>(format!("{name} was deleted before it was answered"))
}

pub(super) fn refused<R: Request>(message: impl Into<String>) -> ClusterError {
    ClusterError::RequestRefused(R::kind(&()), message.into())
}

/// What the controller answered, once it has.
fn complete<R: Request>(status: R::Status) -> Option<Result<R::Status, ClusterError>> {
    let condition = status.complete()?;
    match condition.status.as_str() {
        "True" => Some(Ok(status)),
        "False" => Some(Err(refused::<R>(condition.message.clone()))),
        _ => None,
    }
}

async fn delete<R: Request>(api: &Api<R>, name: &str) -> Result<(), ClusterError> {
    let deleted = api.delete(name, &DeleteParams::default()).await;
    deleted
        .map(|_| ())
        .map_err(|error| explain(&error, || gone::<R>(name)))
}
