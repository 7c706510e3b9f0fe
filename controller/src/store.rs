//! What every decision about a SealedSecret rests on besides itself: Environments, the labels of
//! Namespaces, and sealing keys.
//!
//! It keeps what the watches say and answers questions about it. Every replica has it, so that a
//! standby can take over at once.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use kube::{
    core::{Selector, SelectorExt as _},
    runtime::watcher::Event,
};
use sealing::{
    EnvironmentName, FingerprintKey, KeyId, KeyRing,
    resource::{EnvironmentSpec, SealingKeyState},
};

use crate::{
    keys::fingerprint_secret::{self, FingerprintSecret},
    keys::key_secret::{KeySecret, StoredKey, UnusableKey, secret_name},
    store::objects::NamespaceClaims,
};

mod cache;
pub(crate) mod objects;
pub(crate) mod usage;
pub(crate) mod watcher;
mod watches;

use cache::WatchCache;
pub(crate) use watches::watches;

/// Environments, Namespaces and keys, as the API server last said.
#[derive(Debug, Default)]
pub(crate) struct ClusterStore {
    specs: WatchCache<ReceivedSpec>,
    namespaces: WatchCache<BTreeMap<String, String>>,
    key_secrets: WatchCache<KeySecret>,
    fingerprint_secret: WatchCache<FingerprintSecret>,
    environments: Vec<Arc<ResolvedEnvironment>>,
}

/// What an Environment says, or what it claims when the rest cannot be read.
pub(crate) type ReceivedSpec = Result<EnvironmentSpec, NamespaceClaims>;

/// An Environment with the keys that may open what is sealed for it.
#[derive(Debug, Clone)]
pub struct ResolvedEnvironment {
    /// Its name.
    pub name: EnvironmentName,
    /// What it says.
    pub spec: EnvironmentSpec,
    /// Its sealing keys but the revoked ones.
    pub ring: KeyRing,
}

impl ResolvedEnvironment {
    /// Whether a key was revoked.
    pub(crate) fn revokes(&self, id: KeyId) -> bool {
        revokes(&self.spec, id)
    }
}

fn claims(spec: &EnvironmentSpec, namespace: &str, labels: &BTreeMap<String, String>) -> bool {
    let by_name = || {
        spec.namespaces
            .iter()
            .flatten()
            .any(|name| name == namespace)
    };
    let by_label = || {
        spec.namespace_selector
            .clone()
            .and_then(|selector| Selector::try_from(selector).ok())
            .is_some_and(|selector| selector.matches(labels))
    };
    by_name() || by_label()
}

fn revokes(spec: &EnvironmentSpec, id: KeyId) -> bool {
    let id = id.to_string();
    spec.sealing_keys.revoked_key_ids.contains(&id)
}

/// Which Environment a namespace belongs to.
#[derive(Debug, Clone)]
pub enum NamespaceMatch {
    /// To more than one, which is as good as none: these claim it.
    Ambiguous(BTreeSet<EnvironmentName>),
    /// To none.
    None,
    /// To this one.
    To(Arc<ResolvedEnvironment>),
    /// The namespace has not been seen yet.
    Unknown,
    /// To this one, which cannot be read: nothing is opened for it.
    InvalidSpec(EnvironmentName),
}

/// A sealing key and what it may do.
#[derive(Debug, Clone)]
pub(crate) struct KeyWithState<'a> {
    pub(crate) known: &'a StoredKey,
    pub(crate) state: SealingKeyState,
}

impl ClusterStore {
    /// Whether everything has been listed once.
    pub(crate) fn are_synced(&self) -> bool {
        self.specs.is_synced()
            && self.namespaces.is_synced()
            && self.key_secrets.is_synced()
            && self.fingerprint_secret.is_synced()
    }

    /// Takes in what the watch of Environments says, and whether anything is different now.
    pub(crate) fn take_environment(&mut self, event: Event<(String, ReceivedSpec)>) -> bool {
        let changed = self.specs.take_in(event);
        self.assemble();
        changed
    }

    /// The same for the watch of Namespaces, of which only labels count.
    pub(crate) fn take_namespace(
        &mut self,
        event: Event<(String, BTreeMap<String, String>)>,
    ) -> bool {
        self.namespaces.take_in(event)
    }

    /// The same for the watch of key Secrets.
    pub(crate) fn take_key_secret(&mut self, event: Event<(String, KeySecret)>) -> bool {
        let changed = self.key_secrets.take_in(event);
        self.assemble();
        changed
    }

    /// The same for the watch of the fingerprint key's Secret.
    pub(crate) fn take_fingerprint_secret(
        &mut self,
        event: Event<(String, FingerprintSecret)>,
    ) -> bool {
        self.fingerprint_secret.take_in(event)
    }

    /// The Secret of the fingerprint key, when there is one.
    pub(crate) fn fingerprint_secret(&self) -> Option<&FingerprintSecret> {
        self.fingerprint_secret.find(fingerprint_secret::SECRET)
    }

