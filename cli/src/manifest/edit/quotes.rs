//! Names and texts in the quotes that they need.

use crate::manifest::yaml::scalar;

/// A name, in quotes where some reader would take it for something else than text.
pub(super) fn written_name(name: &str) -> String {
    if scalar::is_plain(name) && !name.contains(':') {
        name.to_owned()
    } else {
        quoted(name)
    }
}

/// Every JSON string is one of YAML.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
