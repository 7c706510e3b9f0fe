//! The fingerprints of a Secret's items, as an annotation of the Secret keeps them: whoever may read
//! it may read the values too.
//!
//! Pure. What each fingerprint is of, only `sealing` knows; here they are compared.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use sealing::{
    EnvironmentName, Fingerprint, FingerprintKey, ItemName, ItemRef, Plaintext, SecretRef,
    resource::{FINGERPRINTS_ANNOTATION, UnchangedItem},
};
use serde::{Deserialize, Serialize};

/// What is known of a Secret's items without reading them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprints {
    /// The id of the key that they were made with: others cannot be compared with them.
    #[serde(rename = "key")]
    pub(crate) key_id: String,
    /// When the values of this Secret were first looked at with that key.
    pub(crate) from: Timestamp,
    /// Items with an empty value have none, and none have any where they did not fit.
    pub(crate) items: BTreeMap<String, KnownValue>,
}

/// What is known of one value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KnownValue {
    pub(crate) fingerprint: Fingerprint,
    /// `sealedAt` of the oldest seal that was seen with it.
    pub(crate) since: Timestamp,
}

/// Bytes of all annotations of an object, names and values, that Kubernetes takes.
const LARGEST_ANNOTATIONS: usize = 256 * 1024;

impl Fingerprints {
    /// What the annotation of a Secret says, if it is readable.
    pub(crate) fn of(annotations: &BTreeMap<String, String>) -> Option<Self> {
        serde_json::from_str(annotations.get(FINGERPRINTS_ANNOTATION)?).ok()
    }

    /// The annotation.
    pub(crate) fn to_annotation(&self) -> String {
        serde_json::to_string(self).expect("names, texts and instants are JSON")
    }

    /// None at all, if they would not fit beside `taken` bytes of other annotations: that says that
    /// the values were looked at, so that they are not looked at again.
    fn within_room(mut self, taken: usize) -> Self {
        let own = FINGERPRINTS_ANNOTATION.len() + self.to_annotation().len();
        if taken + own > LARGEST_ANNOTATIONS {
            self.items.clear();
        }
        self
    }

    /// Values that stood there before keep the older of both times.
    fn remembering(mut self, found: Option<&Self>) -> Self {
        let before = found.filter(|found| found.key_id == self.key_id);
        if let Some(before) = before.filter(|before| !before.items.is_empty()) {
            self.from = self.from.min(before.from);
        }
        for (name, value) in &mut self.items {
            let known = before.and_then(|before| before.items.get(name));
            if let Some(known) = known.filter(|known| known.fingerprint == value.fingerprint) {
                value.since = value.since.min(known.since);
            }
        }
        self
    }

    /// What they tell; nothing can be said of a Secret whose fingerprints did not fit.
    pub(crate) fn compared(&self, sealed_at: &BTreeMap<&ItemName, Timestamp>) -> Option<Compared> {
        let newer = sealed_at.iter().filter_map(|(name, sealed_at)| {
            let known = self.items.get(name.as_str())?;
            (known.since < *sealed_at).then(|| UnchangedItem {
                item: name.to_string(),
                since: known.since.to_string(),
            })
        });
        (!self.items.is_empty()).then(|| Compared {
            since: self.from,
            unchanged: newer.collect(),
        })
    }
}

/// What is known of the values of a Secret that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// Values from before this instant were not compared with any before them.
    pub(crate) since: Timestamp,
    /// Items that were sealed again with the value they had.
    pub(crate) unchanged: Vec<UnchangedItem>,
}

/// What is needed to fingerprint the items of a Secret that is about to be written.
#[derive(Debug, Clone)]
pub(crate) struct Fingerprinting {
    pub(crate) fingerprint_key: Arc<FingerprintKey>,
    /// What was known before.
    pub(crate) found: Option<Fingerprints>,
    /// The bytes of the annotations that stand there, by name.
    pub(crate) standing: BTreeMap<String, usize>,
    /// The present instant.
    pub(crate) now: Timestamp,
}

/// Items that were just opened.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OpenedItems<'a> {
    pub(crate) environment: &'a EnvironmentName,
    pub(crate) place: &'a SecretRef,
    pub(crate) items: &'a BTreeMap<ItemName, Plaintext>,
    /// When each was sealed.
    pub(crate) sealed_at: &'a BTreeMap<&'a ItemName, Timestamp>,
    /// Those that the template gives.
    pub(crate) annotations: &'a BTreeMap<String, String>,
}

impl Fingerprinting {
    /// The fingerprints to write, in the light of those that were found.
    pub(crate) fn fingerprint(&self, opened: OpenedItems<'_>) -> Fingerprints {
        let items = opened.items.iter().filter_map(|(item, plaintext)| {
            let at = ItemRef {
                environment: opened.environment.to_string(),
                namespace: opened.place.namespace.to_string(),
                name: opened.place.name.to_string(),
                item: item.to_string(),
            };
            let value = KnownValue {
                fingerprint: self.fingerprint_key.of_item(plaintext, &at)?,
                since: *opened.sealed_at.get(item)?,
            };
            Some((item.to_string(), value))
        });
        Fingerprints {
            key_id: self.fingerprint_key.id().to_owned(),
            from: self.now,
            items: items.collect(),
        }
        .remembering(self.found.as_ref())
        .within_room(self.taken_beside(opened.annotations))
    }

    /// The bytes of all annotations beside the fingerprints: the template's take the place of those
    /// that stand there.
    fn taken_beside(&self, template: &BTreeMap<String, String>) -> usize {
        let mut bytes = self.standing.clone();
        bytes.extend(annotation_bytes(template));
        bytes.remove(FINGERPRINTS_ANNOTATION);
        bytes.values().sum()
    }
}

/// The bytes of annotations, names and values, by name.
pub(crate) fn annotation_bytes(annotations: &BTreeMap<String, String>) -> BTreeMap<String, usize> {
    let bytes = |(name, value): (&String, &String)| (name.clone(), name.len() + value.len());
    annotations.iter().map(bytes).collect()
}

#[cfg(test)]
mod tests;
