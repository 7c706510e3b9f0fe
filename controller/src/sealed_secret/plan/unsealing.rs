//! From a decision to open seals to the Secret that they hold.

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

/// A SealedSecret that may be unsealed: nothing but its seals can still be in the way.
#[derive(Debug)]
pub struct Permitted {
    pub(super) place: SecretRef,
    pub(super) environment: Arc<ResolvedEnvironment>,
    pub(super) owner: OwnerReference,
    pub(super) precondition: Option<String>,
    pub(super) fingerprinting: Option<Fingerprinting>,
    pub(super) heals: bool,
}

impl Permitted {
    /// Whether it was unsealed before and is as it was: the Secret has changed, or a key.
    pub fn heals(&self) -> bool {
        self.heals
    }

    /// Looks at the seals, without keys.
    ///
    /// # Errors
    /// An [`Failure`] when they cannot be opened.
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

/// With a reserved label, a Secret in the controller's namespace would be a sealing key; reserved
/// annotations are what the controller knows of a Secret.
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
                "the template sets the {kind} {name}; {kind}s of {RESERVED_PREFIX} are the controller's"
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

/// Seals that are to be opened, and what becomes of them.
#[derive(Debug)]
pub struct Unsealing {
    permitted: Permitted,
    envelope: Envelope,
    keys: Vec<KeyId>,
    template: SecretTemplate,
}

/// The Secret to write, and the keys that opened it.
#[derive(Debug)]
pub struct Opened {
    /// What is to be written.
    pub secret: DesiredSecret,
    /// One for each seal, in their order.
    pub opened_by: Vec<KeyId>,
    /// What is known of the values, where they can be compared.
    pub compared: Option<Compared>,
}

impl Unsealing {
    /// Opens the seals: one private-key operation for each.
    ///
    /// # Errors
    /// An [`Failure`]: all items open, or none is used.
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
                .and_then(|known| known.compared(&sealed_at)),
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

    /// Where the SealedSecret stands.
    pub fn place(&self) -> &SecretRef {
        &self.permitted.place
    }

    /// The environment that it is opened for.
    pub fn environment(&self) -> &EnvironmentName {
        &self.permitted.environment.name
    }

    /// The sealing keys that will be used: one for each seal, in their order.
    pub fn keys(&self) -> &[KeyId] {
        &self.keys
    }
}

/// What a seal that does not open means for its SealedSecret, or for the request to reseal it.
pub(crate) fn refused(error: &UnsealError, environment: &ResolvedEnvironment) -> Failure {
    let reason = match error {
        UnsealError::UnknownSealingKey(missing) => return missing_keys(missing, environment),
        UnsealError::Malformed(_) => Reason::Malformed,
        UnsealError::NoKeyOpens(_) | UnsealError::Refused => Reason::Refused,
    };
    Failure::new(reason, error.to_string())
}
