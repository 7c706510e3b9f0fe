//! The Environment of each namespace, and the sealing keys of each Environment.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use kube::core::{Selector, SelectorExt as _};
use sealing::{
    EnvironmentName, KeyId, KeyRing,
    resource::{EnvironmentSpec, SealingKeyState},
};

use super::ClusterStore;
use crate::{
    keys::key_secret::{StoredKey, secret_name},
    store::objects::NamespaceClaims,
};

/// A valid Environment with its usable sealing keys.
#[derive(Debug, Clone)]
pub struct ResolvedEnvironment {
    /// Its name.
    pub name: EnvironmentName,
    /// Its spec.
    pub spec: EnvironmentSpec,
    /// Its sealing keys without the revoked ones.
    pub ring: KeyRing,
}

impl ResolvedEnvironment {
    /// Whether a key was revoked.
    pub(crate) fn revokes(&self, id: KeyId) -> bool {
        revokes(&self.spec, id)
    }
}

fn selects(spec: &EnvironmentSpec, namespace: &str, labels: &BTreeMap<String, String>) -> bool {
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

/// The Environment of a namespace.
#[derive(Debug, Clone)]
pub enum NamespaceMatch {
    /// Several Environments select the namespace, so it belongs to none.
    Ambiguous(BTreeSet<EnvironmentName>),
    /// No Environment selects the namespace.
    None,
    /// One valid Environment selects the namespace.
    To(Arc<ResolvedEnvironment>),
    /// The watch has not shown the namespace yet.
    Unknown,
    /// One Environment selects the namespace, and its spec is not valid. Nothing is unsealed.
    InvalidSpec(EnvironmentName),
}

/// A sealing key and its state.
#[derive(Debug, Clone)]
pub(crate) struct KeyWithState<'a> {
    pub(crate) stored: &'a StoredKey,
    pub(crate) state: SealingKeyState,
}

impl ClusterStore {
    /// The Environment of a namespace.
    pub(crate) fn namespace_match(&self, namespace: &str) -> NamespaceMatch {
        let Some(labels) = self.namespaces.find(namespace) else {
            return NamespaceMatch::Unknown;
        };
        let selecting: Vec<_> = self
            .specs()
            .filter(|(_, spec)| {
                let spec = spec.as_ref().unwrap_or_else(|NamespaceClaims(spec)| spec);
                selects(spec, namespace, labels)
            })
            .map(|(name, _)| name)
            .collect();
        match selecting.as_slice() {
            [] => NamespaceMatch::None,
            [one] => self.environment(one).map_or_else(
                || NamespaceMatch::InvalidSpec(one.clone()),
                |environment| NamespaceMatch::To(Arc::clone(environment)),
            ),
            _ => NamespaceMatch::Ambiguous(selecting.into_iter().collect()),
        }
    }

    /// The sealing keys of an environment, newest first. Only the newest can be active: after its
    /// revocation, an older key does not become active again.
    ///
    /// Of two keys of the same second, the revoked one is last. A key that was replaced is not the
    /// newest, whatever the clocks say about its replacement. A key in two Secrets has the older of
    /// both creation times.
    pub(crate) fn keys_of(&self, environment: &ResolvedEnvironment) -> Vec<KeyWithState<'_>> {
        let mut keys = self.distinct_keys(&environment.name);
        let secrets: BTreeSet<&str> = self.usable_keys().map(|key| key.secret.as_str()).collect();
        keys.sort_by_key(|key| {
            let id = key.id();
            let replacement = secret_name(&environment.name, Some(id));
            (
                // A replacement that a clock behind made looks older than what it replaces.
                secrets.contains(replacement.as_str()),
                Reverse(key.created_at),
                environment.revokes(id),
                id,
            )
        });
        let newest = keys.first().map(|key| key.id());
        keys.into_iter()
            .map(|stored| {
                let id = stored.id();
                let state = match () {
                    () if environment.revokes(id) => SealingKeyState::Revoked,
                    () if Some(id) == newest => SealingKeyState::Active,
                    () => SealingKeyState::Retired,
                };
                KeyWithState { stored, state }
            })
            .collect()
    }

    /// The sealing keys of an environment, each once.
    fn distinct_keys(&self, environment: &EnvironmentName) -> Vec<&StoredKey> {
        let mut oldest: BTreeMap<KeyId, &StoredKey> = BTreeMap::new();
        for key in self
            .usable_keys()
            .filter(|key| key.environment == *environment)
        {
            let kept = oldest.entry(key.id()).or_insert(key);
            // A restored Secret may be younger than its key, so the older time is right.
            if key.created_at < kept.created_at {
                *kept = key;
            }
        }
        oldest.into_values().collect()
    }

    /// Builds the resolved Environments, after specs or keys changed.
    pub(super) fn resolve_environments(&mut self) {
        self.environments = self
            .specs()
            .filter_map(|(name, spec)| Some((name, spec.as_ref().ok()?)))
            .map(|(name, spec)| {
                let mut ring = KeyRing::default();
                self.usable_keys()
                    .filter(|key| key.environment == name && !revokes(spec, key.id()))
                    .for_each(|key| ring.insert(Arc::clone(&key.sealing_key)));
                Arc::new(ResolvedEnvironment {
                    name,
                    spec: spec.clone(),
                    ring,
                })
            })
            .collect();
    }
}
