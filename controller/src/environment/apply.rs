//! Generates sealing keys, labels those in use, and writes the status of Environments.

use k8s_openapi::api::core::v1::Secret;
use kube::{
    Api, Client, Resource as _, ResourceExt as _,
    api::{Patch, PatchParams, PostParams},
    core::Request,
};
use sealing::{
    KeyId,
    resource::{Environment, EnvironmentStatus, key_secret::IN_USE_LABEL},
};
use serde_json::json;

use super::{
    error::GenerateKeyError,
    plan::{Mark, NewKeySpec},
};
use crate::{
    api::{self, FIELD_MANAGER},
    keys::key_secret::NewKey,
    store::objects::ReceivedEnvironment,
};

/// Generates a sealing key and stores it, unless its Secret exists.
pub(super) async fn generate_key(
    client: &Client,
    namespace: &str,
    new_key: &NewKeySpec,
) -> Result<KeyId, GenerateKeyError> {
    // Generating a key takes seconds. This check does not.
    let secrets = Api::<Secret>::namespaced(client.clone(), namespace);
    if secrets.get_metadata_opt(&new_key.secret).await?.is_some() {
        return Err(GenerateKeyError::Exists(new_key.secret.clone()));
    }
    let NewKeySpec {
        environment,
        bits,
        created_at,
        ..
    } = new_key.clone();
    let generated =
        tokio::task::spawn_blocking(move || NewKey::generate(&environment, bits, created_at))
            .await??;
    let secret = generated.secret(
        &new_key.secret,
        new_key.environment.as_str(),
        new_key.cutoff,
    );
    let body = serde_json::to_vec(&secret).map_err(kube::Error::SerdeError)?;
    let request =
        Request::new(Secret::url_path(&(), Some(namespace))).create(&PostParams::default(), body);
    match api::send(client, request).await {
        Ok(_) => Ok(generated.id),
        Err(kube::Error::Api(status)) if status.is_already_exists() => {
            Err(GenerateKeyError::Exists(new_key.secret.clone()))
        }
        Err(error) => Err(error.into()),
    }
}

/// Adds the label for keys in use to a key Secret, or removes it.
pub(super) async fn mark(client: &Client, namespace: &str, mark: &Mark) -> Result<(), kube::Error> {
    let label = mark.is_in_use.then_some("true");
    let patch = Patch::Merge(json!({"metadata": {"labels": {IN_USE_LABEL: label}}}));
    let params = PatchParams {
        field_manager: Some(FIELD_MANAGER.to_owned()),
        ..PatchParams::default()
    };
    let request = Request::new(Secret::url_path(&(), Some(namespace)));
    api::send(client, request.patch(&mark.secret, &params, &patch))
        .await
        .map(drop)
}

/// Writes the status.
pub(super) async fn write_status(
    client: &Client,
    environment: &ReceivedEnvironment,
    status: &EnvironmentStatus,
) -> Result<(), kube::Error> {
    let body = json!({
        "apiVersion": Environment::api_version(&()),
        "kind": Environment::kind(&()),
        "metadata": {"name": environment.name_any(), "uid": environment.metadata.uid},
        "status": status,
    });
    let request = Request::new(Environment::url_path(&(), None)).patch_subresource(
        "status",
        &environment.name_any(),
        &PatchParams::apply(FIELD_MANAGER).force(),
        &Patch::Apply(body),
    );
    api::send(client, request).await.map(drop)
}
