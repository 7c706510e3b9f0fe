//! The fingerprint key: one for the cluster, in a Secret of a fixed name in the controller's
//! namespace.
//!
//! It is made once, by whoever leads, and never changed. When somebody deletes it, another one is
//! made, and every value is fingerprinted anew.

use std::{collections::BTreeMap, convert::Infallible, future::pending, sync::Arc, time::Duration};

use k8s_openapi::{ByteString, api::core::v1::Secret};
use kube::{Client, Resource as _, api::PostParams, core::Request};
use sealing::{FingerprintKey, SealError};
use serde::Serialize;
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};
use zeroize::Zeroize as _;

use crate::{
    api,
    error::describe,
    store::Surroundings,
    telemetry::metrics::{Metrics, Written},
};

/// The name of its Secret, so that there can be only one.
pub(crate) const SECRET: &str = "sceau-fingerprints";
const SECRET_TYPE: &str = "sceau.dev/fingerprint-key";
const ITEM: &str = "fingerprint.key";

/// What is in the Secret of that name.
#[derive(Debug, Clone)]
pub(crate) enum FingerprintSecret {
    /// Something else. It is not written over: nothing has fingerprints until it is deleted.
    Junk,
    Usable(Arc<FingerprintKey>),
}

impl FingerprintSecret {
    /// Reads the Secret and wipes it.
    pub(crate) fn read(mut secret: Secret) -> Self {
        let items = secret.data.as_ref();
        let bytes = items.and_then(|items| items.get(ITEM));
        let found = bytes.and_then(|ByteString(bytes)| FingerprintKey::from_bytes(bytes));
        for ByteString(bytes) in secret.data.iter_mut().flat_map(|items| items.values_mut()) {
            bytes.zeroize();
        }
        found.map_or(Self::Junk, |it| Self::Usable(Arc::new(it)))
    }

    /// The key, if it is one.
    pub(crate) fn usable(&self) -> Option<&Arc<FingerprintKey>> {
        match self {
            Self::Junk => None,
            Self::Usable(fingerprint_key) => Some(fingerprint_key),
        }
    }
}

impl PartialEq for FingerprintSecret {
    fn eq(&self, other: &Self) -> bool {
        let id = |it: &Self| it.usable().map(|it| it.id().to_owned());
        id(self) == id(other)
    }
}

/// Why the key could not be made.
#[derive(Debug, thiserror::Error)]
enum MakeError {
    #[error("{}", describe(.0))]
    Api(#[from] kube::Error),
    #[error(transparent)]
    Generate(#[from] SealError),
}

/// Keeps the one key there.
pub(crate) struct FingerprintKeeper {
    pub(crate) client: Client,
    pub(crate) own_namespace: String,
    pub(crate) surroundings: watch::Receiver<Surroundings>,
    pub(crate) metrics: Arc<Metrics>,
}

const TRY_AGAIN_AFTER: Duration = Duration::from_secs(15);

impl FingerprintKeeper {
    /// Makes the key whenever there is none.
    pub(crate) async fn keep(self) -> Infallible {
        let mut surroundings = self.surroundings.clone();
        let mut told = false;
        loop {
            let found = surroundings
                .borrow_and_update()
                .fingerprint_secret()
                .cloned();
            match found {
                Some(FingerprintSecret::Usable(_)) => told = false,
                Some(FingerprintSecret::Junk) if told => {}
                Some(FingerprintSecret::Junk) => {
                    tracing::warn!(secret = SECRET, "this Secret holds no fingerprint key");
                    told = true;
                }
                None => {
                    if let Err(error) = self.make().await {
                        tracing::warn!(%error, "the fingerprint key could not be made");
                        sleep(TRY_AGAIN_AFTER).await;
                        continue;
                    }
                }
            }
            if surroundings.changed().await.is_err() {
                pending::<Infallible>().await;
            }
        }
    }

    /// Makes the key, unless somebody else did.
    async fn make(&self) -> Result<(), MakeError> {
        let new = FingerprintKey::generate()?;
        let body = serde_json::to_vec(&SecretBody::of(&new.to_base64()))
            .map_err(kube::Error::SerdeError)?;
        let request = Request::new(Secret::url_path(&(), Some(&self.own_namespace)))
            .create(&PostParams::default(), body);
        match api::send(&self.client, request).await {
            Ok(_) => {
                self.metrics.count_write(Written::FingerprintKey);
                tracing::info!(secret = SECRET, id = new.id(), "fingerprint key made");
                Ok(())
            }
            Err(kube::Error::Api(status)) if status.is_already_exists() => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// The Secret as it is sent to the API server.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SecretBody<'a> {
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

impl<'a> SecretBody<'a> {
    fn of(base64: &'a str) -> Self {
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

/// A Secret that is written without fingerprints is opened once more when there is a key: so the
/// first one is waited for, and nothing is held up for long when it cannot be made.
const PATIENCE: Duration = Duration::from_secs(5);

/// Waits until the key is there, or it is clear that it will not be soon.
pub(crate) async fn until_made(mut surroundings: watch::Receiver<Surroundings>) {
    let made = surroundings.wait_for(|known| known.fingerprint_secret().is_some());
    let _ = timeout(PATIENCE, made).await;
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
        let made = FingerprintKey::generate().unwrap();
        let body = serde_json::to_value(SecretBody::of(&made.to_base64())).unwrap();
        assert_eq!(body["metadata"], json!({"name": "sceau-fingerprints"}));
        assert_eq!(body["immutable"], true);
        let found = read(body);
        assert_eq!(found.usable().unwrap().id(), made.id());
        assert_eq!(found, FingerprintSecret::Usable(Arc::new(made)));
    }

    #[test]
    fn a_secret_with_something_else_is_no_key() {
        for secret in [
            json!({}),
            json!({"data": {"fingerprint.key": ""}}),
            json!({"data": {"fingerprint.key": "c2hvcnQ="}}),
            json!({"data": {"other": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}}),
        ] {
            assert_eq!(read(secret), FingerprintSecret::Junk);
        }
    }
}
