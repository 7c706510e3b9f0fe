//! Writes Secrets and statuses. Here plaintext leaves the program, for the API server and nowhere
//! else.
//!
//! Nothing of what the API server says about a Secret is repeated: its messages may hold values.

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

/// Writes the Secret: its fields by server-side apply, which leaves labels and annotations of others
/// alone, and then takes away items that others have added.
pub(super) async fn write_secret(client: &Client, opened: &Opened) -> Outcome {
    let secret = &opened.secret;
    let failed = |error: kube::Error| failure(&error, secret.precondition.as_deref());
    let mut response = apply(client, secret).await.map_err(failed)?;
    if let Some(patch) = without_strays(secret, &response) {
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

/// Fields of others are taken over only in a Secret that was found to be ours. When there was none,
/// one that somebody has made in the meantime is left to them.
async fn apply(client: &Client, secret: &DesiredSecret) -> Result<WriteResponse, kube::Error> {
    let params = PatchParams {
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

/// A patch that removes the items which are not among the sealed ones, if there are any, from the
/// Secret as the response shows it.
fn without_strays(secret: &DesiredSecret, response: &WriteResponse) -> Option<Value> {
    let strays: BTreeMap<&str, Value> = response
        .item_names()
        .filter(|stray| secret.items.keys().all(|name| name.as_str() != *stray))
        .map(|stray| (stray, Value::Null))
        .collect();
    (!strays.is_empty()).then(|| {
        json!({
            "metadata": {"resourceVersion": response.metadata.resource_version},
            "data": strays,
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

/// What a refused write means; `replaced` is the uid of the Secret that was there before, if any.
fn failure(error: &kube::Error, replaced: Option<&str>) -> Failure {
    let kube::Error::Api(status) = error else {
        let message = format!("writing the Secret: {}", describe(error));
        return Failure::new(Reason::ApiError, message);
    };
    let (reason, message) = match status.code {
        400 | 422 => return invalid(status),
        403 if replaced.is_some() => (Reason::Forbidden, FORBIDDEN_TO_TAKE_OVER),
        403 => (Reason::Forbidden, FORBIDDEN),
        409 => (
            Reason::Conflict,
            "the Secret was changed while it was being written",
        ),
        413 => (
            Reason::TooLarge,
            "the API server takes no Secret of this size",
        ),
        code => {
            let message = format!("writing the Secret: the API server answered {code}");
            return Failure::new(Reason::ApiError, message);
        }
    };
    Failure::new(reason, message)
}

const FORBIDDEN: &str = "the API server forbids the controller to write the Secret: see whether the \
    namespace is being deleted, its quota is used up, or an admission policy refuses it";

/// To become the owner of an object is to have it deleted one day, so some clusters ask for that
/// permission.
const FORBIDDEN_TO_TAKE_OVER: &str = "the API server forbids the controller to write the Secret; \
    where the admission plugin OwnerReferencesPermissionEnforcement is on, taking over a Secret \
    that exists needs the permission to delete it";

/// What is invalid about a Secret, by the fields that the API server names and the kind of its
/// complaint.
fn invalid(status: &Status) -> Failure {
    let causes = status.details.iter().flat_map(|details| &details.causes);
    let complains = |field: &str, reason: &str| {
        causes
            .clone()
            .any(|cause| cause.field == field && cause.reason == reason)
    };
    if complains("data", "FieldValueForbidden") || complains("immutable", "FieldValueForbidden") {
        return Failure::new(
            Reason::ImmutableSecret,
            "the Secret is immutable and would change: delete it to have it written anew",
        );
    }
    if causes.clone().any(|cause| cause.field == "type") {
        return Failure::new(
            Reason::TypeChange,
            "the Secret has another type, which cannot be changed: delete it to have it written anew",
        );
    }
    Failure::new(
        Reason::InvalidSecret,
        "the API server takes no such Secret: see what its type, labels and annotations ask for",
    )
}

/// Writes the status, and returns the object's resource version after it.
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
