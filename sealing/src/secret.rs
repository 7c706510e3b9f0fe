//! A Kubernetes Secret in plaintext, and a reference to it.

use std::{collections::BTreeMap, fmt};

use crate::{ItemName, NameError, Namespace, Plaintext, SecretName, resource::SecretTemplate};

/// The namespace and the name of a Secret and of its SealedSecret.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretRef {
    /// The namespace.
    pub namespace: Namespace,
    /// The name inside the namespace.
    pub name: SecretName,
}

impl SecretRef {
    /// Checks both names.
    ///
    /// # Errors
    /// [`NameError`] for the first name that is not valid.
    pub fn parse(namespace: &str, name: &str) -> Result<Self, NameError> {
        Ok(Self {
            namespace: Namespace::parse(namespace)?,
            name: SecretName::parse(name)?,
        })
    }
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// A Kubernetes Secret in plaintext.
#[derive(Debug)]
pub struct Secret {
    /// Its namespace and name.
    pub place: SecretRef,
    /// Its type, immutability, labels and annotations: everything that is not sealed.
    pub template: SecretTemplate,
    /// The items by name.
    pub items: BTreeMap<ItemName, Plaintext>,
}
