//! Reads one ResealRequest, and writes its answer or deletes it.
//!
//! It decides nothing; that an answer is written once is what its precondition is for.

use kube::{
    Api, Client, Resource as _, ResourceExt as _,
    api::{DeleteParams, Patch, PatchParams, Preconditions},
    core::Request,
};
use sealing::resource::{ResealRequest, ResealRequestStatus};
use serde_json::json;

use crate::{receipt, received::ReceivedResealRequest, reconcile::FIELD_MANAGER};

/// The request as the API server has it now, with the answer of whoever was faster.
pub(super) async fn read(
    client: &Client,
    name: &str,
) -> Result<Option<ReceivedResealRequest>, kube::Error> {
    Api::<ReceivedResealRequest>::all(client.clone())
        .get_opt(name)
        .await
}

/// Writes the status of a request that is still as it was read.
pub(super) async fn write_status(
    client: &Client,
    request: &ReceivedResealRequest,
    status: &ResealRequestStatus,
) -> Result<(), kube::Error> {
    let body = json!({
        "apiVersion": ResealRequest::api_version(&()),
        "kind": ResealRequest::kind(&()),
        "metadata": {
            "name": request.name_any(),
            "uid": request.metadata.uid,
            "resourceVersion": request.metadata.resource_version,
        },
        "status": status,
    });
    let write = Request::new(ResealRequest::url_path(&(), None)).patch_subresource(
        "status",
        &request.name_any(),
        &PatchParams::apply(FIELD_MANAGER).force(),
        &Patch::Apply(body),
    );
    receipt::send(client, write).await.map(drop)
}

/// Deletes a request, unless somebody did, or has made another of its name.
pub(super) async fn delete(
    client: &Client,
    request: &ReceivedResealRequest,
) -> Result<(), kube::Error> {
    let this_one = DeleteParams::default().preconditions(Preconditions {
        uid: request.metadata.uid.clone(),
        resource_version: None,
    });
    let requests = Api::<ReceivedResealRequest>::all(client.clone());
    match requests.delete(&request.name_any(), &this_one).await {
        Err(kube::Error::Api(status)) if [404, 409].contains(&status.code) => Ok(()),
        answer => answer.map(drop),
    }
}
