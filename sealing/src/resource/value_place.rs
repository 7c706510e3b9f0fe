//! Where a value stands.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An item of a Secret in the cluster.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub struct ValuePlace {
    /// The environment that it was sealed for.
    pub environment: String,
    /// The namespace of the Secret.
    pub namespace: String,
    /// The name of the Secret.
    pub name: String,
    /// The name of the item.
    pub item: String,
}

impl ValuePlace {
    /// Whether both stand in one Secret.
    pub fn is_in_secret_of(&self, other: &Self) -> bool {
        self.namespace == other.namespace && self.name == other.name
    }
}

/// `environment/namespace/name/item`.
impl fmt::Display for ValuePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            environment,
            namespace,
            name,
            item,
        } = self;
        write!(f, "{environment}/{namespace}/{name}/{item}")
    }
}
