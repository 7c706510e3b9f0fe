//! Request objects: created with the user's rights, answered by the controller, and deleted.

use std::{fmt::Debug, pin::pin, time::Duration};

use futures::TryStreamExt as _;
use kube::{
    Api, Client, Resource,
    api::{DeleteParams, PostParams, WatchEvent, WatchParams},
    core::{ClusterResourceScope, object::HasStatus},
};
use sealing::resource::RequestStatus;
use serde::{Serialize, de::DeserializeOwned};

use super::{ClusterError, PAUSE, explain, with_timeout};

/// A request to create.
pub(super) struct NewRequest<R> {
    pub(super) request: R,
    /// The prefix of its name; the API server chooses the rest.
    pub(super) prefix: &'static str,
    /// The error if the API server does not have this kind of request.
    pub(super) unknown: ClusterError,
    pub(super) deadline: Duration,
}

/// A kind of request.
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

/// Creates a request and waits for its result. The request is deleted afterwards in any case.
pub(super) async fn send<R: Request>(
    client: &Client,
    new: NewRequest<R>,
) -> Result<R::Status, ClusterError> {
    let api = Api::all(client.clone());
    let deadline = new.deadline;
    let name = with_timeout(create(&api, new)).await?;
    let status = tokio::time::timeout(deadline, answer(&api, &name)).await;
    // If this fails, the controller deletes the request after ten minutes.
    let _ = with_timeout(delete(&api, &name)).await;
    status
        .map_err(|_| ClusterError::Unanswered {
            kind: R::kind(&()),
            deadline,
        })
        .flatten()
}

async fn create<R: Request>(api: &Api<R>, new: NewRequest<R>) -> Result<String, ClusterError> {
    let NewRequest {
        mut request,
        prefix,
        unknown,
        ..
    } = new;
    let metadata = request.meta_mut();
    metadata.name = None;
    metadata.generate_name = Some(prefix.to_owned());
    let created = api.create(&PostParams::default(), &request).await;
    let created = created.map_err(|error| explain(&error, || unknown))?;
    let name = created.meta().name.clone();
    name.ok_or_else(|| refused::<R>("the API server gave it no name"))
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
    with_timeout(async {
        let request = api.get(name).await;
        request.map_err(|error| explain(&error, || gone::<R>(name)))
    })
    .await
}

/// The request after its next change, if the API server reports one before its connection ends.
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
    refused::<R>(format!(
        "{name} was deleted before the controller answered it"
    ))
}

pub(super) fn refused<R: Request>(message: impl Into<String>) -> ClusterError {
    ClusterError::RequestRefused(R::kind(&()), message.into())
}

/// The result of a request, once the controller has answered it.
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
