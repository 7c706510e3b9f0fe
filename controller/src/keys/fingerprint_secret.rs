//! The Secret of the fingerprint key: parsed and built.

use std::{collections::BTreeMap, sync::Arc};

use k8s_openapi::{ByteString, api::core::v1::Secret};
use sealing::FingerprintKey;
use serde::Serialize;
use zeroize::Zeroize as _;

/// The name of the Secret. It is fixed, so there is only one key.
pub(crate) const SECRET: &str = "sceau-fingerprints";
const SECRET_TYPE: &str = "sceau.dev/fingerprint-key";
const ITEM: &str = "fingerprint.key";

/// The content of the Secret with that name.
#[derive(Debug, Clone)]
pub(crate) enum FingerprintSecret {
    /// It holds no fingerprint key. The controller does not overwrite it: no value has a
    /// fingerprint until it is deleted.
    Unusable,
    Usable(Arc<FingerprintKey>),
}

impl FingerprintSecret {
    /// Parses the Secret and wipes it.
    pub(crate) fn read(mut secret: Secret) -> Self {
        let items = secret.data.as_ref();
        let bytes = items.and_then(|items| items.get(ITEM));
        let found = bytes.and_then(|ByteString(bytes)| FingerprintKey::from_bytes(bytes));
        for ByteString(bytes) in secret.data.iter_mut().flat_map(|items| items.values_mut()) {
            bytes.zeroize();
        }
        found.map_or(Self::Unusable, |key| Self::Usable(Arc::new(key)))
    }

    /// The key; `None` if the Secret holds none.
    pub(crate) fn usable(&self) -> Option<&Arc<FingerprintKey>> {
        match self {
            Self::Unusable => None,
            Self::Usable(fingerprint_key) => Some(fingerprint_key),
        }
    }
}

impl PartialEq for FingerprintSecret {
    fn eq(&self, other: &Self) -> bool {
        let id = |secret: &Self| secret.usable().map(|key| key.id().to_owned());
        id(self) == id(other)
    }
}

/// The Secret as it is sent to the API server.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NewFingerprintSecret<'a> {
    api_version: &'static str,
    kind: &'static str,
    metadata: BodyMetadata,
    #[serde(rename = "type")]
    secret_type: &'static str,
    immutable: bool,
    #[serde(rename = "data")]
    items: BTreeMap<&'static str, &'a str>,
}

#[derive(Serialize)]
struct BodyMetadata {
    name: &'static str,
}

impl<'a> NewFingerprintSecret<'a> {
    /// The Secret of a key that is given in base64.
    pub(crate) fn of(base64: &'a str) -> Self {
        Self {
            api_version: "v1",
            kind: "Secret",
            metadata: BodyMetadata { name: SECRET },
            secret_type: SECRET_TYPE,
            immutable: true,
            items: [(ITEM, base64)].into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(secret: Value) -> FingerprintSecret {
        FingerprintSecret::read(serde_json::from_value(secret).unwrap())
    }

    #[test]
    fn what_is_stored_is_read_again() {
        let generated = FingerprintKey::generate().unwrap();
        let body = serde_json::to_value(NewFingerprintSecret::of(&generated.to_base64())).unwrap();
        assert_eq!(body["metadata"], json!({"name": "sceau-fingerprints"}));
        assert_eq!(body["immutable"], true);
        let found = read(body);
        assert_eq!(found.usable().unwrap().id(), generated.id());
        assert_eq!(found, FingerprintSecret::Usable(Arc::new(generated)));
    }

    #[test]
    fn a_secret_with_other_data_is_not_usable() {
        for secret in [
            json!({}),
            json!({"data": {"fingerprint.key": ""}}),
            json!({"data": {"fingerprint.key": "c2hvcnQ="}}),
            json!({"data": {"other": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}}),
        ] {
            assert_eq!(read(secret), FingerprintSecret::Unusable);
        }
    }
}
