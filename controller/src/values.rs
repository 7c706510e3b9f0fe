//! Which values stand in the cluster, as far as fingerprints tell, and which of them stand in more
//! than one place. No Secret is read for it.
//!
//! What it finds is for operations only: audit log, metric and the answers to Inquiries. No status
//! and no event tells one tenant of another.

use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
    sync::Arc,
    time::Duration,
};

use k8s_openapi::api::core::v1::Secret;
use kube::{
    ResourceExt as _,
    core::PartialObjectMeta,
    runtime::reflector::{ObjectRef, Store},
};
use sealing::{Fingerprint, resource::ValuePlace};
use tokio::{
    sync::{Notify, watch},
    time::sleep,
};

use crate::{
    audit, fingerprints::Fingerprints, metrics::Metrics, received::ReceivedSealedSecret,
    surroundings::Surroundings, watching::Lists,
};

/// What the leader sees of the values in the cluster.
#[derive(Clone)]
pub(crate) struct Values {
    pub(crate) surroundings: watch::Receiver<Surroundings>,
    pub(crate) sealed_secrets: Store<ReceivedSealedSecret>,
    pub(crate) sealed_secrets_listed: Lists,
    pub(crate) secrets: Store<PartialObjectMeta<Secret>>,
    pub(crate) secrets_listed: Lists,
}

/// The values with fingerprints of the present key.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) values: Vec<(Fingerprint, ValuePlace)>,
    /// Secrets of SealedSecrets whose values cannot be compared with others.
    pub(crate) unknown: usize,
}

/// Places of one value each, in order.
pub(crate) type Groups = BTreeSet<Vec<ValuePlace>>;

impl Values {
    /// What stands in the cluster now.
    pub(crate) async fn standing(&self) -> Standing {
        self.sealed_secrets_listed.wait_for_first().await;
        self.secrets_listed.wait_for_first().await;
        let surroundings = self.surroundings.borrow();
        let present = surroundings.fingerprint_key().map(|it| it.id().to_owned());
        let mut standing = Standing::default();
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

impl Standing {
    /// Takes in a Secret that has the name of a SealedSecret. Whoever may label a Secret as ours can
    /// put any annotation on it, so only those count that the SealedSecret says were written.
    fn take(
        &mut self,
        secret: &PartialObjectMeta<Secret>,
        object: &ReceivedSealedSecret,
        present: Option<&str>,
    ) {
        let status = object.status.as_ref();
        let written = status.and_then(|status| status.secret.as_ref());
        let is_ours = written.is_some_and(|it| Some(&it.uid) == secret.metadata.uid.as_ref());
        let (true, Ok(outline)) = (is_ours, &object.outline) else {
            return;
        };
        let known = Fingerprints::of(secret.annotations());
        let Some(known) = known.filter(|known| Some(known.key_id.as_str()) == present) else {
            self.unknown += 1;
            return;
        };
        let values = known.items.into_iter().map(|(item, value)| {
            let place = ValuePlace {
                environment: outline.environment.clone(),
                namespace: secret.namespace().unwrap_or_default(),
                name: secret.name_any(),
                item,
            };
            (value.fingerprint, place)
        });
        self.values.extend(values);
    }

    /// Where a value with one of these fingerprints stands, in order.
    pub(crate) fn places_of(&self, fingerprints: &[Fingerprint]) -> Vec<ValuePlace> {
        let found = self
            .values
            .iter()
            .filter(|(fingerprint, _)| fingerprints.contains(fingerprint));
        let found: BTreeSet<_> = found.map(|(_, place)| place.clone()).collect();
        found.into_iter().collect()
    }

    /// The values that stand in more than one Secret.
    pub(crate) fn reused(&self) -> Groups {
        let mut places: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        for (fingerprint, place) in &self.values {
            places.entry(fingerprint).or_default().insert(place);
        }
        let groups = places.into_values().filter(|places| {
            let mut pairs = places.iter().zip(places.iter().skip(1));
            pairs.any(|(one, next)| !one.is_in_secret_of(next))
        });
        groups
            .map(|places| places.into_iter().cloned().collect())
            .collect()
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
    let mut told = Groups::new();
    loop {
        let reused = values.standing().await.reused();
        for group in reused.difference(&told) {
            audit::record_reuse(group);
        }
        metrics.set_reused_values(reused.len());
        told = reused;
        changed.notified().await;
        sleep(GATHER).await;
    }
}

#[cfg(test)]
mod tests;
