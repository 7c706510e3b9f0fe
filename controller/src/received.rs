//! Objects as the API server sends them, whatever stands in them.
//!
//! A spec that this version cannot read must stop neither the watch nor the others: it is received
//! as unreadable and refused by the plan. What was wrong is not kept, since a parser's complaint
//! repeats the text it met.

use std::{borrow::Cow, fmt};

use kube::{
    Resource, ResourceExt as _,
    core::{
        ObjectMeta,
        object::{HasSpec, HasStatus},
    },
};
use sealing::resource::SealedSecret;
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::Value;

mod environment;

pub(crate) use environment::{OnlyClaims, ReceivedEnvironment};

/// An object of one of our resources, readable or not.
#[derive(Clone)]
pub struct Received<K: HasSpec + HasStatus> {
    /// Its metadata.
    pub metadata: ObjectMeta,
    /// What it says, if it can be read.
    pub spec: Result<K::Spec, Unreadable>,
    /// What was found before; absent when there is none, or none that can be read.
    pub status: Option<K::Status>,
}

/// A SealedSecret, readable or not.
pub type ReceivedSealedSecret = Received<SealedSecret>;

/// A spec that does not fit its schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unreadable;

impl<K: Resource<DynamicType = ()> + HasSpec + HasStatus> Received<K> {
    /// Its generation; an object that was never stored has none.
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

impl<K: Resource<DynamicType = ()> + HasSpec + HasStatus> fmt::Debug for Received<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Received{}({})", K::kind(&()), self.path())
    }
}

impl<'de, K> Deserialize<'de> for Received<K>
where
    K: HasSpec<Spec: DeserializeOwned> + HasStatus<Status: DeserializeOwned>,
{
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

impl<K: Resource<DynamicType = ()> + HasSpec + HasStatus> Resource for Received<K> {
    type DynamicType = ();
    type Scope = K::Scope;

    fn kind(dynamic: &()) -> Cow<'_, str> {
        K::kind(dynamic)
    }

    fn group(dynamic: &()) -> Cow<'_, str> {
        K::group(dynamic)
    }

    fn version(dynamic: &()) -> Cow<'_, str> {
        K::version(dynamic)
    }

    fn plural(dynamic: &()) -> Cow<'_, str> {
        K::plural(dynamic)
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
