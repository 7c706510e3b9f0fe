//! The existing Secret, by its metadata. Its values are never read.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::core::ObjectMeta;
use sealing::resource::{ADOPT_ANNOTATION, WrittenSecret};

use crate::fingerprint::annotation::{Fingerprints, annotation_bytes};

/// The metadata of an existing Secret.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundSecret {
    /// Its uid.
    pub uid: String,
    /// Its resource version.
    pub resource_version: String,
    /// The owner that controls it.
    pub controller: Option<OwnerReference>,
    /// Whether it has the annotation that allows adoption.
    pub may_be_adopted: bool,
    /// Whether it is being deleted.
    pub is_being_deleted: bool,
    /// The fingerprints of its values.
    pub fingerprints: Option<Fingerprints>,
    /// The sizes of its annotations, in bytes by name.
    pub annotations: BTreeMap<String, usize>,
}

impl FoundSecret {
    /// Whether it is unmodified since the controller wrote it.
    pub(crate) fn is(&self, written: &WrittenSecret) -> bool {
        self.uid == written.uid && self.resource_version == written.resource_version
    }
}

impl From<&ObjectMeta> for FoundSecret {
    fn from(metadata: &ObjectMeta) -> Self {
        let controller = metadata
            .owner_references
            .iter()
            .flatten()
            .find(|owner| owner.controller == Some(true));
        let annotations = metadata.annotations.as_ref();
        let adopt = annotations.and_then(|annotations| annotations.get(ADOPT_ANNOTATION));
        Self {
            uid: metadata.uid.clone().unwrap_or_default(),
            resource_version: metadata.resource_version.clone().unwrap_or_default(),
            controller: controller.cloned(),
            may_be_adopted: adopt.is_some_and(|value| value == "true"),
            is_being_deleted: metadata.deletion_timestamp.is_some(),
            fingerprints: annotations.and_then(Fingerprints::of),
            annotations: annotations.map(annotation_bytes).unwrap_or_default(),
        }
    }
}
