//! SealedSecret: what a developer commits and the controller unseals.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Scope;

/// A secret that only the controller of its environment can open, in its namespace, under its name.
#[derive(CustomResource, JsonSchema, Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[kube(
    group = "sceau.dev",
    version = "v1alpha1",
    kind = "SealedSecret",
    plural = "sealedsecrets",
    namespaced,
    status = "SealedSecretStatus",
    derive = "PartialEq",
    doc = "A secret that only the controller of its environment can open, in its namespace, under its name.",
    printcolumn = r#"{"name":"Environment","type":"string","jsonPath":".spec.environment"}"#,
    printcolumn = r#"{"name":"Synced","type":"string","jsonPath":".status.conditions[?(@.type==\"Synced\")].status"}"#,
    printcolumn = r#"{"name":"Reason","type":"string","jsonPath":".status.conditions[?(@.type==\"Ready\")].reason"}"#,
    printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#
)]
pub struct SealedSecretSpec {
    /// The environment whose sealing keys open it: an RFC 1123 label.
    #[schemars(
        length(min = 1, max = 63),
        regex(pattern = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")
    )]
    pub environment: String,
    /// How far it reaches inside its environment.
    pub scope: Scope,
    /// What acts of sealing produced: 1 to 128, no item in two of them.
    #[schemars(length(min = 1, max = 128), extend("x-kubernetes-list-type" = "atomic"))]
    pub seals: Vec<Seal>,
    /// What the Secret is given beside its items.
    #[serde(default, skip_serializing_if = "SecretTemplate::is_empty")]
    #[schemars(extend("x-kubernetes-map-type" = "atomic"))]
    pub template: SecretTemplate,
}

/// What one act of sealing produced: one file key, wrapped for each recipient, and the items.
#[derive(JsonSchema, Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Seal {
    /// When a person gave these values; resealing keeps it; not authenticated.
    #[schemars(length(max = 64), extend("format" = "date-time"))]
    pub sealed_at: String,
    /// 32 bytes that bind the file key to this seal.
    #[schemars(regex(pattern = "^sceau:v1:[A-Za-z0-9+/]{43}=$"))]
    pub commitment: String,
    /// The file key, wrapped once for each of 1 to 16 sealing keys.
    #[schemars(length(min = 1, max = 16), extend("x-kubernetes-list-type" = "atomic"))]
    pub recipients: Vec<WrappedFileKey>,
    /// The sealed items by name: at most 1,024.
    #[schemars(schema_with = "items_schema")]
    pub items: BTreeMap<String, String>,
}

/// A file key, wrapped for one sealing key.
#[derive(JsonSchema, Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WrappedFileKey {
    /// SHA-256 of the sealing key's DER SubjectPublicKeyInfo.
    #[schemars(regex(pattern = "^sha256:[0-9a-f]{64}$"))]
    pub key_id: String,
    /// How it was wrapped.
    #[schemars(extend("enum" = ["RSA-OAEP-SHA256"]))]
    pub suite: String,
    /// The wrapped file key: 256 bytes for an RSA key of 2048 bits, 1,024 for one of 8192.
    #[schemars(
        length(min = 353, max = 1377),
        regex(pattern = "^sceau:v1:[A-Za-z0-9+/]+={0,2}$")
    )]
    pub wrapped: String,
}

/// What the Secret is given beside its items. Nothing in it is authenticated.
#[derive(JsonSchema, Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SecretTemplate {
    /// The Secret's type; `Opaque` when absent.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub secret_type: Option<String>,
    /// Whether Kubernetes shall refuse changes of the Secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub immutable: Option<bool>,
    /// The Secret's labels and annotations.
    #[serde(default, skip_serializing_if = "TemplateMetadata::is_empty")]
    pub metadata: TemplateMetadata,
}

impl SecretTemplate {
    /// The Secret's type, with Kubernetes' default.
    pub fn secret_type(&self) -> &str {
        self.secret_type.as_deref().unwrap_or("Opaque")
    }

    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Labels and annotations of the Secret.
#[derive(JsonSchema, Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TemplateMetadata {
    /// Labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Annotations.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

impl TemplateMetadata {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What the controller found and did.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("default" = {"observedGeneration": -1}))]
pub struct SealedSecretStatus {
    /// The generation that the conditions speak of; -1 until the controller has seen the object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Synced, Ready, Reconciling and Stalled, in this order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// For each seal of the spec, in its order, the sealing key that opened it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub seals: Vec<SealStatus>,
    /// Items that were sealed again with the value they had: such a value was not renewed. Absent
    /// where values cannot be compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub unchanged: Option<Vec<UnchangedItem>>,
    /// The Secret as it was written last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<WrittenSecret>,
}

/// The sealing key that opened a seal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SealStatus {
    /// The id of that key.
    pub opened_by: String,
}

/// An item whose seal is newer than its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UnchangedItem {
    /// Its name.
    pub item: String,
    /// When its value was given first: `sealedAt` of the oldest seal that was seen with it.
    pub since: String,
}

/// A Secret that the controller wrote, as it stood right after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WrittenSecret {
    /// Its uid.
    pub uid: String,
    /// Its resource version.
    pub resource_version: String,
}

fn items_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({
        "description": "The sealed items by name: at most 1,024.",
        "type": "object",
        "maxProperties": 1024,
        "x-kubernetes-map-type": "atomic",
        "x-kubernetes-validations": [{
            "rule": "self.all(name, name.matches('^[-._a-zA-Z0-9]{1,253}$'))",
            "message": "the name of an item has 1 to 253 letters, digits, `-`, `_` and `.`",
        }],
        "additionalProperties": {
            "type": "string",
            "maxLength": 1_500_000,
            "pattern": "^sceau:v1:[A-Za-z0-9+/]{20,}={0,2}$",
        },
    })
}
