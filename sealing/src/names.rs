//! Names that are checked once, when they are parsed.
//!
//! A name is checked for its characters and its length. Whether an object of this name exists is
//! not checked.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, de};

/// The name breaks the rule of its kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is not a valid {}: {}", rule.kind, rule.text)]
pub struct NameError {
    name: String,
    rule: NameRule,
}

impl NameError {
    /// The rule, for messages that must not repeat the name: a value may have been given in its
    /// place.
    pub fn rule(&self) -> NameRule {
        self.rule
    }
}

/// A kind of name and its rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NameRule {
    kind: &'static str,
    text: &'static str,
}

impl fmt::Display for NameRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a valid {}: {}", self.kind, self.text)
    }
}

const LABEL: &str = "use 1 to 63 lower-case letters, digits and `-`, with a letter or digit first and last (RFC 1123)";
const SUBDOMAIN: &str = "use 1 to 253 lower-case letters, digits, `-` and `.`, each part between dots with a letter or digit first and last (RFC 1123)";
const ITEM: &str = "use 1 to 253 letters, digits, `-`, `_` and `.`";

macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $kind:literal, $rule:expr, $holds:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(into = "String")]
        pub struct $type(String);

        impl $type {
            /// Checks `name` against the rule of its kind.
            ///
            /// # Errors
            /// [`NameError`] with the name, the kind and the rule.
            pub fn parse(name: impl Into<String>) -> Result<Self, NameError> {
                let name = name.into();
                let holds: fn(&str) -> bool = $holds;
                if holds(&name) {
                    Ok(Self(name))
                } else {
                    let rule = NameRule { kind: $kind, text: $rule };
                    Err(NameError { name, rule })
                }
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $type {
            type Err = NameError;

            fn from_str(name: &str) -> Result<Self, NameError> {
                Self::parse(name)
            }
        }

        // `Deserialize` by hand: serde keeps the text of an error, and that must not contain the
        // name.
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let name = String::deserialize(deserializer)?;
                Self::parse(name).map_err(|error| de::Error::custom(error.rule()))
            }
        }

        impl From<$type> for String {
            fn from(name: $type) -> Self {
                name.0
            }
        }
    };
}

name!(
    /// The name of an environment: an RFC 1123 label of 1 to 63 characters.
    EnvironmentName, "environment name", LABEL, is_label
);
name!(
    /// A Kubernetes namespace: an RFC 1123 label of 1 to 63 characters.
    Namespace, "namespace", LABEL, is_label
);
name!(
    /// The name of a Secret and its SealedSecret: an RFC 1123 subdomain of 1 to 253 characters.
    SecretName, "secret name", SUBDOMAIN, is_subdomain
);
name!(
    /// The name of an item of a Secret: 1 to 253 characters of `[-._a-zA-Z0-9]`, as in the `data`
    /// of a Kubernetes Secret.
    ItemName, "item name", ITEM, is_item_name
);

fn is_label(text: &str) -> bool {
    text.len() <= 63 && is_part(text)
}

fn is_subdomain(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(is_part)
}

/// Kubernetes limits a subdomain as a whole, and a label only by itself.
fn is_part(text: &str) -> bool {
    let alphanumeric = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = text.as_bytes();
    bytes.iter().all(|byte| alphanumeric(byte) || *byte == b'-')
        && bytes.first().is_some_and(alphanumeric)
        && bytes.last().is_some_and(alphanumeric)
}

fn is_item_name(text: &str) -> bool {
    (1..=253).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_have_1_to_63_characters_and_clean_ends() {
        for good in ["a", "prod", "eu-west-1", "1", &"a".repeat(63)] {
            assert!(EnvironmentName::parse(good).is_ok(), "{good}");
            assert!(Namespace::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "-a",
            "a-",
            "Prod",
            "a.b",
            "a/b",
            "a_b",
            "é",
            &"a".repeat(64),
        ] {
            assert!(EnvironmentName::parse(bad).is_err(), "{bad}");
            assert!(Namespace::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn secret_names_are_subdomains() {
        for good in ["api", "api.v2.example", &"a".repeat(253)] {
            assert!(SecretName::parse(good).is_ok(), "{good}");
        }
        for bad in ["", ".", "a..b", "a.-b", "A", "a/b", &"a".repeat(254)] {
            assert!(SecretName::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn item_names_have_the_characters_of_secret_data() {
        for good in ["a", ".env", "A_b-c.D", &"x".repeat(253)] {
            assert!(ItemName::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "a b", "a/b", "a:b", "é", &"x".repeat(254)] {
            assert!(ItemName::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_error_names_the_kind_and_the_rule() {
        let error = EnvironmentName::parse("Prod").unwrap_err().to_string();
        assert!(
            error.starts_with("`Prod` is not a valid environment name: use 1 to 63"),
            "{error}"
        );
    }

    /// Words that are part of the rule are not removed from it.
    #[test]
    fn the_rule_is_told_whatever_the_name_is() {
        let expected = format!("not a valid item name: {ITEM}");
        for name in [
            "",
            "a b",
            "`a b` is not a valid ",
            "not a valid item name: ",
            "letters, digits",
            ": ",
        ] {
            let error = ItemName::parse(name).unwrap_err();
            assert_eq!(error.rule().to_string(), expected, "{name}");
        }
    }

    #[test]
    fn what_cannot_be_deserialized_is_not_told() {
        for (json, expected) in [
            ("\"a b\"", "not a valid item name: use 1 to 253 letters"),
            (
                "\"letters, digits\"",
                "not a valid item name: use 1 to 253 letters",
            ),
        ] {
            let error = serde_json::from_str::<ItemName>(json).unwrap_err();
            let error = error.to_string();
            assert!(error.starts_with(expected), "{error}");
            assert!(!error.contains("a b"), "{error}");
        }
    }
}
