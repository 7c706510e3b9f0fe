//! The fingerprint key: one for the cluster, in a Secret of a fixed name in the controller's
//! namespace.
//!
//! The leader generates it once and never changes it. If its Secret is deleted, the leader
//! generates another key, and all values are fingerprinted again.

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
    telemetry::metrics::{Metrics, WrittenResource},
};

/// Why the key was not generated.
#[derive(Debug, thiserror::Error)]
enum GenerateError {
    #[error("{}", describe(.0))]
    Api(#[from] kube::Error),
    #[error(transparent)]
    Generate(#[from] ProviderError),
}

/// Ensures that the key exists.
pub(crate) struct KeyProvisioner {
    pub(crate) client: Client,
    pub(crate) own_namespace: String,
    pub(crate) store: watch::Receiver<ClusterStore>,
    pub(crate) metrics: Arc<Metrics>,
}

const TRY_AGAIN_AFTER: Duration = Duration::from_secs(15);

impl KeyProvisioner {
    /// Generates the key whenever its Secret does not exist.
    pub(crate) async fn run(self) -> Infallible {
        let mut store = self.store.clone();
        let mut reported = false;
        loop {
            let found = store.borrow_and_update().fingerprint_secret().cloned();
            match found {
                Some(FingerprintSecret::Usable(_)) => reported = false,
                Some(FingerprintSecret::Unusable) if reported => {}
                Some(FingerprintSecret::Unusable) => {
                    tracing::warn!(
                        secret = SECRET,
                        "the Secret holds no fingerprint key: delete it to have one generated"
                    );
                    reported = true;
                }
                None => {
                    if let Err(error) = self.generate().await {
                        tracing::warn!(%error, "the fingerprint key could not be generated");
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

    /// Generates the key, unless its Secret exists.
    async fn generate(&self) -> Result<(), GenerateError> {
        let key = FingerprintKey::generate()?;
        let body = serde_json::to_vec(&NewFingerprintSecret::of(&key.to_base64()))
            .map_err(kube::Error::SerdeError)?;
        let request = Request::new(Secret::url_path(&(), Some(&self.own_namespace)))
            .create(&PostParams::default(), body);
        match api::send(&self.client, request).await {
            Ok(_) => {
                self.metrics.count_write(WrittenResource::FingerprintKey);
                tracing::info!(secret = SECRET, id = key.id(), "fingerprint key generated");
                Ok(())
            }
            Err(kube::Error::Api(status)) if status.is_already_exists() => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// A Secret that is written without fingerprints is unsealed again once the key exists. So the
/// first reconciles wait for the key, but not for long if it cannot be generated.
const PATIENCE: Duration = Duration::from_secs(5);

/// Waits until the key exists, or for [`PATIENCE`].
pub(crate) async fn wait_for_key(mut store: watch::Receiver<ClusterStore>) {
    let exists = store.wait_for(|store| store.fingerprint_secret().is_some());
    let _ = timeout(PATIENCE, exists).await;
}
