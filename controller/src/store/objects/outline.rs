//! What is kept of each SealedSecret: all that decisions without keys need, and nothing that grows
//! with its values.
//!
//! Whoever may create SealedSecrets decides how large they are; ciphertexts are read again, by name,
//! when they are opened.

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
    /// The environment that it says it is sealed for.
    pub environment: String,
    /// The type of its Secret.
    pub secret_type: String,
    /// Whom each seal is wrapped for.
    pub seals: Vec<Vec<KeyId>>,
    /// The length of its ciphertexts.
    pub size: usize,
}

impl Outline {
    /// The outline of a spec.
    ///
    /// # Errors
    /// [`InvalidSpec`] when a recipient is named by something that is no key id.
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

/// The name of the digest that stands for all annotations.
const DIGEST: &str = "sceau.dev/digest";

/// Leaves of labels nothing, and of annotations a digest that changes with them: somebody who
/// touches an object has it looked at again.
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
