//! What the unit tests build their cases from.

use std::path::PathBuf;

use sealing::{KeyId, SealingKey, resource::Environment};
use serde_json::{Value, json};

use super::observed::Observed;
use crate::{
    manifest::ManifestLocation,
    reseal::{FoundSeal, Pin},
};

/// A key by a letter: `A` is the one whose certificate is active, and `B` another that can be
/// pinned; of all others there is an id and no more.
pub(super) fn id(letter: char) -> KeyId {
    match letter {
        'A' | 'B' => pin(letter).recipient.id(),
        other => {
            let digit = (other as u32) % 16;
            format!("sha256:{}", format!("{digit:x}").repeat(64))
                .parse()
                .unwrap()
        }
    }
}

/// The pinned certificate of `A` or `B`.
pub(super) fn pin(letter: char) -> Pin {
    let pem = match letter {
        'A' => include_str!("../../../tests/vectors/test-4096.key"),
        _ => include_str!("../../../tests/vectors/test-2048.key"),
    };
    Pin {
        certificate: PathBuf::from(format!("{letter}.pem")),
        recipient: SealingKey::parse_pem(pem).unwrap()[0].recipient().clone(),
    }
}

/// Ids, letter by letter.
pub(super) fn ids(letters: &str) -> Vec<String> {
    letters.chars().map(|it| id(it).to_string()).collect()
}

/// Keys of a status as words such as `A:Active:2`, the last part being what it opens.
pub(super) fn status(keys: &str) -> Value {
    let at = "2026-01-02T12:00:00Z";
    let keys = keys.split_whitespace().map(|word| {
        let parts: Vec<&str> = word.split(':').collect();
        let letter = parts[0].chars().next().unwrap();
        json!({
            "keyId": id(letter),
            "state": parts[1],
            "createdAt": at,
            "notAfter": at,
            "sealedSecrets": parts[2].parse::<u32>().unwrap(),
        })
    });
    json!({
        "observedGeneration": 2,
        "conditions": [{"type": "Ready", "status": "True", "reason": "R", "message": "", "lastTransitionTime": at}],
        "certificate": include_str!("../../../tests/vectors/test-4096.crt"),
        "sealingKeys": keys.collect::<Vec<_>>(),
    })
}

/// An Environment of generation 2 with this status and these revoked keys.
pub(super) fn observed(status: &Value, revoked: &str) -> Observed {
    let environment: Environment = serde_json::from_value(json!({
        "apiVersion": "sceau.dev/v1alpha1",
        "kind": "Environment",
        "metadata": {"name": "prod", "generation": 2},
        "spec": {"namespaceSelector": {}, "sealingKeys": {"revoked": ids(revoked)}},
        "status": status,
    }))
    .unwrap();
    Observed::of(&environment).unwrap()
}

/// A seal that is wrapped for these keys; for `?`, it cannot be told.
pub(super) fn seal(letters: &str) -> FoundSeal {
    let recipients = match letters {
        "?" => Err("nobody knows".to_owned()),
        letters => Ok(ids(letters)),
    };
    FoundSeal {
        location: ManifestLocation {
            file: format!("{letters}.yaml"),
            document: 1,
            line: 1,
            namespace: Some("shop".to_owned()),
            name: Some("api".to_owned()),
        },
        seal: Some(1),
        items: vec!["PASSPHRASE".to_owned()],
        recipients,
    }
}
