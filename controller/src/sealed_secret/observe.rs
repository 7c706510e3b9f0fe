//! Reads the input of the plan. Usually it is in memory already.

use std::sync::Arc;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;
use kube::{
    Api, Client, Resource as _, ResourceExt as _, api::GetParams, core::Request,
    runtime::reflector::ObjectRef,
};
use sealing::resource::{SealedSecret, SealedSecretSpec, WrittenSecret};

use super::{
    context::Context,
    plan::{self, FoundSecret, Observed},
};
use crate::{
    error::describe,
    sealed_secret::outcome::Failure,
    status::reason::Reason,
    store::{
        NamespaceMatch,
        objects::{FullSealedSecret, InvalidSpec, ReceivedSealedSecret},
    },
};

/// Gathers the input of the plan for one SealedSecret.
pub(super) async fn observe(object: &Arc<ReceivedSealedSecret>, context: &Context) -> Observed {
    let namespace = object.metadata.namespace.as_deref().unwrap_or_default();
    let status = context.recent_statuses.newest(object);
    let (namespace_match, fingerprint_key) = {
        let store = context.store.borrow();
        (
            store.namespace_match(namespace),
            store.fingerprint_key().cloned(),
        )
    };
    let secret = match &namespace_match {
        NamespaceMatch::To(_) => find_secret(object, status.secret.as_ref(), context).await,
        // The controller writes nothing in this case.
        _ => Ok(None),
    };
    Observed {
        object: Arc::clone(object),
        status,
        namespace_match,
        secret,
        fingerprint_key,
        now: Timestamp::now(),
    }
}

/// The metadata of the Secret. If the watch shows what was written last, that is enough. Otherwise
/// the watch may lag behind, or the Secret may have no label of ours and is not watched. Then it is
/// read by name.
async fn find_secret(
    object: &ReceivedSealedSecret,
    recorded: Option<&WrittenSecret>,
    context: &Context,
) -> Result<Option<FoundSecret>, Failure> {
    let namespace = object.metadata.namespace.as_deref().unwrap_or_default();
    let name = object.name_any();
    let watched = context
        .secrets
        .get(&ObjectRef::new(&name).within(namespace))
        .map(|secret| FoundSecret::from(&secret.metadata));
    match (watched, recorded) {
        (Some(watched), Some(recorded)) if watched.is(recorded) => Ok(Some(watched)),
        _ => read_metadata(&context.client, namespace, &name).await,
    }
}

async fn read_metadata(
    client: &Client,
    namespace: &str,
    name: &str,
) -> Result<Option<FoundSecret>, Failure> {
    let secrets = Api::<Secret>::namespaced(client.clone(), namespace);
    let found = secrets.get_metadata_opt(name).await.map_err(|error| {
        let message = format!("reading the Secret's metadata failed: {}", describe(&error));
        Failure::new(Reason::ApiError, message)
    })?;
    Ok(found.map(|secret| FoundSecret::from(&secret.metadata)))
}

/// The whole spec of a SealedSecret; `None` if it was deleted or has changed since it was observed.
pub(super) async fn contents(
    object: &ReceivedSealedSecret,
    context: &Context,
) -> Result<Option<SealedSecretSpec>, Failure> {
    let failed = |error: &kube::Error| {
        let message = format!("reading the SealedSecret failed: {}", describe(error));
        Failure::new(Reason::ApiError, message)
    };
    let namespace = object.metadata.namespace.as_deref();
    let request = Request::new(SealedSecret::url_path(&(), namespace))
        .get(&object.name_any(), &GetParams::default())
        .map_err(|error| failed(&kube::Error::BuildRequest(error)))?;
    match context.client.request::<FullSealedSecret>(request).await {
        Ok(contents) if !contents.are_of(object) => Ok(None),
        Ok(contents) => match contents.spec {
            Ok(spec) => Ok(Some(spec)),
            Err(InvalidSpec) => Err(plan::invalid_spec()),
        },
        Err(kube::Error::Api(status)) if status.is_not_found() => Ok(None),
        Err(error) => Err(failed(&error)),
    }
}
