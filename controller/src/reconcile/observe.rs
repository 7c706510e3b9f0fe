//! Reads what the plan rests on. Nearly always that is in memory already.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Client, ResourceExt as _, runtime::reflector::ObjectRef};
use sealing::resource::WrittenSecret;

use super::{
    Reconciler,
    plan::{FoundSecret, Observed},
};
use crate::{
    error::describe,
    outcome::{Obstacle, Reason},
    received::ReceivedSealedSecret,
    surroundings::Belonging,
};

/// Gathers everything that the plan for one SealedSecret rests on.
pub(super) async fn observe(
    object: &Arc<ReceivedSealedSecret>,
    reconciler: &Reconciler,
) -> Observed {
    let namespace = object.metadata.namespace.as_deref().unwrap_or_default();
    let status = reconciler.recent.newest(object);
    let belonging = reconciler.surroundings.borrow().belonging(namespace);
    let secret = match &belonging {
        Belonging::To(_) => find_secret(object, status.secret.as_ref(), reconciler).await,
        // Nothing will be written, whatever is there.
        _ => Ok(None),
    };
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
    let namespace = object.metadata.namespace.as_deref().unwrap_or_default();
    let name = object.name_any();
    let watched = reconciler
        .secrets
        .get(&ObjectRef::new(&name).within(namespace))
        .map(|secret| FoundSecret::from(&secret.metadata));
    match (watched, recorded) {
        (Some(watched), Some(recorded)) if watched.is(recorded) => Ok(Some(watched)),
        _ => ask_for_secret(&reconciler.client, namespace, &name).await,
    }
}

async fn ask_for_secret(
    client: &Client,
    namespace: &str,
    name: &str,
) -> Result<Option<FoundSecret>, Obstacle> {
    let secrets = Api::<Secret>::namespaced(client.clone(), namespace);
    let found = secrets.get_metadata_opt(name).await.map_err(|error| {
        let message = format!("looking at the Secret: {}", describe(&error));
        Obstacle::new(Reason::ApiError, message)
    })?;
    Ok(found.map(|secret| FoundSecret::from(&secret.metadata)))
}
