//! Manifests as text: one way to write each object, whoever wrote it before.

use std::{collections::BTreeMap, path::Path};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use sealing::{Secret, resource::TemplateMetadata};
use serde::{Serialize, Serializer};
use serde_saphyr::ser_options;
use zeroize::Zeroizing;

use crate::error::{CommandError, Result};

/// How manifests are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// JSON, indented; several objects as a `List`
    Json,
    /// YAML; several objects as several documents
    Yaml,
}

impl Format {
    /// What the flag says, else what the name of the file to write says, else YAML.
    pub(crate) fn choose(flag: Option<Self>, file: Option<&Path>) -> Self {
        let is_json = |path: &Path| path.extension().is_some_and(|it| it == "json");
        flag.unwrap_or_else(|| match file {
            Some(path) if is_json(path) => Self::Json,
            _ => Self::Yaml,
        })
    }
}

/// Writes one object. The text is wiped when dropped, for it may hold plaintext.
pub(crate) fn to_text(object: &impl Serialize, format: Format) -> Result<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::new());
    match format {
        Format::Json => {
            let json = serde_json::to_string_pretty(object).map(Zeroizing::new);
            text = json.map_err(CommandError::bug)?;
            text.push('\n');
        }
        Format::Yaml => {
            // Block scalars would fold a long `sceau:v1:` text over several lines.
            let options = ser_options! { prefer_block_scalars: false };
            serde_saphyr::to_fmt_writer_with_options(&mut *text, object, options)
                .map_err(CommandError::bug)?;
        }
    }
    Ok(text)
}

/// Several objects as one text: YAML documents, or a JSON `List` when there is more than one.
pub(crate) fn join(objects: &[impl Serialize], format: Format) -> Result<Zeroizing<String>> {
    match (objects, format) {
        ([only], _) => to_text(only, format),
        (several, Format::Json) => to_list(several, format),
        (several, Format::Yaml) => {
            let texts = several
                .iter()
                .map(|object| to_text(object, format))
                .collect::<Result<Vec<_>>>()?;
            let separated = texts.iter().flat_map(|text| ["---\n", text.as_str()]);
            Ok(Zeroizing::new(separated.skip(1).collect()))
        }
    }
}

/// Objects as one `List`, however many they are.
pub(crate) fn to_list(objects: &[impl Serialize], format: Format) -> Result<Zeroizing<String>> {
    to_text(&List::of(objects), format)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct List<'a, T> {
    api_version: &'static str,
    kind: &'static str,
    items: &'a [T],
}

impl<'a, T> List<'a, T> {
    fn of(items: &'a [T]) -> Self {
        Self {
            api_version: "v1",
            kind: "List",
            items,
        }
    }
}

/// A Secret in plain form, as a manifest. Its values are base64, so that any bytes survive.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SecretManifest<'a> {
    api_version: &'static str,
    kind: &'static str,
    metadata: Metadata<'a>,
    #[serde(rename = "type")]
    secret_type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    immutable: Option<bool>,
    data: BTreeMap<&'a str, Encoded>,
}

#[derive(Serialize)]
struct Metadata<'a> {
    name: &'a str,
    namespace: &'a str,
    #[serde(flatten)]
    rest: &'a TemplateMetadata,
}

/// Base64 of plaintext, wiped when dropped.
struct Encoded(Zeroizing<String>);

impl Serialize for Encoded {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'a> SecretManifest<'a> {
    /// The manifest of a secret.
    pub(crate) fn of(secret: &'a Secret) -> Self {
        Self {
            api_version: "v1",
            kind: "Secret",
            metadata: Metadata {
                name: secret.place.name.as_str(),
                namespace: secret.place.namespace.as_str(),
                rest: &secret.template.metadata,
            },
            secret_type: secret.template.secret_type(),
            immutable: secret.template.immutable,
            data: secret
                .items
                .iter()
                .map(|(name, plaintext)| {
                    let encoded = STANDARD.encode(plaintext.expose());
                    (name.as_str(), Encoded(Zeroizing::new(encoded)))
                })
                .collect(),
        }
    }
}
