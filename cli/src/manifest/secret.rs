//! A Kubernetes Secret in plain form, from a manifest.
//!
//! Its values go from the parser's tree straight into [`Plaintext`]. What the API server sets is
//! stripped; a field that is neither known nor stripped is an error, for it could hold a value.

use std::{collections::BTreeMap, fmt};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use sealing::{
    ItemName, Namespace, Plaintext, SecretName,
    resource::{
        ADOPT_ANNOTATION, FINGERPRINTS_ANNOTATION, SecretTemplate, TemplateMetadata,
        bitnami::{CLUSTER_WIDE, NAMESPACE_WIDE},
    },
};
use serde::{
    Deserialize, Deserializer,
    de::{self, Visitor},
};
use zeroize::Zeroizing;

use super::{
    Fault,
    yaml::{
        Node,
        deserializer::{self, Ignored},
    },
};

/// Where `kubectl apply` keeps a whole copy of what was applied: plaintext.
pub(crate) const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// A Secret as a manifest states it; name and namespace may be missing.
#[derive(Debug)]
pub(crate) struct SecretObject {
    pub(crate) name: Option<SecretName>,
    pub(crate) namespace: Option<Namespace>,
    pub(crate) template: SecretTemplate,
    pub(crate) items: BTreeMap<ItemName, Plaintext>,
}

impl SecretObject {
    /// Reads a document that says `kind: Secret`.
    pub(super) fn read(node: &Node) -> Result<Self, Fault> {
        let Fields {
            metadata,
            secret_type,
            immutable,
            data,
            string_data,
            ..
        } = deserializer::read(node)?;
        let data = data.unwrap_or_default().into_iter();
        let text = string_data.unwrap_or_default().into_iter();
        let mut annotations = metadata.annotations.unwrap_or_default();
        for of_the_cluster in [LAST_APPLIED, ADOPT_ANNOTATION, FINGERPRINTS_ANNOTATION] {
            annotations.remove(of_the_cluster);
        }
        Ok(Self {
            name: metadata.name,
            namespace: metadata.namespace,
            template: SecretTemplate {
                secret_type,
                immutable,
                metadata: TemplateMetadata {
                    labels: metadata.labels.unwrap_or_default(),
                    annotations,
                },
            },
            // As in Kubernetes, an item of stringData replaces one of data.
            items: data
                .map(|(name, value)| (name, value.0))
                .chain(text.map(|(name, value)| (name, value.0)))
                .collect(),
        })
    }

    /// The annotation by which the original's tools would choose a scope, when there is one.
    pub(crate) fn scope_annotation(&self) -> Option<&'static str> {
        let annotations = &self.template.metadata.annotations;
        [CLUSTER_WIDE, NAMESPACE_WIDE]
            .into_iter()
            .find(|name| annotations.contains_key(*name))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Fields {
    #[serde(rename = "apiVersion")]
    _api_version: Ignored,
    #[serde(rename = "kind")]
    _kind: Ignored,
    #[serde(default)]
    metadata: Metadata,
    #[serde(rename = "type")]
    secret_type: Option<String>,
    immutable: Option<bool>,
    data: Option<BTreeMap<ItemName, Encoded>>,
    string_data: Option<BTreeMap<ItemName, Text>>,
    #[serde(rename = "status", default)]
    _status: Ignored,
}

/// The metadata that is kept, and those that the API server sets.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Metadata {
    name: Option<SecretName>,
    namespace: Option<Namespace>,
    labels: Option<BTreeMap<String, String>>,
    annotations: Option<BTreeMap<String, String>>,
    #[serde(rename = "creationTimestamp")]
    _creation_timestamp: Ignored,
    #[serde(rename = "deletionGracePeriodSeconds")]
    _deletion_grace_period_seconds: Ignored,
    #[serde(rename = "deletionTimestamp")]
    _deletion_timestamp: Ignored,
    #[serde(rename = "finalizers")]
    _finalizers: Ignored,
    #[serde(rename = "generateName")]
    _generate_name: NotGenerated,
    #[serde(rename = "generation")]
    _generation: Ignored,
    #[serde(rename = "managedFields")]
    _managed_fields: Ignored,
    #[serde(rename = "ownerReferences")]
    _owner_references: Ignored,
    #[serde(rename = "resourceVersion")]
    _resource_version: Ignored,
    #[serde(rename = "selfLink")]
    _self_link: Ignored,
    #[serde(rename = "uid")]
    _uid: Ignored,
}

/// A name that the API server makes up is not known when it is sealed for.
#[derive(Default)]
struct NotGenerated;

impl<'de> Deserialize<'de> for NotGenerated {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(de::Error::custom(
            "a Secret is sealed for the name that it will have: say `name` instead",
        ))
    }
}

/// A value of `stringData`.
struct Text(Plaintext);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer
            .deserialize_str(Bytes("a text", |text| {
                Some(text.as_bytes().to_vec().into())
            }))
            .map(Self)
    }
}

/// A value of `data`.
struct Encoded(Plaintext);

impl<'de> Deserialize<'de> for Encoded {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer
            .deserialize_str(Bytes("standard base64", decode))
            .map(Self)
    }
}

/// Line breaks are allowed, as in Kubernetes and in what `base64` prints.
fn decode(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut one_line = Zeroizing::new(Vec::with_capacity(text.len()));
    one_line.extend(text.bytes().filter(|byte| !matches!(byte, b'\r' | b'\n')));
    let mut bytes = Zeroizing::new(vec![0; one_line.len() / 4 * 3 + 3]);
    let length = STANDARD.decode_slice(&*one_line, &mut bytes).ok()?;
    bytes.truncate(length);
    Some(bytes)
}

/// Makes bytes of a text: what they must be, and how.
struct Bytes(&'static str, fn(&str) -> Option<Zeroizing<Vec<u8>>>);

impl Visitor<'_> for Bytes {
    type Value = Plaintext;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Plaintext, E> {
        match self.1(text) {
            Some(bytes) => Ok(Plaintext::new(bytes)),
            None => Err(E::invalid_value(de::Unexpected::Other("text"), &self)),
        }
    }
}
