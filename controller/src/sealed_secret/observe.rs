//! Reads what the plan rests on. Nearly always that is in memory already.

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

/// Gathers everything that the plan for one SealedSecret rests on.
pub(super) async fn observe(object: &Arc<ReceivedSealedSecret>, context: &Context) -> Observed {
    let namespace = object.metadata.namespace.as_deref().unwrap_or_default();
    let status = context.recent.newest(object);
    let (namespace_match, fingerprint_key) = {
        let store = context.store.borrow();
        (
            store.namespace_match(namespace),
            store.fingerprint_key().cloned(),
        )
    };
    let secret = match &namespace_match {
        NamespaceMatch::To(_) => find_secret(object, status.secret.as_ref(), context).await,
        // Nothing will be written, whatever is there.
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

/// The metadata of the Secret. What the watch shows is enough when it is what was written last.
/// Otherwise the watch may be behind, or the Secret may be somebody else's and not watched: then the
/// API server is asked, for this one by its name.
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
        _ => ask_for_secret(&context.client, namespace, &name).await,
    }
}

async fn ask_for_secret(
    client: &Client,
    namespace: &str,
    name: &str,
) -> Result<Option<FoundSecret>, Failure> {
    let secrets = Api::<Secret>::namespaced(client.clone(), namespace);
    let found = secrets.get_metadata_opt(name).await.map_err(|error| {
        let message = format!("looking at the Secret: {}", describe(&error));
        Failure::new(Reason::ApiError, message)
    })?;
    Ok(found.map(|secret| FoundSecret::from(&secret.metadata)))
}

/// The whole spec of a SealedSecret, unless it is gone or has changed since it was looked at.
pub(super) async fn contents(
    object: &ReceivedSealedSecret,
    context: &Context,
) -> Result<Option<SealedSecretSpec>, Failure> {
    let failed = |error: &kube::Error| {
        let message = format!("reading the SealedSecret: {}", describe(error));
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
            Err(InvalidSpec) => Err(plan::unreadable()),
        },
        Err(kube::Error::Api(status)) if status.is_not_found() => Ok(None),
        Err(error) => Err(failed(&error)),
    }
}
