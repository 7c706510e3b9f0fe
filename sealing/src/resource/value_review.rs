//! ValueReview: asks the controller which Secrets hold a value, without disclosing one.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{RequestStatus, WrappedFileKey};
use crate::ItemRef;

/// Asks the controller which Secrets hold a value. The answer contains no value.
#[derive(CustomResource, JsonSchema, Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[kube(
    group = "sceau.dev",
    version = "v1alpha1",
    kind = "ValueReview",
    plural = "valuereviews",
    status = "ValueReviewStatus",
    derive = "PartialEq",
    doc = "Asks the controller which Secrets hold a value. The answer contains no value.",
    validation = Rule::new("self.spec == oldSelf.spec").message("the spec of a ValueReview is immutable"),
    printcolumn = r#"{"name":"Complete","type":"string","jsonPath":".status.conditions[?(@.type==\"Complete\")].status"}"#,
    printcolumn = r#"{"name":"Reason","type":"string","jsonPath":".status.conditions[?(@.type==\"Complete\")].reason"}"#,
    printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#
)]
#[schemars(extend("x-kubernetes-validations" = [{
    "rule": "has(self.reuse) != has(self.trace)",
    "message": "set either `reuse` or `trace`",
}]))]
pub struct ValueReviewSpec {
    /// Finds the values that are in more than one Secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reuse: Option<ReuseQuestion>,
    /// Finds the Secrets that hold this value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<TraceQuestion>,
}

/// Finds the values that are in more than one Secret. It has no parameters.
#[derive(JsonSchema, Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReuseQuestion {}

/// Finds the Secrets that hold one value.
#[derive(JsonSchema, Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TraceQuestion {
    /// The environment whose active key the value is sealed for: an RFC 1123 label. The controller
    /// searches all environments of the cluster.
    #[schemars(
        length(min = 1, max = 63),
        regex(pattern = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")
    )]
    pub environment: String,
    /// The value, sealed for this request only.
    pub seal: SealedValue,
}

/// A seal of one value. It can be decrypted in a ValueReview only.
#[derive(JsonSchema, Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SealedValue {
    /// 32 bytes that bind the file key to this seal.
    #[schemars(regex(pattern = "^sceau:v1:[A-Za-z0-9+/]{43}=$"))]
    pub commitment: String,
    /// The file key, wrapped once for each of 1 to 16 sealing keys.
    #[schemars(length(min = 1, max = 16), extend("x-kubernetes-list-type" = "atomic"))]
    pub recipients: Vec<WrappedFileKey>,
    /// The sealed value: at most 64 KiB of plaintext.
    #[schemars(
        length(max = 87_413),
        regex(pattern = "^sceau:v1:[A-Za-z0-9+/]{20,}={0,2}$")
    )]
    pub value: String,
}

/// The controller's answer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ValueReviewStatus {
    /// The generation that was answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// `Complete` is True when the request is answered, False when it is rejected.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// For `reuse`: the items of each value that is in more than one Secret.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub reused: Vec<Vec<ItemRef>>,
    /// For `trace`: the items that have the value.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub found: Vec<ItemRef>,
}

impl RequestStatus for ValueReviewStatus {
    fn conditions(&self) -> &[Condition] {
        &self.conditions
    }
}
