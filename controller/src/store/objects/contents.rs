//! A whole SealedSecret, read to be opened.

use kube::core::ObjectMeta;
use sealing::resource::SealedSecretSpec;
use serde::{Deserialize, Deserializer};

use super::{ReceivedSealedSecret, Sent, Unreadable};

/// A SealedSecret with its ciphertexts.
pub(crate) struct Contents {
    metadata: ObjectMeta,
    pub(crate) spec: Result<SealedSecretSpec, Unreadable>,
}

impl Contents {
    /// Whether it is what was decided about, and not a later version or another object of its name.
    pub(crate) fn are_of(&self, object: &ReceivedSealedSecret) -> bool {
        self.metadata.uid == object.metadata.uid
            && self.metadata.generation == object.metadata.generation
    }
}

impl<'de> Deserialize<'de> for Contents {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let sent = Sent::deserialize(deserializer)?;
        Ok(Self {
            metadata: sent.metadata,
            spec: serde_json::from_value(sent.spec).map_err(|_| Unreadable),
        })
    }
}