    /// The fingerprint key, when there is one.
    pub(crate) fn fingerprint_key(&self) -> Option<&Arc<FingerprintKey>> {
        self.fingerprint_secret()?.usable()
    }

    /// Which Environment a namespace belongs to.
    pub(crate) fn namespace_match(&self, namespace: &str) -> NamespaceMatch {
        let Some(labels) = self.namespaces.find(namespace) else {
            return NamespaceMatch::Unknown;
        };
        let claiming: Vec<_> = self
            .specs()
            .filter(|(_, spec)| {
                let spec = spec.as_ref().unwrap_or_else(|NamespaceClaims(spec)| spec);
                claims(spec, namespace, labels)
            })
            .map(|(name, _)| name)
            .collect();
        match claiming.as_slice() {
            [] => NamespaceMatch::None,
            [one] => self.environment(one).map_or_else(
                || NamespaceMatch::InvalidSpec(one.clone()),
                |known| NamespaceMatch::To(Arc::clone(known)),
            ),
            _ => NamespaceMatch::Ambiguous(claiming.into_iter().collect()),
        }
    }

    /// The environment of that name.
    pub(crate) fn environment(&self, name: &EnvironmentName) -> Option<&Arc<ResolvedEnvironment>> {
        self.environments
            .iter()
            .find(|environment| environment.name == *name)
    }

    /// Every readable environment, by name.
    pub(crate) fn environments(&self) -> impl Iterator<Item = &ResolvedEnvironment> {
        self.environments.iter().map(AsRef::as_ref)
    }

    /// The sealing keys of an environment, newest first, and of two that were made in the same second
    /// the revoked one last; one that was replaced is not the newest, whatever clocks said when the
    /// other was made. Only the newest can be active: when it is revoked, an older one does not come
    /// back in its place. A key that is stored twice is as old as the older of the two says.
    pub(crate) fn keys_of(&self, environment: &ResolvedEnvironment) -> Vec<KeyWithState<'_>> {
        let mut first_seen: BTreeMap<KeyId, &StoredKey> = BTreeMap::new();
        for known in self
            .usable_keys()
            .filter(|known| known.environment == environment.name)
        {
            let oldest = first_seen.entry(known.id()).or_insert(known);
            if known.created_at < oldest.created_at {
                *oldest = known;
            }
        }
        let replacements: BTreeSet<&str> =
            self.usable_keys().map(|it| it.secret.as_str()).collect();
        let mut keys: Vec<&StoredKey> = first_seen.into_values().collect();
        keys.sort_by_key(|known| {
            let id = known.id();
            let is_replaced =
                replacements.contains(secret_name(&environment.name, Some(id)).as_str());
            (
                is_replaced,
                Reverse(known.created_at),
                environment.revokes(id),
                id,
            )
        });
        let newest = keys.first().map(|known| known.id());
        keys.into_iter()
            .map(|known| {
                let id = known.id();
                let state = match () {
                    () if environment.revokes(id) => SealingKeyState::Revoked,
                    () if Some(id) == newest => SealingKeyState::Active,
                    () => SealingKeyState::Retired,
                };
                KeyWithState { known, state }
            })
            .collect()
    }

    /// The names of Secrets that carry the label of a sealing key and hold none, and why.
    pub(crate) fn unusable_keys(&self) -> impl Iterator<Item = (&str, &UnusableKey)> {
        self.key_secrets
            .iter()
            .filter_map(|(name, secret)| match secret {
                KeySecret::Junk(unusable) => Some((name, unusable)),
                KeySecret::Usable(_) => None,
            })
    }

    fn usable_keys(&self) -> impl Iterator<Item = &StoredKey> {
        self.key_secrets
            .iter()
            .filter_map(|(_, secret)| match secret {
                KeySecret::Junk(_) => None,
                KeySecret::Usable(known) => Some(known),
            })
    }

    fn specs(&self) -> impl Iterator<Item = (EnvironmentName, &ReceivedSpec)> {
        self.specs
            .iter()
            .filter_map(|(name, spec)| Some((EnvironmentName::parse(name).ok()?, spec)))
    }

    /// Puts specs and keys together, after either has changed.
    fn assemble(&mut self) {
        self.environments = self
            .specs()
            .filter_map(|(name, spec)| Some((name, spec.as_ref().ok()?)))
            .map(|(name, spec)| {
                let mut ring = KeyRing::default();
                self.usable_keys()
                    .filter(|known| known.environment == name && !revokes(spec, known.id()))
                    .for_each(|known| ring.insert(Arc::clone(&known.sealing_key)));
                Arc::new(ResolvedEnvironment {
                    name,
                    spec: spec.clone(),
                    ring,
                })
            })
            .collect();
    }
}

#[cfg(test)]
mod tests;
