//! Which values stand in the cluster, as far as fingerprints tell, and which of them stand in more
//! than one place. No Secret is read for it.
//!
//! What it finds is for operations only: audit log, metric and the answers to ValueReviews. No status
//! and no event tells one tenant of another.

use std::{
    collections::BTreeSet,
    convert::Infallible,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::Arc,
    time::Duration,
};

use k8s_openapi::api::core::v1::Secret;
use kube::{
    ResourceExt as _,
    core::PartialObjectMeta,
    runtime::reflector::{ObjectRef, Store},
};
use sealing::{Fingerprint, ItemRef};
use tokio::{
    sync::{Notify, watch},
    time::sleep,
};

use crate::{
    fingerprint::annotation::Fingerprints,
    store::{ClusterStore, objects::ReceivedSealedSecret, watcher::Lists},
    telemetry::{audit, metrics::Metrics},
};

/// What the leader sees of the values in the cluster.
#[derive(Clone)]
pub(crate) struct Values {
    pub(crate) store: watch::Receiver<ClusterStore>,
    pub(crate) sealed_secrets: Store<ReceivedSealedSecret>,
    pub(crate) sealed_secrets_listed: Lists,
    pub(crate) secrets: Store<PartialObjectMeta<Secret>>,
    pub(crate) secrets_listed: Lists,
}

/// The values with fingerprints of the present key. Anybody may have any number of them, so they are
/// kept small, and places are made only of those that are told.
#[derive(Debug, Default)]
pub(crate) struct ValueIndex {
    secrets: Vec<KnownSecret>,
    values: Vec<KnownItem>,
    /// Secrets of SealedSecrets whose values cannot be compared with others.
    pub(crate) unknown: usize,
}

#[derive(Debug)]
struct KnownSecret {
    environment: String,
    namespace: String,
    name: String,
}

/// In the order of fingerprints, Secrets and items.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct KnownItem {
    fingerprint: Fingerprint,
    /// Its index.
    secret: usize,
    item: Box<str>,
}

/// Places of values, of which only so many are told.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct ReportedPlaces {
    pub(crate) places: Vec<ItemRef>,
    /// How many there are.
    pub(crate) count: usize,
}

impl ReportedPlaces {
    /// Whether there are more than are told.
    pub(crate) fn is_cut(&self) -> bool {
        self.places.len() < self.count
    }
}

/// Places that are told of one value that is reused.
const PLACES_OF_REUSED: usize = 20;

impl Values {
    /// What stands in the cluster now.
    pub(crate) async fn standing(&self) -> ValueIndex {
        self.sealed_secrets_listed.wait_for_first().await;
        self.secrets_listed.wait_for_first().await;
        let present = {
            let store = self.store.borrow();
            store.fingerprint_key().map(|it| it.id().to_owned())
        };
        let mut standing = ValueIndex::default();
        for secret in self.secrets.state() {
            let namespace = secret.namespace().unwrap_or_default();
            let place = ObjectRef::new(&secret.name_any()).within(&namespace);
            if let Some(object) = self.sealed_secrets.get(&place) {
                standing.take(&secret, &object, present.as_deref());
            }
        }
        standing
    }
}

impl ValueIndex {
    /// Takes in a Secret that has the name of a SealedSecret. Whoever may label a Secret as ours can
    /// put any annotation on it, so only those count that are as the SealedSecret says they were
    /// written.
    fn take(
        &mut self,
        secret: &PartialObjectMeta<Secret>,
        object: &ReceivedSealedSecret,
        present: Option<&str>,
    ) {
        let status = object.status.as_ref();
        let written = status.and_then(|status| status.secret.as_ref());
        let (Some(written), Ok(outline)) = (written, &object.outline) else {
            return;
        };
        if secret.metadata.uid.as_ref() != Some(&written.uid) {
            return;
        }
        let is_untouched =
            secret.metadata.resource_version.as_ref() == Some(&written.resource_version);
        let known = Fingerprints::of(secret.annotations())
            .filter(|known| is_untouched && Some(known.key_id.as_str()) == present)
            .filter(|known| !known.items.is_empty());
        let Some(known) = known else {
            self.unknown += 1;
            return;
        };
        let place = KnownSecret {
            environment: outline.environment.clone(),
            namespace: secret.namespace().unwrap_or_default(),
            name: secret.name_any(),
        };
        self.add(place, known);
    }

