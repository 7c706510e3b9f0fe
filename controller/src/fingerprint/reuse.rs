//! An index of the values in the cluster by fingerprint, which finds values that more than one
//! Secret has. No Secret is read for it.
//!
//! Its results go to operations only: audit log, metric and answers to ValueReviews. No status and
//! no event discloses the Secrets of other tenants.

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

/// The sources of the index, which only the leader has.
#[derive(Clone)]
pub(crate) struct Values {
    pub(crate) store: watch::Receiver<ClusterStore>,
    pub(crate) sealed_secrets: Store<ReceivedSealedSecret>,
    pub(crate) sealed_secrets_listed: Lists,
    pub(crate) secrets: Store<PartialObjectMeta<Secret>>,
    pub(crate) secrets_listed: Lists,
}

/// The values with fingerprints of the present key. Tenants may have any number of values, so
/// entries are small. An [`ItemRef`] is built only for those that are reported.
#[derive(Debug, Default)]
pub(crate) struct ValueIndex {
    secrets: Vec<IndexedSecret>,
    values: Vec<IndexedItem>,
    /// Secrets of SealedSecrets whose values cannot be compared.
    pub(crate) unknown: usize,
}

#[derive(Debug)]
struct IndexedSecret {
    environment: String,
    namespace: String,
    name: String,
}

/// In the order of fingerprints, Secrets and items.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct IndexedItem {
    fingerprint: Fingerprint,
    /// The index of its Secret.
    secret: usize,
    item: Box<str>,
}

/// The items that have one value, up to a limit.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct ReportedPlaces {
    pub(crate) places: Vec<ItemRef>,
    /// The number of all items.
    pub(crate) count: usize,
}

impl ReportedPlaces {
    /// Whether items are omitted.
    pub(crate) fn is_cut(&self) -> bool {
        self.places.len() < self.count
    }
}

/// Items that are reported for one reused value.
const PLACES_OF_REUSED: usize = 20;

impl Values {
    /// Builds the index.
    pub(crate) async fn index(&self) -> ValueIndex {
        self.sealed_secrets_listed.wait_for_first().await;
        self.secrets_listed.wait_for_first().await;
        let present_key = {
            let store = self.store.borrow();
            store.fingerprint_key().map(|key| key.id().to_owned())
        };
        let mut index = ValueIndex::default();
        for secret in self.secrets.state() {
            let namespace = secret.namespace().unwrap_or_default();
            let place = ObjectRef::new(&secret.name_any()).within(&namespace);
            if let Some(object) = self.sealed_secrets.get(&place) {
                index.add_secret(&secret, &object, present_key.as_deref());
            }
        }
        index
    }
}

impl ValueIndex {
    /// Adds a Secret that has the name of a SealedSecret. A tenant may give a Secret our label and
    /// any annotation. So the fingerprints count only if the Secret is as the status of the
    /// SealedSecret records it.
    fn add_secret(
        &mut self,
        secret: &PartialObjectMeta<Secret>,
        object: &ReceivedSealedSecret,
        present_key: Option<&str>,
    ) {
        let status = object.status.as_ref();
        let written = status.and_then(|status| status.secret.as_ref());
        let (Some(written), Ok(outline)) = (written, &object.outline) else {
            return;
        };
        if secret.metadata.uid.as_ref() != Some(&written.uid) {
            return;
        }
        let is_unmodified =
            secret.metadata.resource_version.as_ref() == Some(&written.resource_version);
        let fingerprints = Fingerprints::of(secret.annotations())
            .filter(|found| is_unmodified && Some(found.key_id.as_str()) == present_key)
            .filter(|found| !found.items.is_empty());
        let Some(fingerprints) = fingerprints else {
            self.unknown += 1;
            return;
        };
        let place = IndexedSecret {
            environment: outline.environment.clone(),
            namespace: secret.namespace().unwrap_or_default(),
            name: secret.name_any(),
        };
        self.add(place, fingerprints);
    }

    /// An index of these values, for the tests.
    #[cfg(test)]
    pub(crate) fn of(values: &[(Fingerprint, ItemRef)], unknown: usize) -> Self {
        let mut index = Self {
            unknown,
            ..Self::default()
        };
        for (fingerprint, place) in values {
            let is_here = |secret: &IndexedSecret| {
                secret.namespace == place.namespace && secret.name == place.name
            };
            let known = index.secrets.iter().position(is_here);
            let secret = known.unwrap_or(index.secrets.len());
            if known.is_none() {
                index.secrets.push(IndexedSecret {
                    environment: place.environment.clone(),
                    namespace: place.namespace.clone(),
                    name: place.name.clone(),
                });
            }
            index.values.push(IndexedItem {
                fingerprint: *fingerprint,
                secret,
                item: place.item.as_str().into(),
            });
        }
        index
    }

    fn add(&mut self, secret: IndexedSecret, known: Fingerprints) {
        let index = self.secrets.len();
        self.secrets.push(secret);
        let items = known.items.into_iter();
        self.values.extend(items.map(|(item, value)| IndexedItem {
            fingerprint: value.fingerprint,
            secret: index,
            item: item.into_boxed_str(),
        }));
    }

    fn place(&self, value: &IndexedItem) -> ItemRef {
        let secret = &self.secrets[value.secret];
        ItemRef {
            environment: secret.environment.clone(),
            namespace: secret.namespace.clone(),
            name: secret.name.clone(),
            item: value.item.to_string(),
        }
    }

    /// The items that have a value with one of these fingerprints, at most `most`.
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

    /// The values that are in more than one Secret.
    pub(crate) fn reused(&mut self) -> Vec<ReportedPlaces> {
        self.values.sort_unstable();
        let groups = self
            .values
            .chunk_by(|one, next| one.fingerprint == next.fingerprint)
            .filter(|group| {
                let ends = group.first().zip(group.last());
                ends.is_some_and(|(first, last)| first.secret != last.secret)
            });
        groups.map(|group| self.report(group)).collect()
    }

    fn report(&self, group: &[IndexedItem]) -> ReportedPlaces {
        let first = group.iter().take(PLACES_OF_REUSED);
        let mut places: Vec<_> = first.map(|value| self.place(value)).collect();
        places.sort();
        ReportedPlaces {
            places,
            count: group.len(),
        }
    }
}

/// How long changes are gathered before the index is built again.
const GATHER: Duration = Duration::from_secs(2);

/// Reports each value that is in more than one Secret. It is reported once while this replica leads
/// and its items stay the same.
pub(crate) async fn report_reuse(
    values: Values,
    changed: Arc<Notify>,
    metrics: Arc<Metrics>,
) -> Infallible {
    let mut reported = BTreeSet::new();
    loop {
        let reused = values.index().await.reused();
        let hashes: Vec<u64> = reused.iter().map(hash).collect();
        for (group, hash) in reused.iter().zip(&hashes) {
            if !reported.contains(hash) {
                audit::record_reuse(&group.places, group.count);
            }
        }
        metrics.set_reused_values(reused.len());
        reported = hashes.into_iter().collect();
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
