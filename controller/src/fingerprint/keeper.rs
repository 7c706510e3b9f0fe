//! The fingerprint key: one for the cluster, in a Secret of a fixed name in the controller's
//! namespace.
//!
//! It is made once, by whoever leads, and never changed. When somebody deletes it, another one is
//! made, and every value is fingerprinted anew.

use std::{convert::Infallible, future::pending, sync::Arc, time::Duration};

use k8s_openapi::api::core::v1::Secret;
use kube::{Client, Resource as _, api::PostParams, core::Request};
use sealing::{FingerprintKey, ProviderError};
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};

use crate::{
    api,
    error::describe,
    keys::fingerprint_secret::{FingerprintSecret, NewFingerprintSecret, SECRET},
    store::ClusterStore,
    telemetry::metrics::{Metrics, Written},
};

/// Why the key could not be made.
#[derive(Debug, thiserror::Error)]
enum MakeError {
    #[error("{}", describe(.0))]
    Api(#[from] kube::Error),
    #[error(transparent)]
    Generate(#[from] ProviderError),
}

/// Keeps the one key there.
pub(crate) struct FingerprintKeeper {
    pub(crate) client: Client,
    pub(crate) own_namespace: String,
    pub(crate) store: watch::Receiver<ClusterStore>,
    pub(crate) metrics: Arc<Metrics>,
}

const TRY_AGAIN_AFTER: Duration = Duration::from_secs(15);

impl FingerprintKeeper {
    /// Makes the key whenever there is none.
    pub(crate) async fn keep(self) -> Infallible {
        let mut store = self.store.clone();
        let mut told = false;
        loop {
            let found = store.borrow_and_update().fingerprint_secret().cloned();
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
            if store.changed().await.is_err() {
                pending::<Infallible>().await;
            }
        }
    }

    /// Makes the key, unless somebody else did.
    async fn make(&self) -> Result<(), MakeError> {
        let new = FingerprintKey::generate()?;
        let body = serde_json::to_vec(&NewFingerprintSecret::of(&new.to_base64()))
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

/// A Secret that is written without fingerprints is opened once more when there is a key: so the
/// first one is waited for, and nothing is held up for long when it cannot be made.
const PATIENCE: Duration = Duration::from_secs(5);

/// Waits until the key is there, or it is clear that it will not be soon.
pub(crate) async fn until_made(mut store: watch::Receiver<ClusterStore>) {
    let made = store.wait_for(|known| known.fingerprint_secret().is_some());
    let _ = timeout(PATIENCE, made).await;
}
