//! Reads what the plan rests on. Nearly always that is in memory already.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Secret;
use kube::{Api, ResourceExt as _, runtime::reflector::ObjectRef};
use sealing::resource::WrittenSecret;

use super::{
    Reconciler,
    plan::{FoundSecret, Observed},
};
use crate::{
    error::describe,
    outcome::{Obstacle, Reason},
    received::ReceivedSealedSecret,
};

/// Gathers everything that the plan for one SealedSecret rests on.
pub(super) async fn observe(
    object: &Arc<ReceivedSealedSecret>,
    reconciler: &Reconciler,
) -> Observed {
    let namespace = object.metadata.namespace.as_deref().unwrap_or_default();
    let status = reconciler.recent.newest(object);
    let belonging = reconciler.surroundings.borrow().belonging(namespace);
    let secret = find_secret(object, status.secret.as_ref(), reconciler).await;
    Observed {
        object: Arc::clone(object),
        status,
        belonging,
        secret,
    }
}

/// The metadata of the Secret. What the watch shows is enough when it is what was written last.
/// Otherwise the watch may be behind, or the Secret may be somebody else's and not watched: then the
/// API server is asked, for this one by its name.
async fn find_secret(
    object: &ReceivedSealedSecret,
    recorded: Option<&WrittenSecret>,
    reconciler: &Reconciler,
) -> Result<Option<FoundSecret>, Obstacle> {
    let (namespace, name) = (
        object.metadata.namespace.as_deref().unwrap_or_default(),
        object.name_any(),
    );
    let watched = reconciler
        .secrets
        .get(&ObjectRef::new(&name).within(namespace))
        .map(|secret| FoundSecret::from(&secret.metadata));
    if let Some(watched) =
        watched.filter(|watched| recorded.is_some_and(|recorded| watched.is(recorded)))
    {
        return Ok(Some(watched));
    }
    Api::<Secret>::namespaced(reconciler.client.clone(), namespace)
        .get_metadata_opt(&name)
        .await
        .map(|found| found.map(|secret| FoundSecret::from(&secret.metadata)))
        .map_err(|error| {
            Obstacle::new(
                Reason::ApiError,
                format!("looking at the Secret: {}", describe(&error)),
            )
        })
}
