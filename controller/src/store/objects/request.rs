//! Requests as the API server sends them, with any content.
//!
//! An invalid request is answered like any other, so that its sender does not wait.

use kube::core::{
    ObjectMeta,
    object::{HasSpec, HasStatus},
};
use serde::{Deserialize, Deserializer, de::DeserializeOwned};

use super::{InvalidSpec, RawObject};

/// A request of the kind `R`; its spec may be invalid.
pub(crate) struct ReceivedRequest<R: HasSpec + HasStatus> {
    pub(crate) metadata: ObjectMeta,
    pub(crate) spec: Result<R::Spec, InvalidSpec>,
    /// Its last status; `None` if it is missing or not valid.
    pub(crate) status: Option<R::Status>,
}

impl<R: HasSpec + HasStatus> ReceivedRequest<R> {
    /// Its generation; 0 if it was never stored.
    pub(crate) fn generation(&self) -> i64 {
        self.metadata.generation.unwrap_or_default()
    }

    /// Its name; empty if it was never stored.
    pub(crate) fn name(&self) -> &str {
        self.metadata.name.as_deref().unwrap_or_default()
    }

    /// Whether it is being deleted.
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
