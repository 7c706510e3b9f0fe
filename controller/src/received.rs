//! A SealedSecret as the API server sends it, whatever stands in it.
//!
//! A spec that this version cannot read must stop neither the watch nor the others: it is received
//! as unreadable and refused by the plan. What was wrong is not kept, since a parser's complaint
//! repeats the text it met.

use std::{borrow::Cow, fmt};

use kube::{
    Resource, ResourceExt as _,
    core::{NamespaceResourceScope, ObjectMeta},
};
use sealing::resource::{SealedSecret, SealedSecretSpec, SealedSecretStatus};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

mod environment;

pub(crate) use environment::{OnlyClaims, ReceivedEnvironment};

/// A SealedSecret, readable or not.
#[derive(Clone)]
pub struct ReceivedSealedSecret {
    /// Its metadata.
    pub metadata: ObjectMeta,
    /// What it says, if it can be read.
    pub spec: Result<SealedSecretSpec, Unreadable>,
    /// What was found before; absent when there is none, or none that can be read.
    pub status: Option<SealedSecretStatus>,
}

/// A spec that does not fit its schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unreadable;

impl ReceivedSealedSecret {
    /// Its generation; a SealedSecret that was never stored has none.
    pub(crate) fn generation(&self) -> i64 {
        self.metadata.generation.unwrap_or_default()
    }

    /// Whether it is on its way out.
    pub(crate) fn is_being_deleted(&self) -> bool {
        self.metadata.deletion_timestamp.is_some()
    }

    /// Namespace and name, as people write them.
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
            metadata: object.metadata,
            spec: Ok(object.spec),
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
        #[derive(Deserialize)]
        struct Sent {
            metadata: ObjectMeta,
            #[serde(default)]
            spec: Value,
            #[serde(default)]
            status: Value,
        }
        let sent = Sent::deserialize(deserializer)?;
        Ok(Self {
            metadata: sent.metadata,
            spec: serde_json::from_value(sent.spec).map_err(|_| Unreadable),
            status: serde_json::from_value(sent.status).ok(),
        })
    }
}

impl Resource for ReceivedSealedSecret {
    type DynamicType = ();
    type Scope = NamespaceResourceScope;

    fn kind(dynamic: &()) -> Cow<'_, str> {
        SealedSecret::kind(dynamic)
    }

    fn group(dynamic: &()) -> Cow<'_, str> {
        SealedSecret::group(dynamic)
    }

    fn version(dynamic: &()) -> Cow<'_, str> {
        SealedSecret::version(dynamic)
    }

    fn plural(dynamic: &()) -> Cow<'_, str> {
        SealedSecret::plural(dynamic)
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_unreadable_spec_keeps_its_metadata_and_repeats_nothing() {
        let received: ReceivedSealedSecret = serde_json::from_value(json!({
            "metadata": {"name": "api", "namespace": "shop", "generation": 3},
            "spec": {"environment": "prod", "seals": "hunter2"},
            "status": {"observedGeneration": 2},
        }))
        .unwrap();
        assert_eq!(received.spec, Err(Unreadable));
        assert_eq!(received.generation(), 3);
        let status = received.status.as_ref().unwrap();
        assert_eq!(status.observed_generation, Some(2));
        assert!(!format!("{received:?}").contains("hunter2"));
    }
}
