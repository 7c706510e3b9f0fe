//! The original's SealedSecret, `bitnami.com/v1alpha1`: the fields that opening one needs.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// A SealedSecret of the original.
#[derive(Debug, Clone, Deserialize)]
pub struct SealedSecret {
    /// Where it stands, and its scope.
    pub metadata: Metadata,
    /// What is sealed.
    pub spec: Spec,
}

/// The metadata that decide where it may be opened.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Metadata {
    /// Its name.
    pub name: Option<String>,
    /// Its namespace.
    pub namespace: Option<String>,
    /// Its annotations: the scope is among them.
    #[serde(default)]
    pub annotations: Option<BTreeMap<String, String>>,
}

/// What is sealed, and what the Secret is given beside it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Spec {
    /// Each item, sealed by itself. Absent in manifests of the first version.
    #[serde(default)]
    pub encrypted_data: Option<BTreeMap<String, Value>>,
    /// The whole Secret sealed as one, as the first version did.
    #[serde(default)]
    pub data: Option<String>,
    /// What the Secret is given beside its items.
    #[serde(default)]
    pub template: Option<Template>,
}

/// What the Secret is given beside its items.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Template {
    /// Its type.
    #[serde(default, rename = "type")]
    pub secret_type: Option<String>,
    /// Whether Kubernetes shall refuse changes.
    #[serde(default)]
    pub immutable: Option<bool>,
    /// Its labels and annotations.
    #[serde(default)]
    pub metadata: Option<TemplateMetadata>,
    /// Texts that the original's controller makes items from.
    #[serde(default)]
    pub data: Option<BTreeMap<String, Value>>,
}

/// Labels and annotations of the Secret.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct TemplateMetadata {
    /// Labels.
    #[serde(default)]
    pub labels: Option<BTreeMap<String, String>>,
    /// Annotations.
    #[serde(default)]
    pub annotations: Option<BTreeMap<String, String>>,
}

/// The API group of the original.
pub const GROUP: &str = "bitnami.com";
/// The annotation for namespace-wide scope.
pub const NAMESPACE_WIDE: &str = "sealedsecrets.bitnami.com/namespace-wide";
/// The annotation for cluster-wide scope.
pub const CLUSTER_WIDE: &str = "sealedsecrets.bitnami.com/cluster-wide";
