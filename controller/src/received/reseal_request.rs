//! A ResealRequest as the API server sends it, whatever stands in it.
//!
//! One that cannot be read is answered as any other, so that nobody waits for it.

use kube::core::{ClusterResourceScope, ObjectMeta};
use sealing::resource::{ResealRequest, ResealRequestSpec, ResealRequestStatus};
use serde::{Deserialize, Deserializer};

use super::{Sent, Unreadable};

/// A ResealRequest, readable or not.
#[derive(Debug, Clone)]
pub(crate) struct ReceivedResealRequest {
    pub(crate) metadata: ObjectMeta,
    pub(crate) spec: Result<ResealRequestSpec, Unreadable>,
    /// What was answered before; absent when there is nothing, or nothing that can be read.
    pub(crate) status: Option<ResealRequestStatus>,
}

impl ReceivedResealRequest {
    /// Its generation; a request that was never stored has none.
    pub(crate) fn generation(&self) -> i64 {
        self.metadata.generation.unwrap_or_default()
    }

    /// Whether it is on its way out.
    pub(crate) fn is_being_deleted(&self) -> bool {
        self.metadata.deletion_timestamp.is_some()
    }
}

impl<'de> Deserialize<'de> for ReceivedResealRequest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let sent = Sent::deserialize(deserializer)?;
        Ok(Self {
            metadata: sent.metadata,
            spec: serde_json::from_value(sent.spec).map_err(|_| Unreadable),
            status: serde_json::from_value(sent.status).ok(),
        })
    }
}

is_sent_as!(ReceivedResealRequest, ResealRequest, ClusterResourceScope);
