//! Prometheus metrics. Labels have closed sets of values, except environments and key ids, of which
//! there are few.
//!
//! What can be computed at any time is computed at each scrape (`metrics/collectors.rs`), so no
//! series outlives its object.

use std::{fmt, time::Duration};

use prometheus_client::{
    encoding::{EncodeLabelSet, EncodeLabelValue, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};
use sealing::resource::ResealResult;
use tokio::sync::watch;

use crate::{status::reason::Reason, store::ClusterStore};

mod collectors;

pub(crate) use collectors::SealedSecrets;

/// All metrics of the program.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    unseals: Family<UnsealLabels, Counter>,
    failures: Family<FailureLabels, Counter>,
    lost_keys: Counter,
    reseals: Family<ResealLabels, Counter>,
    value_reviews: Family<ReviewLabels, Counter>,
    writes: Family<WriteLabels, Counter>,
    duration: Histogram,
    in_flight: Gauge,
    leading: Gauge,
    reused_values: Gauge,
    pub(crate) sealed_secrets: SealedSecrets,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct UnsealLabels {
    outcome: Reason,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FailureLabels {
    reason: Reason,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResealLabels {
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReviewLabels {
    question: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WriteLabels {
    resource: WrittenResource,
}

/// A resource that is written to the API server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
pub(crate) enum WrittenResource {
    EnvironmentStatus,
    Event,
    FingerprintKey,
    ValueReviewStatus,
    KeySecret,
    ResealRequestStatus,
    SealedSecretStatus,
    Secret,
}

/// A reconcile takes milliseconds, or longer with a slow API server.
const BUCKETS: [f64; 12] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0,
];

impl Metrics {
    pub(crate) fn new(store: watch::Receiver<ClusterStore>) -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("sceau"),
            unseals: Family::default(),
            failures: Family::default(),
            lost_keys: Counter::default(),
            reseals: Family::default(),
            value_reviews: Family::default(),
            writes: Family::default(),
            duration: Histogram::new(BUCKETS),
            in_flight: Gauge::default(),
            leading: Gauge::default(),
            reused_values: Gauge::default(),
            sealed_secrets: SealedSecrets::default(),
        };
        metrics.register();
        collectors::register(&mut metrics.registry, store, metrics.sealed_secrets.clone());
        metrics
    }

    fn register(&mut self) {
        let registry = &mut self.registry;
        registry.register(
            "unseals",
            "Attempts to unseal a SealedSecret with private keys, by outcome",
            self.unseals.clone(),
        );
        registry.register(
            "reconcile_failures",
            "Reconciles of a SealedSecret that wrote no Secret, by reason",
            self.failures.clone(),
        );
        registry.register(
            "sealing_keys_lost",
            "Sealing keys that were deleted while SealedSecrets needed them",
            self.lost_keys.clone(),
        );
        registry.register(
            "reseals",
            "Seals of ResealRequests, by result",
            self.reseals.clone(),
        );
        registry.register(
            "value_reviews",
            "ValueReviews, by question and outcome",
            self.value_reviews.clone(),
        );
        registry.register(
            "writes",
            "Objects written to the API server, by resource",
            self.writes.clone(),
        );
        registry.register(
            "reconcile_duration_seconds",
            "Duration of reconciles of SealedSecrets",
            self.duration.clone(),
        );
        registry.register(
            "reconciles_in_flight",
            "SealedSecrets that are being reconciled",
            self.in_flight.clone(),
        );
        registry.register(
            "reused_values",
            "Values that are in more than one Secret; 0 on a standby",
            self.reused_values.clone(),
        );
        registry.register("leading", "1 if this replica leads", self.leading.clone());
    }

    pub(crate) fn count_unseal(&self, outcome: Reason) {
        self.unseals.get_or_create(&UnsealLabels { outcome }).inc();
    }

    pub(crate) fn count_failure(&self, reason: Reason) {
        self.failures.get_or_create(&FailureLabels { reason }).inc();
    }

    pub(crate) fn count_lost_key(&self) {
        self.lost_keys.inc();
    }

    pub(crate) fn count_reseal(&self, result: ResealResult) {
        let result = result.as_str();
        self.reseals.get_or_create(&ResealLabels { result }).inc();
    }

    pub(crate) fn count_value_review(&self, question: &'static str, outcome: &'static str) {
        let labels = ReviewLabels { question, outcome };
        self.value_reviews.get_or_create(&labels).inc();
    }

    pub(crate) fn count_write(&self, resource: WrittenResource) {
        self.writes.get_or_create(&WriteLabels { resource }).inc();
    }

    pub(crate) fn begin_reconcile(&self) {
        self.in_flight.inc();
    }

    pub(crate) fn end_reconcile(&self, duration: Duration) {
        self.in_flight.dec();
        self.duration.observe(duration.as_secs_f64());
    }

    pub(crate) fn set_reused_values(&self, count: usize) {
        self.reused_values.set(collectors::in_i64(count));
    }

    pub(crate) fn begin_leading(&self) {
        self.leading.set(1);
    }

    /// All metrics in the text format of `OpenMetrics`.
    ///
    /// # Errors
    /// [`fmt::Error`], which does not occur for a string.
    pub(crate) fn to_text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_named_and_labelled() {
        let (_, store) = watch::channel(ClusterStore::default());
        let metrics = Metrics::new(store);
        metrics.count_unseal(Reason::Unsealed);
        metrics.count_failure(Reason::NoEnvironment);
        metrics.count_reseal(ResealResult::Resealed);
        metrics.count_value_review("trace", "Answered");
        metrics.count_write(WrittenResource::Secret);
        metrics.begin_reconcile();
        metrics.end_reconcile(Duration::from_millis(3));
        let text = metrics.to_text().unwrap();
        for line in [
            r#"sceau_unseals_total{outcome="Unsealed"} 1"#,
            r#"sceau_reconcile_failures_total{reason="NoEnvironment"} 1"#,
            r#"sceau_reseals_total{result="Resealed"} 1"#,
            r#"sceau_value_reviews_total{question="trace",outcome="Answered"} 1"#,
            r#"sceau_writes_total{resource="Secret"} 1"#,
            "sceau_reconciles_in_flight 0",
            "sceau_reconcile_duration_seconds_count 1",
            "sceau_unusable_key_secrets 0",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
    }
}
