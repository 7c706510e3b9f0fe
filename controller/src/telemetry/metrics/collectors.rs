//! Metrics that are computed at each scrape: sealing keys, unusable key Secrets, and SealedSecrets
//! by state.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, OnceLock},
};

use kube::runtime::reflector::Store;
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric as _},
    metrics::{MetricType, gauge::ConstGauge},
    registry::Registry,
};
use sealing::resource::SealingKeyState;
use tokio::sync::watch;

use crate::{
    status::conditions::{State, ready_condition, state_of},
    store::{
        ClusterStore, KeyWithState, ResolvedEnvironment,
        objects::ReceivedSealedSecret,
        usage::{self, Recipients},
    },
};

/// The cached SealedSecrets; empty until this replica leads.
#[derive(Clone, Default)]
pub(crate) struct SealedSecrets(Arc<OnceLock<Store<ReceivedSealedSecret>>>);

impl SealedSecrets {
    /// Sets the store to count.
    pub(crate) fn count_in(&self, store: Store<ReceivedSealedSecret>) {
        // A replica becomes leader at most once.
        let _ = self.0.set(store);
    }

    /// The recipients of each SealedSecret of an environment; `None` on a standby.
    pub(crate) fn recipients(
        &self,
        environment: &str,
        store: &ClusterStore,
    ) -> Option<Vec<Recipients>> {
        let objects = self.0.get()?.state();
        Some(usage::recipients_of(&objects, environment, store))
    }
}

impl fmt::Debug for SealedSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealedSecrets")
    }
}

pub(super) fn register(
    registry: &mut Registry,
    store: watch::Receiver<ClusterStore>,
    sealed_secrets: SealedSecrets,
) {
    registry.register_collector(Box::new(SealingKeys {
        store,
        sealed_secrets: sealed_secrets.clone(),
    }));
    registry.register_collector(Box::new(sealed_secrets));
}

impl Collector for SealedSecrets {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
        for object in self.0.get().map(Store::state).unwrap_or_default() {
            *counts.entry(label(&object)).or_default() += 1;
        }
        let help = "SealedSecrets by state; Pending ones wait for their first reconcile of this generation";
        let mut family =
            encoder.encode_descriptor("sealed_secrets", help, None, MetricType::Gauge)?;
        for (state, count) in counts {
            let labels = [("state", state)];
            ConstGauge::new(count).encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }
}

fn label(object: &ReceivedSealedSecret) -> &'static str {
    let conditions = object
        .status
        .as_ref()
        .map(|status| status.conditions.as_slice())
        .unwrap_or_default();
    let state = ready_condition(conditions, object.generation()).and_then(|_| state_of(conditions));
    match state {
        None => "Pending",
        Some(State::Done) => "Done",
        Some(State::Progressing) => "Progressing",
        Some(State::Retrying) => "Retrying",
        Some(State::Stalled) => "Stalled",
    }
}

#[derive(Debug)]
struct SealingKeys {
    store: watch::Receiver<ClusterStore>,
    sealed_secrets: SealedSecrets,
}

/// The series of a sealing key.
struct Series {
    labels: [(&'static str, String); 3],
    created_at: i64,
    not_after: i64,
    /// Unknown on a standby.
    sealed_secrets: Option<i64>,
}

impl Collector for SealingKeys {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let keys = self.series();
        let unusable = self.store.borrow().unusable_keys().count();
        let mut one = |name, help, value: fn(&Series) -> Option<i64>| {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            let values = keys
                .iter()
                .filter_map(|series| Some((series, value(series)?)));
            values.into_iter().try_for_each(|(series, value)| {
                ConstGauge::new(value).encode(family.encode_family(&series.labels)?)
            })
        };
        one("sealing_key", "1 for each sealing key", |_| Some(1))?;
        one(
            "sealing_key_created_timestamp_seconds",
            "Creation time of a sealing key",
            |series| Some(series.created_at),
        )?;
        one(
            "sealing_key_expiry_timestamp_seconds",
            "Expiry of the certificate of a sealing key",
            |series| Some(series.not_after),
        )?;
        one(
            "sealing_key_sealed_secrets",
            "SealedSecrets that a sealing key decrypts; for a revoked key, those that can no longer be decrypted; leader only",
            |series| series.sealed_secrets,
        )?;
        let help = "Secrets that have the label of a sealing key and hold none";
        let gauge =
            encoder.encode_descriptor("unusable_key_secrets", help, None, MetricType::Gauge)?;
        ConstGauge::new(in_i64(unusable)).encode(gauge)
    }
}

impl SealingKeys {
    fn series(&self) -> Vec<Series> {
        let store = self.store.borrow();
        store
            .environments()
            .flat_map(|environment| {
                let name = environment.name.as_str();
                let recipients = self.sealed_secrets.recipients(name, &store);
                store
                    .keys_of(environment)
                    .into_iter()
                    .map(move |key| series(&key, environment, recipients.as_deref()))
            })
            .collect()
    }
}

fn series(
    key: &KeyWithState<'_>,
    environment: &ResolvedEnvironment,
    recipients: Option<&[Recipients]>,
) -> Series {
    let id = key.stored.id();
    Series {
        labels: [
            ("environment", environment.name.to_string()),
            ("state", name(key.state).to_owned()),
            ("key_id", id.to_string()),
        ],
        created_at: key.stored.created_at.as_second(),
        not_after: key.stored.not_after.as_second(),
        sealed_secrets: recipients
            .map(|recipients| in_i64(usage::needing(id, environment, recipients).count())),
    }
}

pub(super) fn in_i64(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn name(state: SealingKeyState) -> &'static str {
    match state {
        SealingKeyState::Active => "Active",
        SealingKeyState::Retired => "Retired",
        SealingKeyState::Revoked => "Revoked",
    }
}
