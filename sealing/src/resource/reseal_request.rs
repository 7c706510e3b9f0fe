//! ResealRequest: asks the controller to reseal the headers of seals.

use std::fmt;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{RequestStatus, WrappedFileKey};
use crate::Scope;

/// Asks the controller to wrap the file keys of seals for the active sealing key of their
/// environment. A request contains no item, and no plaintext leaves the controller.
#[derive(CustomResource, JsonSchema, Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[kube(
    group = "sceau.dev",
    version = "v1alpha1",
    kind = "ResealRequest",
    plural = "resealrequests",
    status = "ResealRequestStatus",
    derive = "PartialEq",
    doc = "Asks the controller to wrap the file keys of seals for the active sealing key of their environment.",
    validation = Rule::new("self.spec == oldSelf.spec").message("the spec of a ResealRequest is immutable"),
    printcolumn = r#"{"name":"Environment","type":"string","jsonPath":".spec.environment"}"#,
    printcolumn = r#"{"name":"Complete","type":"string","jsonPath":".status.conditions[?(@.type==\"Complete\")].status"}"#,
    printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#
)]
pub struct ResealRequestSpec {
    /// The environment of all seals: an RFC 1123 label.
    #[schemars(
        length(min = 1, max = 63),
        regex(pattern = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")
    )]
    pub environment: String,
    /// The headers of 1 to 512 seals.
    #[schemars(length(min = 1, max = 512), extend("x-kubernetes-list-type" = "atomic"))]
    pub seals: Vec<SealHeader>,
}

/// A seal without its items, with its SealedSecret.
#[derive(JsonSchema, Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SealHeader {
    /// The namespace of its SealedSecret.
    #[schemars(length(min = 1, max = 63))]
    pub namespace: String,
    /// The name of its SealedSecret.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// The scope of its SealedSecret.
    pub scope: Scope,
    /// The commitment of the seal.
    #[schemars(regex(pattern = "^sceau:v1:[A-Za-z0-9+/]{43}=$"))]
    pub commitment: String,
    /// The file key of the seal, wrapped for its present recipients.
    #[schemars(length(min = 1, max = 16), extend("x-kubernetes-list-type" = "atomic"))]
    pub recipients: Vec<WrappedFileKey>,
}

/// The controller's answer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResealRequestStatus {
    /// The generation that was answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// `Complete` is True when every seal has an outcome, False when the request is rejected as a
    /// whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// The outcome for each seal of the spec, in the same order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub seals: Vec<ResealOutcome>,
}

/// The outcome for one seal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResealOutcome {
    /// The result, as one word.
    pub result: ResealResult,
    /// The file key, wrapped for the active sealing key. Only set for `Resealed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient: Option<WrappedFileKey>,
    /// Why the seal was not resealed. Not set for `Resealed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// The result for one seal.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub enum ResealResult {
    /// The file key was wrapped for the active sealing key.
    ///
    /// Cure: Nothing.
    Resealed,
    /// The header is malformed.
    ///
    /// Cure: Seal the values again.
    Malformed,
    /// Decryption failed: the header was modified, or the seal is for another environment,
    /// namespace, name or scope.
    ///
    /// Cure: Compare environment, namespace, name and scope with those it was sealed for.
    Refused,
    /// It is sealed only for revoked keys.
    ///
    /// Cure: Rotate the values: `sceau set`.
    RevokedSealingKey,
    /// It is sealed only for keys that the environment does not have.
    ///
    /// Cure: Restore the key with `sceau keys restore`.
    UnknownSealingKey,
}

impl ResealResult {
    /// All results.
    pub const ALL: [Self; 5] = [
        Self::Malformed,
        Self::Refused,
        Self::Resealed,
        Self::RevokedSealingKey,
        Self::UnknownSealingKey,
    ];

    /// The name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "Malformed",
            Self::Refused => "Refused",
            Self::Resealed => "Resealed",
            Self::RevokedSealingKey => "RevokedSealingKey",
            Self::UnknownSealingKey => "UnknownSealingKey",
        }
    }
}

impl fmt::Display for ResealResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl RequestStatus for ResealRequestStatus {
    fn conditions(&self) -> &[Condition] {
        &self.conditions
    }
}
