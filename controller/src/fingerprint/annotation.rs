//! The fingerprints of a Secret's items, in an annotation of the Secret. A person who may read the
//! annotation may also read the values.
//!
//! Pure. `sealing` computes fingerprints; this module compares them.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use sealing::{
    EnvironmentName, Fingerprint, FingerprintKey, ItemName, ItemRef, Plaintext, SecretRef,
    resource::{FINGERPRINTS_ANNOTATION, UnchangedItem},
};
use serde::{Deserialize, Serialize};

/// The fingerprints of a Secret's items.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprints {
    /// The id of their key. Only fingerprints of one key can be compared.
    #[serde(rename = "key")]
    pub(crate) key_id: String,
    /// When the values of this Secret were first fingerprinted with this key.
    pub(crate) from: Timestamp,
    /// Empty values have no fingerprint. If the fingerprints do not fit into the annotation, no
    /// item has one.
    pub(crate) items: BTreeMap<String, ValueRecord>,
}

/// The fingerprint and age of one value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ValueRecord {
    pub(crate) fingerprint: Fingerprint,
    /// `sealedAt` of the oldest seal that had this value.
    pub(crate) since: Timestamp,
}

/// Bytes of all annotations of an object, names and values: the limit of Kubernetes.
const LARGEST_ANNOTATIONS: usize = 256 * 1024;

impl Fingerprints {
    /// Parses the annotation of a Secret; `None` when it is missing or not valid.
    pub(crate) fn of(annotations: &BTreeMap<String, String>) -> Option<Self> {
        serde_json::from_str(annotations.get(FINGERPRINTS_ANNOTATION)?).ok()
    }

    /// The value of the annotation.
    pub(crate) fn to_annotation(&self) -> String {
        serde_json::to_string(self).expect("names, texts and instants are JSON")
    }

    /// Removes all fingerprints if they do not fit beside `taken` bytes of other annotations. The
    /// key id stays: it records that the values were fingerprinted, so the Secret is not unsealed
    /// again for them.
    fn within_limit(mut self, taken: usize) -> Self {
        let own = FINGERPRINTS_ANNOTATION.len() + self.to_annotation().len();
        if taken + own > LARGEST_ANNOTATIONS {
            self.items.clear();
        }
        self
    }

    /// Values that did not change keep the older time.
    fn remembering(mut self, found: Option<&Self>) -> Self {
        let before = found.filter(|found| found.key_id == self.key_id);
        if let Some(before) = before.filter(|before| !before.items.is_empty()) {
            self.from = self.from.min(before.from);
        }
        for (name, value) in &mut self.items {
            let previous = before.and_then(|before| before.items.get(name));
            if let Some(previous) =
                previous.filter(|previous| previous.fingerprint == value.fingerprint)
            {
                value.since = value.since.min(previous.since);
            }
        }
        self
    }

    /// The comparison with the seals; `None` for a Secret whose fingerprints did not fit.
    pub(crate) fn compared(&self, sealed_at: &BTreeMap<&ItemName, Timestamp>) -> Option<Compared> {
        let newer = sealed_at.iter().filter_map(|(name, sealed_at)| {
            let record = self.items.get(name.as_str())?;
            (record.since < *sealed_at).then(|| UnchangedItem {
                item: name.to_string(),
                since: record.since.to_string(),
            })
        });
        (!self.items.is_empty()).then(|| Compared {
            since: self.from,
            unchanged: newer.collect(),
        })
    }
}

/// The comparison of values with earlier ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// The instant of the first comparison.
    pub(crate) since: Timestamp,
    /// Items that were sealed again with the same value.
    pub(crate) unchanged: Vec<UnchangedItem>,
}

/// The input for fingerprinting the items of a Secret before it is written.
#[derive(Debug, Clone)]
pub(crate) struct Fingerprinting {
    pub(crate) fingerprint_key: Arc<FingerprintKey>,
    /// The fingerprints that the Secret has.
    pub(crate) found: Option<Fingerprints>,
    /// The sizes of the annotations that the Secret has, in bytes by name.
    pub(crate) annotations: BTreeMap<String, usize>,
    /// The present instant.
    pub(crate) now: Timestamp,
}

/// Items that were just decrypted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OpenedItems<'a> {
    pub(crate) environment: &'a EnvironmentName,
    pub(crate) place: &'a SecretRef,
    pub(crate) items: &'a BTreeMap<ItemName, Plaintext>,
    /// When each item was sealed.
    pub(crate) sealed_at: &'a BTreeMap<&'a ItemName, Timestamp>,
    /// The annotations of the template.
    pub(crate) annotations: &'a BTreeMap<String, String>,
}

impl Fingerprinting {
    /// The fingerprints to write, with the times of those that the Secret has.
    pub(crate) fn fingerprint(&self, opened: OpenedItems<'_>) -> Fingerprints {
        let items = opened.items.iter().filter_map(|(item, plaintext)| {
            let at = ItemRef {
                environment: opened.environment.to_string(),
                namespace: opened.place.namespace.to_string(),
                name: opened.place.name.to_string(),
                item: item.to_string(),
            };
            let value = ValueRecord {
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
        .within_limit(self.taken_beside(opened.annotations))
    }

    /// The bytes of all other annotations. Those of the template replace those of the Secret.
    fn taken_beside(&self, template: &BTreeMap<String, String>) -> usize {
        let mut bytes = self.annotations.clone();
        bytes.extend(annotation_bytes(template));
        bytes.remove(FINGERPRINTS_ANNOTATION);
        bytes.values().sum()
    }
}

/// The sizes of annotations, name and value together, in bytes by name.
pub(crate) fn annotation_bytes(annotations: &BTreeMap<String, String>) -> BTreeMap<String, usize> {
    let bytes = |(name, value): (&String, &String)| (name.clone(), name.len() + value.len());
    annotations.iter().map(bytes).collect()
}

#[cfg(test)]
mod tests;
