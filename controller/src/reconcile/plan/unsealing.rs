//! From a decision to open seals to the Secret that they hold.

use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use sealing::{
    EnvironmentName, KeyId, Place, UnsealError,
    envelope::native::{Envelope, ParseError},
    resource::{SealedSecretSpec, SecretTemplate},
};

use super::{DesiredSecret, missing_keys};
use crate::{
    outcome::{Obstacle, Reason},
    surroundings::KnownEnvironment,
};

/// A SealedSecret that may be unsealed: nothing but its seals can still be in the way.
#[derive(Debug)]
pub struct Permitted {
    pub(super) place: Place,
    pub(super) environment: Arc<KnownEnvironment>,
    pub(super) owner: OwnerReference,
    pub(super) precondition: Option<String>,
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
    /// An [`Obstacle`] when they cannot be opened.
    pub fn unsealing(self, spec: SealedSecretSpec) -> Result<Unsealing, Obstacle> {
        check_labels(&spec.template)?;
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

/// Labels of this prefix are the controller's: with one of them, a Secret in its own namespace would
/// be a sealing key.
const RESERVED_PREFIX: &str = "sceau.dev/";

fn check_labels(template: &SecretTemplate) -> Result<(), Obstacle> {
    let reserved = |label: &&String| label.starts_with(RESERVED_PREFIX);
    match template.metadata.labels.keys().find(reserved) {
        None => Ok(()),
        Some(label) => Err(Obstacle::new(
            Reason::ReservedLabel,
            format!(
                "the template sets the label {label}; labels of {RESERVED_PREFIX} are the controller's"
            ),
        )),
    }
}

fn malformed(error: &ParseError) -> Obstacle {
    let reason = match error {
        ParseError::Bytes(_) => Reason::TooLarge,
        _ => Reason::Malformed,
    };
    Obstacle::new(reason, error.to_string())
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
}

impl Unsealing {
    /// Opens the seals: one private-key operation for each.
    ///
    /// # Errors
    /// An [`Obstacle`]: all items open, or none is used.
    pub fn open(&self) -> Result<Opened, Obstacle> {
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
        Ok(Opened {
            secret: DesiredSecret {
                place: place.clone(),
                template: self.template.clone(),
                items: unsealed.items,
                owner: owner.clone(),
                precondition: precondition.clone(),
            },
            opened_by: unsealed.opened_by,
        })
    }

    /// Where the SealedSecret stands.
    pub fn place(&self) -> &Place {
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
pub(crate) fn refused(error: &UnsealError, environment: &KnownEnvironment) -> Obstacle {
    let reason = match error {
        UnsealError::UnknownSealingKey(missing) => return missing_keys(missing, environment),
        UnsealError::Malformed(_) => Reason::Malformed,
        UnsealError::NoKeyOpens(_) | UnsealError::Refused => Reason::Refused,
    };
    Obstacle::new(reason, error.to_string())
}
