//! Which SealedSecrets need a sealing key. Pure.
//!
//! It compares key ids only. Whether a seal decrypts is not known before unsealing.

use std::{collections::BTreeMap, sync::Arc};

use kube::ResourceExt as _;
use sealing::KeyId;

use crate::store::{
    ClusterStore, NamespaceMatch, ResolvedEnvironment, objects::ReceivedSealedSecret,
};

/// The recipients of the seals of one SealedSecret.
#[derive(Debug, Clone)]
pub(crate) struct Recipients {
    /// Its namespace and name, as `namespace/name`.
    pub(crate) sealed_secret: String,
    /// Key ids by seal.
    pub(crate) seals: Vec<Vec<KeyId>>,
}

/// The recipients of each SealedSecret of an environment. A SealedSecret in a namespace of another
/// environment does not count, whichever environment it names.
pub(crate) fn recipients_of(
    objects: &[Arc<ReceivedSealedSecret>],
    environment: &str,
    store: &ClusterStore,
) -> Vec<Recipients> {
    let mut namespaces = BTreeMap::new();
    let mut is_within = |namespace: String| {
        *namespaces.entry(namespace).or_insert_with_key(|namespace| {
            matches!(
                store.namespace_match(namespace),
                NamespaceMatch::To(resolved) if resolved.name.as_str() == environment
            )
        })
    };
    objects
        .iter()
        .filter_map(|object| Some((object, object.outline.as_ref().ok()?)))
        .filter(|(_, outline)| outline.environment == environment)
        .filter(|(object, _)| is_within(object.namespace().unwrap_or_default()))
        .map(|(object, outline)| Recipients {
            sealed_secret: object.path(),
            seals: outline.seals.clone(),
        })
        .collect()
}

/// The SealedSecrets of an environment that need a key. A seal is decrypted with the first of its
/// recipients that the ring holds. If the ring holds none, it needs each of them. So these are the
/// SealedSecrets that the key decrypts, or that a revoked key could decrypt.
pub(crate) fn needing<'a>(
    id: KeyId,
    environment: &ResolvedEnvironment,
    recipients: &'a [Recipients],
) -> impl Iterator<Item = &'a Recipients> {
    let needs = move |seal: &Vec<KeyId>| {
        let usable = seal.iter().find(|id| environment.ring.holds(**id));
        usable.map_or_else(|| seal.contains(&id), |usable| *usable == id)
    };
    recipients
        .iter()
        .filter(move |sealed_secret| sealed_secret.seals.iter().any(needs))
}
