//! SealedSecret: developers commit it, the controller unseals it.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Scope;

/// A Secret in encrypted form. Only the controller of its environment decrypts it, within its
/// scope.
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
    doc = "A Secret in encrypted form. Only the controller of its environment decrypts it, within its scope.",
    printcolumn = r#"{"name":"Environment","type":"string","jsonPath":".spec.environment"}"#,
    printcolumn = r#"{"name":"Synced","type":"string","jsonPath":".status.conditions[?(@.type==\"Synced\")].status"}"#,
    printcolumn = r#"{"name":"Reason","type":"string","jsonPath":".status.conditions[?(@.type==\"Ready\")].reason"}"#,
    printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#
)]
pub struct SealedSecretSpec {
    /// The environment whose sealing keys decrypt it: an RFC 1123 label.
    #[schemars(
        length(min = 1, max = 63),
        regex(pattern = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")
    )]
    pub environment: String,
    /// Its scope inside the environment.
    pub scope: Scope,
    /// Its seals: 1 to 128. An item is in one seal only.
    #[schemars(length(min = 1, max = 128), extend("x-kubernetes-list-type" = "atomic"))]
    pub seals: Vec<Seal>,
    /// Type, labels and annotations of the Secret.
    #[serde(default, skip_serializing_if = "SecretTemplate::is_empty")]
    #[schemars(extend("x-kubernetes-map-type" = "atomic"))]
    pub template: SecretTemplate,
}

/// The result of one act of sealing: one file key, wrapped for each recipient, and the items.
#[derive(JsonSchema, Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Seal {
    /// When a person gave these values, as an RFC 3339 time. Resealing keeps it. It is not
    /// authenticated.
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
    /// SHA-256 of the sealing key's DER SubjectPublicKeyInfo (RFC 5280 4.1.2.7).
    #[schemars(regex(pattern = "^sha256:[0-9a-f]{64}$"))]
    pub key_id: String,
    /// The suite that wrapped it.
    #[schemars(extend("enum" = ["RSA-OAEP-SHA256"]))]
    pub suite: String,
    /// The wrapped file key: 256 bytes for an RSA key of 2048 bits, 1,024 bytes for one of 8192.
    #[schemars(
        length(min = 353, max = 1377),
        regex(pattern = "^sceau:v1:[A-Za-z0-9+/]+={0,2}$")
    )]
    pub wrapped: String,
}

/// Type, labels and annotations of the Secret. They are not authenticated.
#[derive(JsonSchema, Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SecretTemplate {
    /// The type of the Secret. Defaults to `Opaque`.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub secret_type: Option<String>,
    /// Whether Kubernetes rejects changes of the Secret's items.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub immutable: Option<bool>,
    /// The Secret's labels and annotations.
    #[serde(default, skip_serializing_if = "TemplateMetadata::is_empty")]
    pub metadata: TemplateMetadata,
}

impl SecretTemplate {
    /// The type of the Secret; `Opaque` when absent, as in Kubernetes.
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

/// The state of a SealedSecret after its last reconcile.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("default" = {"observedGeneration": -1}))]
pub struct SealedSecretStatus {
    /// The generation that the conditions describe; -1 until the first reconcile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Synced, Ready, Reconciling and Stalled, in this order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// The sealing key that decrypted each seal of the spec, in the same order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub seals: Vec<SealStatus>,
    /// Items that were sealed again with the same value: such a value was not rotated.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["item"]))]
    pub unchanged: Vec<UnchangedItem>,
    /// When the controller began to compare the values of this Secret. Absent if it cannot compare
    /// them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compared_since: Option<Time>,
    /// The Secret that the controller wrote last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<WrittenSecret>,
}

/// The sealing key that decrypted a seal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SealStatus {
    /// The id of this key.
    pub opened_by: String,
}

/// An item whose seal is newer than its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UnchangedItem {
    /// The name of the item.
    pub item: String,
    /// `sealedAt` of the oldest seal that had this value.
    pub since: String,
}

/// A Secret as the controller wrote it.
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
