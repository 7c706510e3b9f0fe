//! Writes Secrets and statuses. Only here does plaintext leave the program, and only to the API
//! server.
//!
//! Messages of the API server about a Secret are not repeated: they may contain values.

use std::{borrow::Cow, collections::BTreeMap};

use base64::{display::Base64Display, engine::general_purpose::STANDARD};
use k8s_openapi::{api::core::v1::Secret, apimachinery::pkg::apis::meta::v1::OwnerReference};
use kube::{
    Client, Resource as _, ResourceExt as _,
    api::{Patch, PatchParams},
    core::{Request, Status},
};
use sealing::{
    Plaintext,
    resource::{SealedSecret, SealedSecretStatus, WrittenSecret},
};
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::plan::{DesiredSecret, Opened};
use crate::{
    api::{self, FIELD_MANAGER, WriteResponse},
    error::describe,
    sealed_secret::outcome::{Failure, Outcome, Written},
    status::reason::Reason,
    store::objects::ReceivedSealedSecret,
};

/// Writes the Secret. Server-side apply keeps labels and annotations of other field managers. Then
/// a patch removes items that others added.
pub(super) async fn write_secret(client: &Client, opened: &Opened) -> Outcome {
    let secret = &opened.secret;
    let failed = |error: kube::Error| failure(&error, secret.precondition.as_deref());
    let mut response = apply(client, secret).await.map_err(failed)?;
    if let Some(patch) = without_extra_items(secret, &response) {
        let params = PatchParams {
            field_manager: Some(FIELD_MANAGER.to_owned()),
            ..PatchParams::default()
        };
        response = patch_secret(client, secret, &params, &Patch::Merge(patch))
            .await
            .map_err(failed)?;
    }
    Ok(Written {
        secret: WrittenSecret {
            uid: response.metadata.uid,
            resource_version: response.metadata.resource_version,
        },
        opened_by: opened.opened_by.clone(),
        compared: opened.compared.clone(),
        message: secret.summary(),
    })
}

/// Apply takes over fields of others only in a Secret that was found and may be written. A Secret
/// that was created since then causes a conflict.
async fn apply(client: &Client, secret: &DesiredSecret) -> Result<WriteResponse, kube::Error> {
    let params = PatchParams {
        // If no Secret was found, a conflict must fail instead of overwriting one that is new.
        force: secret.precondition.is_some(),
        ..PatchParams::apply(FIELD_MANAGER)
    };
    patch_secret(
        client,
        secret,
        &params,
        &Patch::Apply(SecretBody::from(secret)),
    )
    .await
}

async fn patch_secret<P: Serialize>(
    client: &Client,
    secret: &DesiredSecret,
    params: &PatchParams,
    patch: &Patch<P>,
) -> Result<WriteResponse, kube::Error> {
    let (namespace, name) = (secret.place.namespace.as_str(), secret.place.name.as_str());
    let request = Request::new(Secret::url_path(&(), Some(namespace))).patch(name, params, patch);
    api::send(client, request).await
}

/// A patch that removes the items which are not in the SealedSecret; `None` when there are none.
fn without_extra_items(secret: &DesiredSecret, response: &WriteResponse) -> Option<Value> {
    let extra: BTreeMap<&str, Value> = response
        .item_names()
        .filter(|found| secret.items.keys().all(|name| name.as_str() != *found))
        .map(|name| (name, Value::Null))
        .collect();
    (!extra.is_empty()).then(|| {
        json!({
            "metadata": {"resourceVersion": response.metadata.resource_version},
            "data": extra,
        })
    })
}

/// A Secret as it is sent to the API server.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SecretBody<'a> {
    api_version: &'static str,
    kind: &'static str,
    metadata: BodyMetadata<'a>,
    #[serde(rename = "type")]
    secret_type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    immutable: Option<bool>,
    #[serde(rename = "data")]
    items: BTreeMap<&'a str, InBase64<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BodyMetadata<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    uid: Option<&'a str>,
    labels: BTreeMap<&'a str, &'a str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    annotations: BTreeMap<&'a str, Cow<'a, str>>,
    owner_references: [&'a OwnerReference; 1],
}

