//! Key files: private keys in PEM, or key Secrets as they were exported from a cluster.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use sealing::{
    Certificate, ItemName, KeyRing, Plaintext, SealingKey,
    resource::key_secret::{CERTIFICATE_ITEM, PRIVATE_KEY_ITEM},
};

use crate::{
    error::{CommandError, Result},
    input::read_text,
    manifest::{self, Object},
    ui::{self, Io},
};

/// Reads every private key of every file.
///
/// An export often holds more than the keys. Secrets without `tls.key` are skipped. Unusable keys
/// are skipped with a warning, if there is a usable one.
pub(crate) fn read_key_ring(paths: &[PathBuf], io: &mut Io<'_>) -> Result<KeyRing> {
    let mut keys = Vec::new();
    for path in paths {
        let text = read_text(&io.directory, path)?;
        if is_pem(&text) {
            keys.extend(pem_keys(path, &text)?);
        } else {
            keys.extend(exported_keys(path, &text, io)?);
        }
    }
    Ok(keys.into_iter().collect())
}

/// Whether a text holds PEM blocks and no manifests.
pub(crate) fn is_pem(text: &str) -> bool {
    text.lines().any(|line| line.starts_with("-----BEGIN "))
}

fn pem_keys(path: &Path, text: &str) -> Result<Vec<SealingKey>> {
    SealingKey::parse_pem(text)
        .map_err(|error| CommandError::user(format!("{}: {error}", path.display())))
}

fn exported_keys(path: &Path, text: &str, io: &mut Io<'_>) -> Result<Vec<SealingKey>> {
    let mut keys = Vec::new();
    let mut unusable = Vec::new();
    let objects = manifest::read_all(&path.display().to_string(), text)?;
    for (origin, object) in objects {
        let Object::Secret(secret) = object else {
            continue;
        };
        let Some((_, pem)) = secret
            .items
            .iter()
            .find(|(name, _)| name.as_str() == PRIVATE_KEY_ITEM)
        else {
            continue;
        };
        match parse_key_item(pem) {
            Ok(found) => keys.extend(found),
            Err(problem) => unusable.push(format!("{origin}: {PRIVATE_KEY_ITEM}: {problem}")),
        }
    }
    if keys.is_empty() {
        let problem = unusable.into_iter().next().unwrap_or_else(|| {
            format!(
                "{} holds neither a PEM private key nor a Secret with {PRIVATE_KEY_ITEM}",
                path.display()
            )
        });
        return Err(CommandError::user(problem));
    }
    for problem in unusable {
        ui::warn(io, format_args!("{problem}; the key is skipped"));
    }
    Ok(keys)
}

fn parse_key_item(pem: &Plaintext) -> std::result::Result<Vec<SealingKey>, String> {
    let text = std::str::from_utf8(pem.expose()).map_err(|_| "not UTF-8 text".to_owned())?;
    SealingKey::parse_pem(text).map_err(|error| error.to_string())
}

/// The sealing key of a key Secret's items. It must be the key of its certificate, as the
/// controller requires. The error has no value in it.
pub(crate) fn sealing_key(
    items: &BTreeMap<ItemName, Plaintext>,
) -> std::result::Result<SealingKey, String> {
    let item = |name: &str| {
        let found = items.iter().find(|(item, _)| item.as_str() == name);
        found.map(|(_, plaintext)| plaintext)
    };
    let pem = item(PRIVATE_KEY_ITEM).ok_or_else(|| format!("{PRIVATE_KEY_ITEM} is missing"))?;
    let certificate =
        item(CERTIFICATE_ITEM).ok_or_else(|| format!("{CERTIFICATE_ITEM} is missing"))?;
    let certificate = std::str::from_utf8(certificate.expose())
        .map_err(|_| format!("{CERTIFICATE_ITEM}: not UTF-8 text"))
        .and_then(|text| {
            Certificate::parse_pem(text).map_err(|error| format!("{CERTIFICATE_ITEM}: {error}"))
        })?;
    parse_key_item(pem)
        .map_err(|problem| format!("{PRIVATE_KEY_ITEM}: {problem}"))?
        .into_iter()
        .find(|sealing_key| sealing_key.id() == certificate.key_id())
        .ok_or_else(|| format!("{PRIVATE_KEY_ITEM} does not belong to {CERTIFICATE_ITEM}"))
}

/// A sealing key and its certificate in PEM.
pub(crate) struct KeyPair {
    pub(crate) sealing_key: SealingKey,
    pub(crate) certificate: String,
}

/// Every private key of a PEM text with its certificate. The certificate says when the key was
/// generated, so it is required.
pub(crate) fn key_pairs(pem: &str) -> Result<Vec<KeyPair>> {
    let certificates: Vec<_> = certificates(pem).collect();
    let keys = SealingKey::parse_pem(pem).map_err(CommandError::user)?;
    keys.into_iter()
        .map(|sealing_key| {
            let id = sealing_key.id();
            let own = certificates.iter().find(|(found, _)| found.key_id() == id);
            let (_, certificate) = own.ok_or_else(|| {
                CommandError::user(format!("the certificate of {id} is missing"))
                    .hint("pass its file with `--keys` too")
            })?;
            Ok(KeyPair {
                sealing_key,
                certificate: (*certificate).to_owned(),
            })
        })
        .collect()
}

/// The certificates of a PEM text, each with its own text.
fn certificates(pem: &str) -> impl Iterator<Item = (Certificate, &str)> {
    const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
    const END: &str = "-----END CERTIFICATE-----\n";
    pem.match_indices(BEGIN).filter_map(|(start, _)| {
        let length = pem[start..].find(END)? + END.len();
        let text = &pem[start..start + length];
        Some((Certificate::parse_pem(text).ok()?, text))
    })
}
