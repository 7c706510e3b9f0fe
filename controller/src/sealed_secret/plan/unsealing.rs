//! From the decision to unseal to the Secret to write.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use sealing::{
    EnvironmentName, ItemName, KeyId, SecretRef, UnsealError, Unsealed,
    envelope::native::{Envelope, ParseError},
    resource::{RESERVED_PREFIX, SealedSecretSpec, SecretTemplate},
};

use super::{DesiredSecret, missing_keys};
use crate::{
    fingerprint::annotation::{Compared, Fingerprinting, Fingerprints, OpenedItems},
    sealed_secret::outcome::Failure,
    status::reason::Reason,
    store::ResolvedEnvironment,
};

/// A SealedSecret that may be unsealed. Only its seals can still be rejected.
#[derive(Debug)]
pub struct Permitted {
    pub(super) place: SecretRef,
    pub(super) environment: Arc<ResolvedEnvironment>,
    pub(super) owner: OwnerReference,
    pub(super) precondition: Option<String>,
    pub(super) fingerprinting: Option<Fingerprinting>,
    pub(super) corrects_drift: bool,
}

impl Permitted {
    /// Whether it was unsealed before and did not change: then the Secret or a key has changed.
    pub fn corrects_drift(&self) -> bool {
        self.corrects_drift
    }

    /// Parses the seals and finds their keys.
    ///
    /// # Errors
    /// A [`Failure`] when the template or a seal is rejected, or a key is missing.
    pub fn unsealing(self, spec: SealedSecretSpec) -> Result<Unsealing, Failure> {
        check_names(&spec.template)?;
        let envelope = Envelope::parse(&spec).map_err(|error| malformed(&error))?;
        let keys = match envelope.opening_keys(&self.environment.ring) {
            Ok(keys) => keys.into_iter().map(sealing::SealingKey::id).collect(),
            Err(missing) => return Err(missing_keys(&missing, &self.environment)),
        };
        Ok(Unsealing {
            permitted: self,
            envelope,
            keys,
            template: spec.template,
        })
    }
}

/// Reserved labels would turn a Secret in the controller's namespace into a sealing key. Reserved
/// annotations record what the controller knows of a Secret.
fn check_names(template: &SecretTemplate) -> Result<(), Failure> {
    let metadata = &template.metadata;
    let labels = metadata.labels.keys().map(|name| ("label", name));
    let annotations = metadata.annotations.keys().map(|name| ("annotation", name));
    let reserved = |(_, name): &(_, &String)| name.starts_with(RESERVED_PREFIX);
    match labels.chain(annotations).find(reserved) {
        None => Ok(()),
        Some((kind, name)) => Err(Failure::new(
            Reason::ReservedMetadata,
            format!(
                "the template sets the {kind} {name}: remove it, {kind}s of {RESERVED_PREFIX} are reserved for the controller"
            ),
        )),
    }
}

fn malformed(error: &ParseError) -> Failure {
    let reason = match error {
        ParseError::Bytes(_) => Reason::TooLarge,
        _ => Reason::Malformed,
    };
    Failure::new(reason, error.to_string())
}

/// Seals to decrypt, and the Secret that they are for.
#[derive(Debug)]
pub struct Unsealing {
    permitted: Permitted,
    envelope: Envelope,
    keys: Vec<KeyId>,
    template: SecretTemplate,
}

/// The Secret to write, and the keys that decrypted it.
#[derive(Debug)]
pub struct Opened {
    /// The Secret to write.
    pub secret: DesiredSecret,
    /// One key for each seal, in the same order.
    pub opened_by: Vec<KeyId>,
    /// The comparison of its values with earlier ones, if possible.
    pub compared: Option<Compared>,
}

impl Unsealing {
    /// Decrypts the seals: one private-key operation for each.
    ///
    /// # Errors
    /// A [`Failure`]. All items are decrypted, or none is used.
    pub fn open(&self) -> Result<Opened, Failure> {
        let Permitted {
            place,
            environment,
            owner,
            precondition,
            ..
        } = &self.permitted;
        let unsealed = self
            .envelope
            .open(place, &environment.ring)
            .map_err(|error| refused(&error, environment))?;
        let sealed_at = self.sealed_at();
        let fingerprints = self.fingerprint(&unsealed, &sealed_at);
        Ok(Opened {
            compared: fingerprints
                .as_ref()
                .and_then(|fingerprints| fingerprints.compared(&sealed_at)),
            secret: DesiredSecret {
                place: place.clone(),
                template: self.template.clone(),
                items: unsealed.items,
                fingerprints,
                owner: owner.clone(),
                precondition: precondition.clone(),
            },
            opened_by: unsealed.opened_by,
        })
    }

    /// When each item was sealed.
    fn sealed_at(&self) -> BTreeMap<&ItemName, Timestamp> {
        let seals = self.envelope.seals.iter();
        seals
            .flat_map(|seal| seal.item_sizes().map(|(name, _)| (name, seal.sealed_at)))
            .collect()
    }

    fn fingerprint(
        &self,
        unsealed: &Unsealed,
        sealed_at: &BTreeMap<&ItemName, Timestamp>,
    ) -> Option<Fingerprints> {
        let fingerprinting = self.permitted.fingerprinting.as_ref()?;
        Some(fingerprinting.fingerprint(OpenedItems {
            environment: &self.permitted.environment.name,
            place: &self.permitted.place,
            items: &unsealed.items,
            sealed_at,
            annotations: &self.template.metadata.annotations,
        }))
    }

    /// The namespace and name of the SealedSecret.
    pub fn place(&self) -> &SecretRef {
        &self.permitted.place
    }

    /// The environment whose keys decrypt it.
    pub fn environment(&self) -> &EnvironmentName {
        &self.permitted.environment.name
    }

    /// The sealing keys that decrypt it: one for each seal, in the same order.
    pub fn keys(&self) -> &[KeyId] {
        &self.keys
    }
}

/// The failure for a seal that was not decrypted, in a SealedSecret or a request.
pub(crate) fn refused(error: &UnsealError, environment: &ResolvedEnvironment) -> Failure {
    let reason = match error {
        UnsealError::UnknownSealingKey(missing) => return missing_keys(missing, environment),
        UnsealError::Malformed(_) => Reason::Malformed,
        UnsealError::NoKeyOpens(_) | UnsealError::Refused => Reason::Refused,
    };
    Failure::new(reason, error.to_string())
}
