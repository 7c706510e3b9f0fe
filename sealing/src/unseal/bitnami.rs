//! Unseals manifests in the kubeseal format, in both its versions.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;
use serde_json::Value;
use zeroize::{Zeroize as _, Zeroizing};

use super::{Malformed, UnsealError, Unsealed};
use crate::{
    ItemName, KeyRing, Plaintext, SecretRef,
    envelope::bitnami::{Item, Opener, Scope},
    resource::{SecretTemplate, TemplateMetadata, bitnami::SealedSecret},
};

/// Unseals the manifest `place` in the kubeseal format with the keys of `ring`. Templates are not
/// rendered.
///
/// # Errors
/// [`UnsealError::Malformed`], or [`UnsealError::NoKeyOpens`] with all items that no key decrypts.
pub fn unseal_bitnami(
    manifest: &SealedSecret,
    place: &SecretRef,
    ring: &KeyRing,
) -> Result<Unsealed, UnsealError> {
    let label = Scope::of(&manifest.metadata).label(place);
    let mut opener = Opener::new(ring, label);
    let sealed = manifest
        .spec
        .encrypted_data
        .as_ref()
        .filter(|items| !items.is_empty());
    match (sealed, &manifest.spec.data) {
        (Some(items), _) => open_items(items, &mut opener),
        (None, Some(whole)) => open_whole_secret(whole, &mut opener),
        (None, None) => Ok(Unsealed::nothing()),
    }
}

fn open_items(
    sealed: &BTreeMap<String, Value>,
    opener: &mut Opener<'_>,
) -> Result<Unsealed, UnsealError> {
    let mut unsealed = Unsealed::nothing();
    let mut closed = Vec::new();
    for (name, value) in sealed {
        let (name, item) = parse_item(name, value).map_err(UnsealError::Malformed)?;
        let Some((plaintext, key)) = opener.open(&item) else {
            closed.push(name);
            continue;
        };
        if !unsealed.opened_by.contains(&key.id()) {
            unsealed.opened_by.push(key.id());
        }
        unsealed.items.insert(name, plaintext);
    }
    if closed.is_empty() {
        Ok(unsealed)
    } else {
        Err(UnsealError::NoKeyOpens(closed))
    }
}

fn parse_item(name: &str, value: &Value) -> Result<(ItemName, Item), Malformed> {
    let item = ItemName::parse(name)?;
    let Value::String(text) = value else {
        return Err(Malformed::NoText(item));
    };
    match Item::parse(text) {
        Ok(parsed) => Ok((item, parsed)),
        Err(source) => Err(Malformed::Item { item, source }),
    }
}

/// Version 1 sealed the whole Secret, as JSON, in one item.
fn open_whole_secret(sealed: &str, opener: &mut Opener<'_>) -> Result<Unsealed, UnsealError> {
    let malformed = UnsealError::Malformed;
    let item = Item::parse(sealed).map_err(|error| malformed(Malformed::WholeSecret(error)))?;
    let (json, key) = opener
        .open(&item)
        .ok_or(UnsealError::NoKeyOpens(Vec::new()))?;
    // The message of the JSON parser is dropped: it could contain a value.
    let secret: WholeSecret =
        serde_json::from_slice(json.expose()).map_err(|_| malformed(Malformed::NoSecret))?;
    let metadata = secret.metadata.unwrap_or_default();
    Ok(Unsealed {
        opened_by: vec![key.id()],
        template: Some(SecretTemplate {
            secret_type: secret.secret_type.filter(|it| !it.is_empty()),
            immutable: secret.immutable,
            metadata: TemplateMetadata {
                labels: metadata.labels.unwrap_or_default(),
                annotations: metadata.annotations.unwrap_or_default(),
            },
        }),
        items: decode_items(secret.data.unwrap_or_default()).map_err(malformed)?,
    })
}

#[derive(Deserialize)]
struct WholeSecret {
    metadata: Option<WholeMetadata>,
    #[serde(rename = "type")]
    secret_type: Option<String>,
    immutable: Option<bool>,
    data: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize, Default)]
struct WholeMetadata {
    labels: Option<BTreeMap<String, String>>,
    annotations: Option<BTreeMap<String, String>>,
}

fn decode_items(
    encoded: BTreeMap<String, String>,
) -> Result<BTreeMap<ItemName, Plaintext>, Malformed> {
    encoded
        .into_iter()
        .map(|(name, mut text)| {
            let bytes = STANDARD.decode(&text).map(Zeroizing::new);
            text.zeroize();
            Ok((
                ItemName::parse(name)?,
                Plaintext::new(bytes.map_err(|_| Malformed::NoSecret)?),
            ))
        })
        .collect()
}
