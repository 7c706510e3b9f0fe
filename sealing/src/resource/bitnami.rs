//! The Bitnami SealedSecret, `bitnami.com/v1alpha1`: the fields that unsealing needs.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// A Bitnami SealedSecret.
#[derive(Debug, Clone, Deserialize)]
pub struct SealedSecret {
    /// Its namespace and name, and its scope as annotations.
    pub metadata: Metadata,
    /// Its sealed items and its template.
    pub spec: Spec,
}

/// The metadata that the authenticated label is built from.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Metadata {
    /// Its name.
    pub name: Option<String>,
    /// Its namespace.
    pub namespace: Option<String>,
    /// Its annotations, which include the scope.
    #[serde(default)]
    pub annotations: Option<BTreeMap<String, String>>,
}

/// Sealed items, and the template of the Secret.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Spec {
    /// The items, each sealed by itself. Absent in manifests of version 1.
    #[serde(default)]
    pub encrypted_data: Option<BTreeMap<String, Value>>,
    /// The whole Secret, sealed as one item: version 1 of the format.
    #[serde(default)]
    pub data: Option<String>,
    /// The type, labels and annotations of the Secret.
    #[serde(default)]
    pub template: Option<Template>,
}

/// The type, labels and annotations of the Secret.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Template {
    /// Its type.
    #[serde(default, rename = "type")]
    pub secret_type: Option<String>,
    /// Whether Kubernetes rejects changes of its items.
    #[serde(default)]
    pub immutable: Option<bool>,
    /// Its labels and annotations.
    #[serde(default)]
    pub metadata: Option<TemplateMetadata>,
    /// Go templates that the Bitnami controller renders to items.
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

/// The API group of the Bitnami controller.
pub const GROUP: &str = "bitnami.com";
/// The annotation for namespace-wide scope.
pub const NAMESPACE_WIDE: &str = "sealedsecrets.bitnami.com/namespace-wide";
/// The annotation for cluster-wide scope.
pub const CLUSTER_WIDE: &str = "sealedsecrets.bitnami.com/cluster-wide";
