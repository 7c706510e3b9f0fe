//! Environment: the namespaces that belong together, and the settings of their sealing keys.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, LabelSelector, Time};
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Types of Secrets that Kubernetes turns into credentials for the cluster itself.
const REFUSED_SECRET_TYPES: [&str; 2] = [
    "kubernetes.io/service-account-token",
    "bootstrap.kubernetes.io/token",
];

/// Instants that all parsers accept. The format `date-time` of the API server allows offsets of any
/// size.
const INSTANT: &str = "^[12][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3])(:[0-5][0-9]){2}([.][0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$";

/// A set of namespaces that share sealing keys.
#[derive(CustomResource, JsonSchema, Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[kube(
    group = "sceau.dev",
    version = "v1alpha1",
    kind = "Environment",
    plural = "environments",
    status = "EnvironmentStatus",
    derive = "PartialEq",
    doc = "A set of namespaces that share sealing keys.",
    validation = Rule::new("self.metadata.name.matches('^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$')")
        .message("the name of an environment has 1 to 63 lower-case letters, digits and `-`"),
    printcolumn = r#"{"name":"Ready","type":"string","jsonPath":".status.conditions[?(@.type==\"Ready\")].status"}"#,
    printcolumn = r#"{"name":"Keys","type":"string","jsonPath":".status.sealingKeys[*].state"}"#,
    printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#
)]
#[schemars(extend("x-kubernetes-validations" = [{
    "rule": "has(self.namespaces) || has(self.namespaceSelector)",
    "message": "set namespaces or namespaceSelector; `namespaceSelector: {}` selects all namespaces",
}]))]
pub struct EnvironmentSpec {
    /// Namespaces of this environment, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024), inner(length(min = 1, max = 63)))]
    pub namespaces: Option<Vec<String>>,
    /// Namespaces of this environment, by label. An empty selector selects all namespaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace_selector: Option<LabelSelector>,
    /// Settings of its sealing keys.
    #[serde(default, skip_serializing_if = "SealingKeySettings::is_default")]
    pub sealing_keys: SealingKeySettings,
    /// Types of Secrets that the controller does not write. Defaults to
    /// kubernetes.io/service-account-token and bootstrap.kubernetes.io/token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64), inner(length(min = 1, max = 253)))]
    pub denied_secret_types: Option<Vec<String>>,
}

impl EnvironmentSpec {
    /// Whether the controller does not write Secrets of this type. If the field is absent, it
    /// denies the types that are credentials for the cluster itself.
    pub fn refuses_secret_type(&self, secret_type: &str) -> bool {
        self.denied_secret_types.as_ref().map_or_else(
            || REFUSED_SECRET_TYPES.contains(&secret_type),
            |refused| refused.iter().any(|one| one == secret_type),
        )
    }
}

/// Settings of sealing keys.
#[derive(JsonSchema, Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SealingKeySettings {
    /// The size of new keys in bits. Defaults to 4096.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = [2048, 3072, 4096, 8192], "format" = "int32"))]
    pub bits: Option<u32>,
    /// The age at which the active key is renewed, as a Go duration. Defaults to 720h; `0s`
    /// disables renewal by age.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32), extend("x-kubernetes-validations" = [{
        "rule": "duration(self) == duration('0s') || duration(self) >= duration('1h')",
        "message": "renewPeriod is a duration of at least 1h such as `720h`, or `0s` for no renewal",
    }]))]
    pub renew_period: Option<String>,
    /// Renews the active key if it was generated before this instant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("pattern" = INSTANT))]
    pub cutoff_time: Option<Time>,
    /// The ids of revoked keys. The controller does not unseal with them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1024), inner(regex(pattern = "^sha256:[0-9a-f]{64}$")))]
    pub revoked_key_ids: Vec<String>,
}

impl SealingKeySettings {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// The state of an environment, with its certificate and the state of its sealing keys.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("default" = {"observedGeneration": -1}))]
pub struct EnvironmentStatus {
    /// The generation that the conditions describe; -1 until the first reconcile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Ready, Reconciling and Stalled.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// The certificate of the active sealing key, in PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
    /// All sealing keys, newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub sealing_keys: Vec<SealingKeyStatus>,
}

/// The state of one sealing key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SealingKeyStatus {
    /// The id of the key.
    pub key_id: String,
    /// Its state.
    pub state: SealingKeyState,
    /// When it was generated.
    pub created_at: Time,
    /// When its certificate expires.
    pub not_after: Time,
    /// The number of SealedSecrets that it decrypts. For a revoked key: the number that can no
    /// longer be decrypted.
    #[schemars(extend("format" = "int32"))]
    pub sealed_secrets: u32,
}

/// The state of a sealing key.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub enum SealingKeyState {
    /// Seal for this key. The controller unseals with it.
    Active,
    /// Do not seal for this key. The controller still unseals with it.
    Retired,
    /// The controller does not unseal with this key.
    Revoked,
}
