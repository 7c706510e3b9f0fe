//! The Secret to write.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    fmt::{self, Write as _},
};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use sealing::{
    ItemName, Plaintext, SecretRef,
    resource::{FINGERPRINTS_ANNOTATION, SecretTemplate},
};

use crate::fingerprint::annotation::Fingerprints;

/// The Secret to write. Its `Display` shows names and sizes of items.
#[derive(Debug)]
pub struct DesiredSecret {
    /// Its namespace and name.
    pub place: SecretRef,
    /// Type, immutability, labels and annotations.
    pub template: SecretTemplate,
    /// All items of the Secret. Others are removed.
    pub items: BTreeMap<ItemName, Plaintext>,
    /// The fingerprints of the items.
    pub fingerprints: Option<Fingerprints>,
    /// The owner reference to its SealedSecret.
    pub owner: OwnerReference,
    /// The uid of the Secret that it replaces. If `None`, no Secret may exist.
    pub precondition: Option<String>,
}

/// The label by which the controller finds the Secrets that it wrote.
pub(crate) const MANAGED_BY_LABEL: &str = "app.kubernetes.io/managed-by";
/// The value of that label.
pub(crate) const MANAGED_BY: &str = "sceau";

impl DesiredSecret {
    /// The template's labels, and the controller's own.
    pub fn labels(&self) -> BTreeMap<&str, &str> {
        let of_template = self.template.metadata.labels.iter();
        of_template
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .chain([(MANAGED_BY_LABEL, MANAGED_BY)])
            .collect()
    }

    /// The template's annotations, and the fingerprints.
    pub(crate) fn annotations(&self) -> BTreeMap<&str, Cow<'_, str>> {
        let of_template = self.template.metadata.annotations.iter();
        let own = self.fingerprints.as_ref();
        of_template
            .map(|(name, value)| (name.as_str(), Cow::from(value)))
            .chain(own.map(|own| (FINGERPRINTS_ANNOTATION, own.to_annotation().into())))
            .collect()
    }

    /// The message for status and event. It mentions a label that was replaced: manifests made with
    /// Helm say that Helm manages the Secret.
    pub(crate) fn summary(&self) -> String {
        let count = match self.items.len() {
            1 => "1 item".to_owned(),
            count => format!("{count} items"),
        };
        let mut summary = format!("unsealed {count}");
        let label = self.template.metadata.labels.get(MANAGED_BY_LABEL);
        if label.is_some_and(|value| value != MANAGED_BY) {
            let _ = write!(
                summary,
                "; the label {MANAGED_BY_LABEL} is {MANAGED_BY}, not the template's value"
            );
        }
        if self.lacks_room() {
            summary.push_str("; the fingerprints of its items are too large for its annotations");
        }
        summary
    }

    fn lacks_room(&self) -> bool {
        let has_values = self.items.values().any(|value| !value.is_empty());
        let own = self.fingerprints.as_ref();
        own.is_some_and(|own| own.items.is_empty() && has_values)
    }
}

impl fmt::Display for DesiredSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "Secret {}, type {}",
            self.place,
            self.template.secret_type()
        )?;
        for (name, value) in self.labels() {
            writeln!(f, "  label {name}: {value}")?;
        }
        for (name, value) in &self.template.metadata.annotations {
            writeln!(f, "  annotation {name}: {value}")?;
        }
        if let Some(fingerprints) = &self.fingerprints {
            let count = fingerprints.items.len();
            writeln!(f, "  annotation {FINGERPRINTS_ANNOTATION}: {count}")?;
        }
        for (name, plaintext) in &self.items {
            writeln!(f, "  item {name}: {} bytes", plaintext.len())?;
        }
        Ok(())
    }
}
