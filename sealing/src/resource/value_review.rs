//! ValueReview: a question about values that the cluster answers without telling them.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{RequestStatus, WrappedFileKey};
use crate::ItemRef;

/// Asks the controller where values stand. No value is in the answer.
#[derive(CustomResource, JsonSchema, Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[kube(
    group = "sceau.dev",
    version = "v1alpha1",
    kind = "ValueReview",
    plural = "valuereviews",
    status = "ValueReviewStatus",
    derive = "PartialEq",
    doc = "Asks the controller where values stand. No value is in the answer.",
    validation = Rule::new("self.spec == oldSelf.spec").message("the spec of an ValueReview cannot be changed"),
    printcolumn = r#"{"name":"Complete","type":"string","jsonPath":".status.conditions[?(@.type==\"Complete\")].status"}"#,
    printcolumn = r#"{"name":"Reason","type":"string","jsonPath":".status.conditions[?(@.type==\"Complete\")].reason"}"#,
    printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#
)]
#[schemars(extend("x-kubernetes-validations" = [{
    "rule": "has(self.reuse) != has(self.trace)",
    "message": "ask one question: either `reuse` or `trace`",
}]))]
pub struct ValueReviewSpec {
    /// Which values stand in more than one Secret?
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reuse: Option<ReuseQuestion>,
    /// Where does this value stand?
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<TraceQuestion>,
}

/// The question which values stand in more than one Secret.
#[derive(JsonSchema, Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReuseQuestion {}

/// The question where a value stands.
#[derive(JsonSchema, Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TraceQuestion {
    /// The environment whose active key it is sealed for: an RFC 1123 label. All environments of the
    /// cluster are searched, whichever this is.
    #[schemars(
        length(min = 1, max = 63),
        regex(pattern = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")
    )]
    pub environment: String,
    /// The value, sealed for this purpose alone.
    pub seal: SealedValue,
}

/// A seal of one value that can be opened nowhere but in an ValueReview.
#[derive(JsonSchema, Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SealedValue {
    /// 32 bytes that bind the file key to this seal.
    #[schemars(regex(pattern = "^sceau:v1:[A-Za-z0-9+/]{43}=$"))]
    pub commitment: String,
    /// The file key, wrapped once for each of 1 to 16 sealing keys.
    #[schemars(length(min = 1, max = 16), extend("x-kubernetes-list-type" = "atomic"))]
    pub recipients: Vec<WrappedFileKey>,
    /// The sealed value: at most 64 KiB before it was sealed.
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
    /// Complete: True when the question is answered, False when it was refused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// For `reuse`: the places of each value that stands in more than one Secret.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub reused: Vec<Vec<ItemRef>>,
    /// For `trace`: where the value stands.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub found: Vec<ItemRef>,
}

impl RequestStatus for ValueReviewStatus {
    fn conditions(&self) -> &[Condition] {
        &self.conditions
    }
}
