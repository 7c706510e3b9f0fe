//! A request as the API server sends it, whatever stands in it.
//!
//! One that cannot be read is answered as any other, so that nobody waits for it.

use kube::core::{
    ObjectMeta,
    object::{HasSpec, HasStatus},
};
use serde::{Deserialize, Deserializer, de::DeserializeOwned};

use super::{InvalidSpec, RawObject};

/// A request of the kind `R`, readable or not.
pub(crate) struct ReceivedRequest<R: HasSpec + HasStatus> {
    pub(crate) metadata: ObjectMeta,
    pub(crate) spec: Result<R::Spec, InvalidSpec>,
    /// What was answered before; absent when there is nothing, or nothing that can be read.
    pub(crate) status: Option<R::Status>,
}

impl<R: HasSpec + HasStatus> ReceivedRequest<R> {
    /// Its generation; a request that was never stored has none.
    pub(crate) fn generation(&self) -> i64 {
        self.metadata.generation.unwrap_or_default()
    }

    /// Its name; a request that was never stored may have none.
    pub(crate) fn name(&self) -> &str {
        self.metadata.name.as_deref().unwrap_or_default()
    }

    /// Whether it is on its way out.
    pub(crate) fn is_being_deleted(&self) -> bool {
        self.metadata.deletion_timestamp.is_some()
    }
}

impl<'de, R> Deserialize<'de> for ReceivedRequest<R>
where
    R: HasSpec<Spec: DeserializeOwned> + HasStatus<Status: DeserializeOwned>,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let sent = RawObject::deserialize(deserializer)?;
        Ok(Self {
            metadata: sent.metadata,
            spec: serde_json::from_value(sent.spec).map_err(|_| InvalidSpec),
            status: serde_json::from_value(sent.status).ok(),
        })
    }
}