    /// Values where they stand, for the tests.
    #[cfg(test)]
    pub(crate) fn of(values: &[(Fingerprint, ItemRef)], unknown: usize) -> Self {
        let mut standing = Self {
            unknown,
            ..Self::default()
        };
        for (fingerprint, place) in values {
            let is_here =
                |it: &KnownSecret| it.namespace == place.namespace && it.name == place.name;
            let known = standing.secrets.iter().position(is_here);
            let secret = known.unwrap_or(standing.secrets.len());
            if known.is_none() {
                standing.secrets.push(KnownSecret {
                    environment: place.environment.clone(),
                    namespace: place.namespace.clone(),
                    name: place.name.clone(),
                });
            }
            standing.values.push(KnownItem {
                fingerprint: *fingerprint,
                secret,
                item: place.item.as_str().into(),
            });
        }
        standing
    }

    fn add(&mut self, secret: KnownSecret, known: Fingerprints) {
        let index = self.secrets.len();
        self.secrets.push(secret);
        let items = known.items.into_iter();
        self.values.extend(items.map(|(item, value)| KnownItem {
            fingerprint: value.fingerprint,
            secret: index,
            item: item.into_boxed_str(),
        }));
    }

    fn place(&self, value: &KnownItem) -> ItemRef {
        let secret = &self.secrets[value.secret];
        ItemRef {
            environment: secret.environment.clone(),
            namespace: secret.namespace.clone(),
            name: secret.name.clone(),
            item: value.item.to_string(),
        }
    }

    /// Where a value with one of these fingerprints stands; at most so many places.
    pub(crate) fn places_of(&self, fingerprints: &[Fingerprint], most: usize) -> ReportedPlaces {
        let found = || {
            let values = self.values.iter();
            values.filter(|value| fingerprints.contains(&value.fingerprint))
        };
        let mut places: Vec<_> = found().take(most).map(|value| self.place(value)).collect();
        places.sort();
        ReportedPlaces {
            places,
            count: found().count(),
        }
    }

    /// The values that stand in more than one Secret.
    pub(crate) fn reused(&mut self) -> Vec<ReportedPlaces> {
        self.values.sort_unstable();
        let groups = self
            .values
            .chunk_by(|one, next| one.fingerprint == next.fingerprint)
            .filter(|group| {
                let ends = group.first().zip(group.last());
                ends.is_some_and(|(first, last)| first.secret != last.secret)
            });
        groups.map(|group| self.told(group)).collect()
    }

    fn told(&self, group: &[KnownItem]) -> ReportedPlaces {
        let first = group.iter().take(PLACES_OF_REUSED);
        let mut places: Vec<_> = first.map(|value| self.place(value)).collect();
        places.sort();
        ReportedPlaces {
            places,
            count: group.len(),
        }
    }
}

/// How long changes are gathered before they are looked at.
const GATHER: Duration = Duration::from_secs(2);

/// Tells of each value that stands in more than one Secret: once, for as long as this replica leads
/// and the places stay the same.
pub(crate) async fn report_reuse(
    values: Values,
    changed: Arc<Notify>,
    metrics: Arc<Metrics>,
) -> Infallible {
    let mut told = BTreeSet::new();
    loop {
        let reused = values.standing().await.reused();
        let hashes: Vec<u64> = reused.iter().map(hash).collect();
        for (group, hash) in reused.iter().zip(&hashes) {
            if !told.contains(hash) {
                audit::record_reuse(&group.places, group.count);
            }
        }
        metrics.set_reused_values(reused.len());
        told = hashes.into_iter().collect();
        changed.notified().await;
        sleep(GATHER).await;
    }
}

fn hash(group: &ReportedPlaces) -> u64 {
    let mut hasher = DefaultHasher::new();
    group.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests;
