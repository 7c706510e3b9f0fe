//! What all reconciles of SealedSecrets share.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Secret;
use kube::{Client, core::PartialObjectMeta, runtime::reflector::Store};
use tokio::sync::{Semaphore, watch};

use super::recent_statuses::RecentStatuses;
use crate::{
    backoff::{DriftBackoff, ErrorBackoff},
    store::{ClusterStore, watcher::Lists},
    telemetry::{events::Events, metrics::Metrics},
};

/// Bytes of ciphertext that may be in memory at once: hundreds of usual SealedSecrets, or a few of
/// the largest. Each exists several times, as JSON, in binary and in its Secret.
pub(crate) const CIPHERTEXT_BUDGET: u32 = 3 * 1024 * 1024;

/// What all reconciles of SealedSecrets share.
pub(crate) struct Context {
    pub(crate) client: Client,
    pub(crate) store: watch::Receiver<ClusterStore>,
    /// Metadata of the Secrets that have our label.
    pub(crate) secrets: Store<PartialObjectMeta<Secret>>,
    pub(crate) secrets_listed: Lists,
    pub(crate) recent_statuses: RecentStatuses,
    pub(crate) error_backoff: ErrorBackoff,
    pub(crate) drift_backoff: DriftBackoff,
    /// One permit for each core, shared by all private-key operations.
    pub(crate) private_key_operations: Arc<Semaphore>,
    /// One permit for each byte of ciphertext, [`CIPHERTEXT_BUDGET`] in all.
    pub(crate) ciphertext_budget: Semaphore,
    pub(crate) events: Events,
    pub(crate) metrics: Arc<Metrics>,
}
