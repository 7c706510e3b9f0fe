//! The part of each SealedSecret that is kept in memory. It is enough for all decisions that need
//! no key, and does not grow with the values.
//!
//! Tenants decide how large SealedSecrets are. So ciphertexts are not cached, but read by name when
//! they are decrypted.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use kube::core::ObjectMeta;
use sealing::{
    KeyId,
    resource::{SealedSecretSpec, SecretTemplate},
};

use super::InvalidSpec;

/// A SealedSecret's spec without ciphertexts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline {
    /// The environment that it names.
    pub environment: String,
    /// The type of its Secret.
    pub secret_type: String,
    /// The recipients of each seal.
    pub seals: Vec<Vec<KeyId>>,
    /// The length of its ciphertexts in bytes.
    pub size: usize,
}

impl Outline {
    /// The outline of a spec.
    ///
    /// # Errors
    /// [`InvalidSpec`] when a recipient's `keyId` is not a key id.
    pub fn of(spec: &SealedSecretSpec) -> Result<Self, InvalidSpec> {
        let seals = spec.seals.iter().map(|seal| {
            let ids = seal.recipients.iter();
            ids.map(|recipient| recipient.key_id.parse().map_err(|_| InvalidSpec))
                .collect()
        });
        let ciphertexts = spec.seals.iter().flat_map(|seal| seal.items.values());
        Ok(Self {
            environment: spec.environment.clone(),
            secret_type: SecretTemplate::secret_type(&spec.template).to_owned(),
            seals: seals.collect::<Result<_, _>>()?,
            size: ciphertexts.map(String::len).sum(),
        })
    }
}

/// The name of the annotation that holds the digest of all annotations.
const DIGEST: &str = "sceau.dev/digest";

/// Removes labels, and replaces annotations with a digest. So a changed annotation still triggers a
/// reconcile.
pub(super) fn outline_of_metadata(metadata: ObjectMeta) -> ObjectMeta {
    let digest = metadata.annotations.map(|annotations| {
        let mut hasher = DefaultHasher::new();
        annotations.hash(&mut hasher);
        [(DIGEST.to_owned(), format!("{:016x}", hasher.finish()))].into()
    });
    ObjectMeta {
        annotations: digest,
        labels: None,
        managed_fields: None,
        ..metadata
    }
}
