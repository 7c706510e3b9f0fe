//! Key files: private keys in PEM, or key Secrets as they were exported from a cluster.

use std::path::{Path, PathBuf};

use sealing::{KeyRing, Plaintext, SealingKey};

use super::read_text;
use crate::{
    error::{CommandError, Result},
    manifest::{self, Object},
    ui::{self, Io},
};

/// The item of a key Secret that holds the private key.
const KEY_ITEM: &str = "tls.key";

/// Reads every private key of every file.
///
/// In exported Secrets, those without `tls.key` are passed over, and keys that cannot be used are
/// told and passed over as long as there is another: an export often holds more than was meant.
pub(crate) fn read_key_ring(paths: &[PathBuf], io: &mut Io<'_>) -> Result<KeyRing> {
    let mut keys = Vec::new();
    for path in paths {
        let text = read_text(&io.directory, path)?;
        if text.lines().any(|line| line.starts_with("-----BEGIN ")) {
            keys.extend(pem_keys(path, &text)?);
        } else {
            keys.extend(exported_keys(path, &text, io)?);
        }
    }
    Ok(keys.into_iter().collect())
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
            .find(|(name, _)| name.as_str() == KEY_ITEM)
        else {
            continue;
        };
        match parse_key_item(pem) {
            Ok(found) => keys.extend(found),
            Err(problem) => unusable.push(format!("{origin}: {KEY_ITEM}: {problem}")),
        }
    }
    if keys.is_empty() {
        let problem = unusable.into_iter().next().unwrap_or_else(|| {
            format!(
                "{}: neither a PEM private key nor a Secret with {KEY_ITEM}",
                path.display()
            )
        });
        return Err(CommandError::user(problem));
    }
    for problem in unusable {
        ui::warn(io, format_args!("{problem}; it is passed over"));
    }
    Ok(keys)
}

fn parse_key_item(pem: &Plaintext) -> std::result::Result<Vec<SealingKey>, String> {
    let text = std::str::from_utf8(pem.expose()).map_err(|_| "not UTF-8 text".to_owned())?;
    SealingKey::parse_pem(text).map_err(|error| error.to_string())
}
