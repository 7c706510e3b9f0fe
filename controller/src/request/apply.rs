//! Reads one request, writes its answer, and deletes it.
//!
//! The write has the version that was read as its precondition, so a request is answered once.

use kube::{
    Api, Client,
    api::{DeleteParams, GetParams, Patch, PatchParams, Preconditions},
    core::{self, PartialObjectMeta},
};
use serde_json::json;

use super::Request;
use crate::{
    api::{self, FIELD_MANAGER},
    store::objects::ReceivedRequest,
};

/// The request as the API server has it now. Another leader may have answered it since the watch
/// showed it.
pub(super) async fn read<R: Request>(
    client: &Client,
    name: &str,
) -> Result<Option<ReceivedRequest<R>>, kube::Error> {
    let request = core::Request::new(R::url_path(&(), None))
        .get(name, &GetParams::default())
        .map_err(kube::Error::BuildRequest)?;
    match client.request(request).await {
        Ok(request) => Ok(Some(request)),
        Err(kube::Error::Api(status)) if status.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Writes the status, unless the request changed since it was read.
pub(super) async fn write_status<R: Request>(
    client: &Client,
    request: &ReceivedRequest<R>,
    status: &R::Status,
) -> Result<(), kube::Error> {
    let body = json!({
        "apiVersion": R::api_version(&()),
        "kind": R::kind(&()),
        "metadata": {
            "name": request.name(),
            "uid": request.metadata.uid,
            "resourceVersion": request.metadata.resource_version,
        },
        "status": status,
    });
    let write = core::Request::new(R::url_path(&(), None)).patch_subresource(
        "status",
        request.name(),
        &PatchParams::apply(FIELD_MANAGER).force(),
        &Patch::Apply(body),
    );
    api::send(client, write).await.map(drop)
}

/// Deletes a request, unless it is gone or another request has its name.
pub(super) async fn delete<R: Request>(
    client: &Client,
    request: &ReceivedRequest<R>,
) -> Result<(), kube::Error> {
    let this_one = DeleteParams::default().preconditions(Preconditions {
        uid: request.metadata.uid.clone(),
        resource_version: None,
    });
    let requests = Api::<PartialObjectMeta<R>>::all(client.clone());
    match requests.delete(request.name(), &this_one).await {
        Err(kube::Error::Api(status)) if [404, 409].contains(&status.code) => Ok(()),
        answer => answer.map(drop),
    }
}
