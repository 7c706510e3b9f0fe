//! The store: cached Environments, Namespace labels and sealing keys, as the watches show them.
//!
//! All replicas keep it, so a standby can take over at once.

use std::{collections::BTreeMap, sync::Arc};

use kube::runtime::watcher::Event;
use sealing::{EnvironmentName, FingerprintKey, resource::EnvironmentSpec};

use crate::{
    keys::{
        fingerprint_secret::{self, FingerprintSecret},
        key_secret::{KeySecret, StoredKey, UnusableKey},
    },
    store::objects::NamespaceClaims,
};

mod cache;
mod environments;
pub(crate) mod objects;
pub(crate) mod usage;
pub(crate) mod watcher;
mod watches;

use cache::WatchCache;
pub(crate) use environments::KeyWithState;
pub use environments::{NamespaceMatch, ResolvedEnvironment};
pub(crate) use watches::watches;

/// Cached Environments, Namespace labels and sealing keys.
#[derive(Debug, Default)]
pub(crate) struct ClusterStore {
    specs: WatchCache<ReceivedSpec>,
    namespaces: WatchCache<BTreeMap<String, String>>,
    key_secrets: WatchCache<KeySecret>,
    fingerprint_secret: WatchCache<FingerprintSecret>,
    environments: Vec<Arc<ResolvedEnvironment>>,
}

/// The spec of an Environment, or only its namespaces when the rest is not valid.
pub(crate) type ReceivedSpec = Result<EnvironmentSpec, NamespaceClaims>;

impl ClusterStore {
    /// Whether all watches have listed their objects once.
    pub(crate) fn are_synced(&self) -> bool {
        self.specs.is_synced()
            && self.namespaces.is_synced()
            && self.key_secrets.is_synced()
            && self.fingerprint_secret.is_synced()
    }

    /// Stores an event of the watch of Environments. Returns whether anything changed.
    pub(crate) fn handle_environment(&mut self, event: Event<(String, ReceivedSpec)>) -> bool {
        let changed = self.specs.handle(event);
        self.resolve_environments();
        changed
    }

    /// Stores an event of the watch of Namespaces, of which only labels are kept.
    pub(crate) fn handle_namespace(
        &mut self,
        event: Event<(String, BTreeMap<String, String>)>,
    ) -> bool {
        self.namespaces.handle(event)
    }

    /// Stores an event of the watch of key Secrets.
    pub(crate) fn handle_key_secret(&mut self, event: Event<(String, KeySecret)>) -> bool {
        let changed = self.key_secrets.handle(event);
        self.resolve_environments();
        changed
    }

    /// Stores an event of the watch of the fingerprint key's Secret.
    pub(crate) fn handle_fingerprint_secret(
        &mut self,
        event: Event<(String, FingerprintSecret)>,
    ) -> bool {
        self.fingerprint_secret.handle(event)
    }

    /// The Secret of the fingerprint key, if it exists.
    pub(crate) fn fingerprint_secret(&self) -> Option<&FingerprintSecret> {
        self.fingerprint_secret.find(fingerprint_secret::SECRET)
    }

    /// The fingerprint key, if it exists.
    pub(crate) fn fingerprint_key(&self) -> Option<&Arc<FingerprintKey>> {
        self.fingerprint_secret()?.usable()
    }

    /// The valid Environment of that name.
    pub(crate) fn environment(&self, name: &EnvironmentName) -> Option<&Arc<ResolvedEnvironment>> {
        self.environments
            .iter()
            .find(|environment| environment.name == *name)
    }

    /// All valid Environments, by name.
    pub(crate) fn environments(&self) -> impl Iterator<Item = &ResolvedEnvironment> {
        self.environments.iter().map(AsRef::as_ref)
    }

    /// The names of Secrets that have the label of a sealing key and hold none, and why.
    pub(crate) fn unusable_keys(&self) -> impl Iterator<Item = (&str, &UnusableKey)> {
        self.key_secrets
            .iter()
            .filter_map(|(name, secret)| match secret {
                KeySecret::Unusable(unusable) => Some((name, unusable)),
                KeySecret::Usable(_) => None,
            })
    }

    fn usable_keys(&self) -> impl Iterator<Item = &StoredKey> {
        self.key_secrets
            .iter()
            .filter_map(|(_, secret)| match secret {
                KeySecret::Unusable(_) => None,
                KeySecret::Usable(key) => Some(key),
            })
    }

    fn specs(&self) -> impl Iterator<Item = (EnvironmentName, &ReceivedSpec)> {
        self.specs
            .iter()
            .filter_map(|(name, spec)| Some((EnvironmentName::parse(name).ok()?, spec)))
    }
}

#[cfg(test)]
mod tests;
