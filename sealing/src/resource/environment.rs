//! Environment: which namespaces belong together, and how their sealing keys live.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, LabelSelector, Time};
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Secret types that make a credential of the cluster itself.
const REFUSED_SECRET_TYPES: [&str; 2] = [
    "kubernetes.io/service-account-token",
    "bootstrap.kubernetes.io/token",
];

/// Instants that every reader can read: the format `date-time` of the API server takes offsets of
/// any size.
const INSTANT: &str = "^[12][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3])(:[0-5][0-9]){2}([.][0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$";

/// A set of namespaces with sealing keys of its own.
#[derive(CustomResource, JsonSchema, Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[kube(
    group = "sceau.dev",
    version = "v1alpha1",
    kind = "Environment",
    plural = "environments",
    status = "EnvironmentStatus",
    derive = "PartialEq",
    doc = "A set of namespaces with sealing keys of its own.",
    validation = Rule::new("self.metadata.name.matches('^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$')")
        .message("the name of an environment has 1 to 63 lower-case letters, digits and `-`"),
    printcolumn = r#"{"name":"Ready","type":"string","jsonPath":".status.conditions[?(@.type==\"Ready\")].status"}"#,
    printcolumn = r#"{"name":"Keys","type":"string","jsonPath":".status.sealingKeys[*].state"}"#,
    printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#
)]
#[schemars(extend("x-kubernetes-validations" = [{
    "rule": "has(self.namespaces) || has(self.namespaceSelector)",
    "message": "name the namespaces, or select them; `namespaceSelector: {}` selects all",
}]))]
pub struct EnvironmentSpec {
    /// Namespaces that belong to it, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024), inner(length(min = 1, max = 63)))]
    pub namespaces: Option<Vec<String>>,
    /// Namespaces that belong to it, by label; an empty selector selects every namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace_selector: Option<LabelSelector>,
    /// How its sealing keys live.
    #[serde(default, skip_serializing_if = "SealingKeySettings::is_default")]
    pub sealing_keys: SealingKeySettings,
    /// Types of Secrets that are never written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64), inner(length(min = 1, max = 253)))]
    pub denied_secret_types: Option<Vec<String>>,
}

impl EnvironmentSpec {
    /// Whether Secrets of this type are never written. When the field is absent, those that make
    /// a credential of the cluster itself are refused.
    pub fn refuses_secret_type(&self, secret_type: &str) -> bool {
        self.denied_secret_types.as_ref().map_or_else(
            || REFUSED_SECRET_TYPES.contains(&secret_type),
            |refused| refused.iter().any(|one| one == secret_type),
        )
    }
}

/// How sealing keys live.
#[derive(JsonSchema, Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SealingKeySettings {
    /// The size of new keys; 4096 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = [2048, 3072, 4096, 8192], "format" = "int32"))]
    pub bits: Option<u32>,
    /// The age at which the active key is replaced, as a Go duration; 720h when absent, `0s` is never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32), extend("x-kubernetes-validations" = [{
        "rule": "duration(self) == duration('0s') || duration(self) >= duration('1h')",
        "message": "renewPeriod is a duration of at least 1h such as `720h`, or `0s` for never",
    }]))]
    pub renew_period: Option<String>,
    /// Replaces any active key that was made before this instant: re-keying.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("pattern" = INSTANT))]
    pub cutoff_time: Option<Time>,
    /// The ids of keys that open nothing any more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1024), inner(regex(pattern = "^sha256:[0-9a-f]{64}$")))]
    pub revoked_key_ids: Vec<String>,
}

impl SealingKeySettings {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// The public side of an environment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("default" = {"observedGeneration": -1}))]
pub struct EnvironmentStatus {
    /// The generation that the conditions speak of; -1 until the controller has seen the object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Ready, Reconciling and Stalled.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// The certificate of the active sealing key, in PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
    /// Every sealing key, newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub sealing_keys: Vec<SealingKeyStatus>,
}

/// One sealing key, as people see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SealingKeyStatus {
    /// Its id.
    pub key_id: String,
    /// What it may do.
    pub state: SealingKeyState,
    /// When it was made.
    pub created_at: Time,
    /// When its certificate ends.
    pub not_after: Time,
    /// How many SealedSecrets it opens; of a revoked key, how many it opens no more.
    #[schemars(extend("format" = "int32"))]
    pub sealed_secrets: u32,
}

/// What a sealing key may do.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub enum SealingKeyState {
    /// Its certificate is the one to seal to; it opens.
    Active,
    /// It opens, and nothing new should be sealed to it.
    Retired,
    /// It opens nothing.
    Revoked,
}
