//! SealedSecrets as the API server sends them, with any content.
//!
//! A spec that this version cannot parse must stop neither the watch nor other objects. It is
//! received as [`InvalidSpec`], and the plan rejects it. The parser's message is dropped, because
//! it repeats the text.

use std::fmt;

use kube::{
    ResourceExt as _,
    core::{NamespaceResourceScope, ObjectMeta},
};
use sealing::resource::{SealedSecret, SealedSecretStatus};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// Gives a received type the kind and metadata of its resource.
macro_rules! is_sent_as {
    ($received:ty, $resource:ty, $scope:ty) => {
        impl kube::Resource for $received {
            type DynamicType = ();
            type Scope = $scope;

            fn kind(dynamic: &()) -> std::borrow::Cow<'_, str> {
                <$resource as kube::Resource>::kind(dynamic)
            }

            fn group(dynamic: &()) -> std::borrow::Cow<'_, str> {
                <$resource as kube::Resource>::group(dynamic)
            }

            fn version(dynamic: &()) -> std::borrow::Cow<'_, str> {
                <$resource as kube::Resource>::version(dynamic)
            }

            fn plural(dynamic: &()) -> std::borrow::Cow<'_, str> {
                <$resource as kube::Resource>::plural(dynamic)
            }

            fn meta(&self) -> &kube::core::ObjectMeta {
                &self.metadata
            }

            fn meta_mut(&mut self) -> &mut kube::core::ObjectMeta {
                &mut self.metadata
            }
        }
    };
}

mod contents;
mod environment;
mod outline;
mod request;

pub(crate) use contents::FullSealedSecret;
pub(crate) use environment::{NamespaceClaims, ReceivedEnvironment};
pub use outline::Outline;
use outline::outline_of_metadata;
pub(crate) use request::ReceivedRequest;

/// A SealedSecret without its ciphertexts; its spec may be invalid.
#[derive(Clone)]
pub struct ReceivedSealedSecret {
    /// Its metadata without labels, with a digest of its annotations.
    pub metadata: ObjectMeta,
    /// Its spec without ciphertexts, if it is valid.
    pub outline: Result<Outline, InvalidSpec>,
    /// Its last status; `None` if it is missing or not valid.
    pub status: Option<SealedSecretStatus>,
}

/// An object before its spec and status are parsed.
#[derive(Deserialize)]
struct RawObject {
    metadata: ObjectMeta,
    #[serde(default)]
    spec: Value,
    #[serde(default)]
    status: Value,
}

/// The spec does not match its schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidSpec;

impl ReceivedSealedSecret {
    /// Its generation; 0 if it was never stored.
    pub(crate) fn generation(&self) -> i64 {
        self.metadata.generation.unwrap_or_default()
    }

    /// Whether it is being deleted.
    pub(crate) fn is_being_deleted(&self) -> bool {
        self.metadata.deletion_timestamp.is_some()
    }

    /// Its namespace and name, as `namespace/name`.
    pub(crate) fn path(&self) -> String {
        format!(
            "{}/{}",
            self.metadata.namespace.as_deref().unwrap_or_default(),
            self.name_any()
        )
    }
}

impl From<SealedSecret> for ReceivedSealedSecret {
    fn from(object: SealedSecret) -> Self {
        Self {
            metadata: outline_of_metadata(object.metadata),
            outline: Outline::of(&object.spec),
            status: object.status,
        }
    }
}

impl fmt::Debug for ReceivedSealedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReceivedSealedSecret({})", self.path())
    }
}

impl<'de> Deserialize<'de> for ReceivedSealedSecret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let sent = RawObject::deserialize(deserializer)?;
        Ok(Self {
            metadata: outline_of_metadata(sent.metadata),
            outline: serde_json::from_value(sent.spec)
                .map_err(|_| InvalidSpec)
                .and_then(|spec| Outline::of(&spec)),
            status: serde_json::from_value(sent.status).ok(),
        })
    }
}

is_sent_as!(ReceivedSealedSecret, SealedSecret, NamespaceResourceScope);

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn touched(times: &str) -> ReceivedSealedSecret {
        serde_json::from_value(json!({
            "metadata": {"name": "api", "annotations": {"touched": times}},
        }))
        .unwrap()
    }

    #[test]
    fn annotations_leave_only_the_trace_of_a_change() {
        let long = "x".repeat(100_000);
        let stored = touched(&long).metadata.annotations.unwrap();
        assert!(
            stored
                .iter()
                .all(|(name, digest)| name.len() + digest.len() < 50)
        );
        assert_eq!(touched(&long).metadata, touched(&long).metadata);
        assert_ne!(touched("once").metadata, touched("twice").metadata);
    }

    #[test]
    fn an_unreadable_spec_keeps_its_metadata_and_repeats_nothing() {
        let received: ReceivedSealedSecret = serde_json::from_value(json!({
            "metadata": {"name": "api", "namespace": "shop", "generation": 3},
            "spec": {"environment": "prod", "seals": "hunter2"},
            "status": {"observedGeneration": 2},
        }))
        .unwrap();
        assert_eq!(received.outline, Err(InvalidSpec));
        assert_eq!(received.generation(), 3);
        let status = received.status.as_ref().unwrap();
        assert_eq!(status.observed_generation, Some(2));
        assert!(!format!("{received:?}").contains("hunter2"));
    }
}
