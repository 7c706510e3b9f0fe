//! A whole SealedSecret, read to be unsealed.

use kube::core::ObjectMeta;
use sealing::resource::SealedSecretSpec;
use serde::{Deserialize, Deserializer};

use super::{InvalidSpec, RawObject, ReceivedSealedSecret};

/// A SealedSecret with its ciphertexts.
pub(crate) struct FullSealedSecret {
    metadata: ObjectMeta,
    pub(crate) spec: Result<SealedSecretSpec, InvalidSpec>,
}

impl FullSealedSecret {
    /// Whether it is the version that was observed, and not a later one or another object of its
    /// name.
    pub(crate) fn are_of(&self, object: &ReceivedSealedSecret) -> bool {
        self.metadata.uid == object.metadata.uid
            && self.metadata.generation == object.metadata.generation
    }
}

impl<'de> Deserialize<'de> for FullSealedSecret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let sent = RawObject::deserialize(deserializer)?;
        Ok(Self {
            metadata: sent.metadata,
            spec: serde_json::from_value(sent.spec).map_err(|_| InvalidSpec),
        })
    }
}