struct InBase64<'a>(&'a Plaintext);

impl Serialize for InBase64<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&Base64Display::new(self.0.expose(), &STANDARD))
    }
}

impl<'a> From<&'a DesiredSecret> for SecretBody<'a> {
    fn from(secret: &'a DesiredSecret) -> Self {
        let items = secret.items.iter();
        Self {
            api_version: "v1",
            kind: "Secret",
            metadata: BodyMetadata {
                name: secret.place.name.as_str(),
                uid: secret.precondition.as_deref(),
                labels: secret.labels(),
                annotations: secret.annotations(),
                owner_references: [&secret.owner],
            },
            secret_type: secret.template.secret_type(),
            immutable: secret.template.immutable,
            items: items
                .map(|(name, plaintext)| (name.as_str(), InBase64(plaintext)))
                .collect(),
        }
    }
}

/// The failure that a rejected write means. `replaced` is the uid of the existing Secret, if any.
fn failure(error: &kube::Error, replaced: Option<&str>) -> Failure {
    let kube::Error::Api(status) = error else {
        let message = format!("writing the Secret failed: {}", describe(error));
        return Failure::new(Reason::ApiError, message);
    };
    let (reason, message) = match status.code {
        400 | 422 => return invalid(status),
        403 if replaced.is_some() => (Reason::Forbidden, FORBIDDEN_TO_ADOPT),
        403 => (Reason::Forbidden, FORBIDDEN),
        409 => (Reason::Conflict, "the Secret was modified during the write"),
        413 => (
            Reason::TooLarge,
            "the Secret is too large for the API server: remove or shorten values",
        ),
        code => {
            let message =
                format!("writing the Secret failed: the API server returned status {code}");
            return Failure::new(Reason::ApiError, message);
        }
    };
    Failure::new(reason, message)
}

const FORBIDDEN: &str = "the API server forbids the write: check whether the namespace is being \
    deleted, its quota, and admission policies";

/// An owner can cause an object to be deleted. So some clusters require the permission to delete
/// it.
const FORBIDDEN_TO_ADOPT: &str = "the API server forbids the write: check admission policies; with the \
    admission plugin OwnerReferencesPermissionEnforcement, adopting a Secret needs the permission \
    to delete it";

/// The failure that an invalid Secret means, by the fields and reasons that the API server gives.
fn invalid(status: &Status) -> Failure {
    let causes = status.details.iter().flat_map(|details| &details.causes);
    let has_cause = |field: &str, reason: &str| {
        causes
            .clone()
            .any(|cause| cause.field == field && cause.reason == reason)
    };
    if has_cause("data", "FieldValueForbidden") || has_cause("immutable", "FieldValueForbidden") {
        return Failure::new(
            Reason::ImmutableSecret,
            "the Secret is immutable and would change: delete it, and the controller writes it again",
        );
    }
    if causes.clone().any(|cause| cause.field == "type") {
        return Failure::new(
            Reason::TypeChange,
            "the type of the Secret cannot be changed: delete the Secret, and the controller writes it again",
        );
    }
    Failure::new(
        Reason::InvalidSecret,
        "the API server rejected the Secret: check its type, labels and annotations",
    )
}

/// Writes the status. Returns the new resource version of the object.
pub(super) async fn write_status(
    client: &Client,
    object: &ReceivedSealedSecret,
    status: &SealedSecretStatus,
) -> Result<String, kube::Error> {
    let body = json!({
        "apiVersion": SealedSecret::api_version(&()),
        "kind": SealedSecret::kind(&()),
        "metadata": {"name": object.name_any(), "uid": object.metadata.uid},
        "status": status,
    });
    let namespace = object.metadata.namespace.as_deref();
    let request = Request::new(SealedSecret::url_path(&(), namespace)).patch_subresource(
        "status",
        &object.name_any(),
        &PatchParams::apply(FIELD_MANAGER).force(),
        &Patch::Apply(body),
    );
    let response = api::send(client, request).await?;
    Ok(response.metadata.resource_version)
}

#[cfg(test)]
mod tests;
