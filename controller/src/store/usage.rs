//! Which SealedSecrets need a sealing key. Pure.
//!
//! It tells by key ids alone: whether a seal really opens is for unsealing to find out.

use std::{collections::BTreeMap, sync::Arc};

use kube::ResourceExt as _;
use sealing::KeyId;

use crate::store::{
    ClusterStore, NamespaceMatch, ResolvedEnvironment, objects::ReceivedSealedSecret,
};

/// Whom the seals of one SealedSecret are wrapped for.
#[derive(Debug, Clone)]
pub(crate) struct Recipients {
    /// Its namespace and name, as people write them.
    pub(crate) sealed_secret: String,
    /// Key ids by seal.
    pub(crate) seals: Vec<Vec<KeyId>>,
}

/// For each SealedSecret of an environment, whom its seals are wrapped for. One in a namespace of
/// another environment is none of its own, whatever it says.
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
                NamespaceMatch::To(known) if known.name.as_str() == environment
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

/// The SealedSecrets of an environment that need a key. A seal is opened by the first of its
/// recipients that the ring holds; where it holds none, each of them is missing. So these are the
/// SealedSecrets that the key opens, and of a revoked key those that it opens no more.
pub(crate) fn needing<'a>(
    id: KeyId,
    environment: &ResolvedEnvironment,
    recipients: &'a [Recipients],
) -> impl Iterator<Item = &'a Recipients> {
    let needs = move |seal: &Vec<KeyId>| {
        let opening = seal.iter().find(|id| environment.ring.holds(**id));
        opening.map_or_else(|| seal.contains(&id), |opening| *opening == id)
    };
    recipients
        .iter()
        .filter(move |sealed_secret| sealed_secret.seals.iter().any(needs))
}
