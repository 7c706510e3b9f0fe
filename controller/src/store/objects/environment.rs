//! Environments as the API server sends them, with any content.
//!
//! An invalid Environment must not hide others. It still selects its namespaces: no other
//! Environment may unseal there.

use kube::core::{ClusterResourceScope, ObjectMeta};
use sealing::resource::{Environment, EnvironmentSpec, EnvironmentStatus, SealingKeySettings};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::RawObject;

/// An Environment; its spec may be invalid.
#[derive(Debug, Clone)]
pub(crate) struct ReceivedEnvironment {
    pub(crate) metadata: ObjectMeta,
    pub(crate) spec: Result<EnvironmentSpec, NamespaceClaims>,
    /// Its last status; `None` if it is missing or not valid.
    pub(crate) status: Option<EnvironmentStatus>,
}

/// The part of an invalid spec that is used: the namespaces that it lists or selects, if these can
/// be parsed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct NamespaceClaims(pub(crate) Box<EnvironmentSpec>);

const CLAIMS: [&str; 2] = ["namespaces", "namespaceSelector"];

impl NamespaceClaims {
    fn of(mut spec: Value) -> Self {
        if let Some(fields) = spec.as_object_mut() {
            fields.retain(|field, _| CLAIMS.contains(&field.as_str()));
        }
        let nothing = EnvironmentSpec {
            namespaces: None,
            namespace_selector: None,
            sealing_keys: SealingKeySettings::default(),
            denied_secret_types: None,
        };
        Self(serde_json::from_value(spec).unwrap_or_else(|_| Box::new(nothing)))
    }
}

impl<'de> Deserialize<'de> for ReceivedEnvironment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let sent = RawObject::deserialize(deserializer)?;
        Ok(Self {
            metadata: sent.metadata,
            spec: EnvironmentSpec::deserialize(&sent.spec)
                .map_err(|_| NamespaceClaims::of(sent.spec)),
            status: serde_json::from_value(sent.status).ok(),
        })
    }
}

is_sent_as!(ReceivedEnvironment, Environment, ClusterResourceScope);

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_unreadable_spec_keeps_its_claims_as_far_as_they_can_be_read() {
        for (claim, expected) in [
            (json!(["shop"]), Some(vec!["shop".to_owned()])),
            (json!("hunter2"), None),
        ] {
            let received: ReceivedEnvironment = serde_json::from_value(json!({
                "metadata": {"name": "prod"},
                "spec": {
                    "namespaces": claim,
                    "sealingKeys": {"cutoffTime": "2026-01-01T23:59:59+99:00"},
                },
            }))
            .unwrap();
            let NamespaceClaims(claims) = received.spec.unwrap_err();
            assert_eq!(claims.namespaces, expected);
        }
    }
}
