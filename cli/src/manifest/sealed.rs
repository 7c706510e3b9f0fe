//! A SealedSecret of either format, from a manifest.
//!
//! It is read as far as its fields have the right kinds; whether its seals are well formed is for
//! `sealing` to say.

pub(super) mod change;
pub(super) mod locate;
pub(super) mod location;
pub(super) mod target;

use sealing::{
    Namespace, SecretRef,
    resource::{SealedSecret, bitnami},
};

use super::{
    Fault,
    yaml::{Node, deserializer},
};

/// A SealedSecret, by format.
#[derive(Debug)]
pub(crate) enum Sealed {
    /// The original's: `bitnami.com/v1alpha1`.
    Bitnami(Box<bitnami::SealedSecret>),
    /// `sceau.dev/v1alpha1`.
    Native(Box<SealedSecret>),
}

impl Sealed {
    /// Reads a document that says `kind: SealedSecret` and one of the two groups.
    pub(super) fn read(node: &Node, format: Format) -> Result<Self, Fault> {
        Ok(match format {
            Format::Bitnami => Self::Bitnami(deserializer::read(node)?),
            Format::Native => Self::Native(deserializer::read(node)?),
        })
    }

    /// Its name and its namespace, as far as it says them.
    pub(crate) fn names(&self) -> (Option<&str>, Option<&str>) {
        match self {
            Self::Bitnami(it) => (
                it.metadata.name.as_deref(),
                it.metadata.namespace.as_deref(),
            ),
            Self::Native(it) => (
                it.metadata.name.as_deref(),
                it.metadata.namespace.as_deref(),
            ),
        }
    }

    /// The place that it was sealed for; `namespace` is that of one which names none. An error
    /// says what is missing or no name.
    pub(crate) fn place(&self, namespace: Option<&Namespace>) -> Result<SecretRef, String> {
        let (name, own) = self.names();
        let name = name.ok_or("it has no metadata.name")?;
        let own = own.or_else(|| namespace.map(Namespace::as_str));
        let namespace = own.ok_or("it has no metadata.namespace: name it with `--namespace`")?;
        SecretRef::parse(namespace, name).map_err(|error| error.to_string())
    }
}

/// A format of SealedSecrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Bitnami,
    Native,
}

impl Format {
    /// The format that an `apiVersion` names.
    pub(super) fn of(api_version: &str) -> Option<Self> {
        match api_version {
            "bitnami.com/v1alpha1" => Some(Self::Bitnami),
            "sceau.dev/v1alpha1" => Some(Self::Native),
            _ => None,
        }
    }
}
