//! The notation of an item of a Secret: `environment:namespace/name/ITEM`.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An item of a Secret. The parts are as written and may not be valid names.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub struct ItemRef {
    /// The environment that it was sealed for.
    pub environment: String,
    /// The namespace of the Secret.
    pub namespace: String,
    /// The name of the Secret.
    pub name: String,
    /// The name of the item.
    pub item: String,
}

impl ItemRef {
    /// Whether both are items of one Secret.
    pub fn is_in_secret_of(&self, other: &Self) -> bool {
        self.namespace == other.namespace && self.name == other.name
    }
}

impl fmt::Display for ItemRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            environment,
            namespace,
            name,
            item,
        } = self;
        write!(f, "{environment}:{namespace}/{name}/{item}")
    }
}

/// The text is not a reference to an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected ENVIRONMENT:NAMESPACE/NAME/ITEM")]
pub struct ParseItemRefError;

impl FromStr for ItemRef {
    type Err = ParseItemRefError;

    fn from_str(text: &str) -> Result<Self, ParseItemRefError> {
        let (environment, rest) = text.split_once(':').ok_or(ParseItemRefError)?;
        let parts: Vec<&str> = rest.split('/').collect();
        let [namespace, name, item] = parts[..] else {
            return Err(ParseItemRefError);
        };
        Ok(Self {
            environment: environment.to_owned(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            item: item.to_owned(),
        })
    }
}
