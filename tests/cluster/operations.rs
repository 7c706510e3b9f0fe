//! What operators see of the controller: probes, metrics, logs.

use std::collections::BTreeSet;

use cluster::wait::{SOON, until};
use cluster::{Cluster, Controller};
use serde_json::Value;

use crate::sealed;

#[test]
fn metrics_tell_of_unseals_keys_and_states() {
    sealed::test(async |cluster, sealer| {
        sealer.unseal("api", &[("A", b"1")]).await;
        let controller = cluster.shared_controller().await;
        let metrics = controller.metrics().await;
        for start in [
            "sceau_unseals_total{outcome=\"Unsealed\"} ",
            "sceau_reconcile_duration_seconds_count ",
            "sceau_writes_total{resource=\"Secret\"} ",
            "sceau_sealed_secrets{state=\"Done\"} ",
            "sceau_reconciles_in_flight ",
            "sceau_leading 1",
        ] {
            assert!(
                metrics.lines().any(|line| line.starts_with(start)),
                "{start}\n{metrics}"
            );
        }
        let labels = format!(
            "{{environment=\"{}\",state=\"Active\",key_id=\"{}\"}}",
            sealer.environment,
            sealer.recipient.id()
        );
        for name in ["created", "expiry"] {
            let series = format!("sceau_sealing_key_{name}_timestamp_seconds{labels}");
            assert!(
                controller.metric(&series).await > Some(1e9),
                "{series}\n{metrics}"
            );
        }
    });
}

#[test]
fn every_metric_of_the_alert_rules_is_there() {
    const RULES: &str = include_str!("../../deploy/alerts/sceau-rules.yaml");
    sealed::test(async |cluster, sealer| {
        sealer.unseal("api", &[("A", b"1")]).await;
        sealer.apply(&sealer.seal_in("elsewhere", "web", &[])).await;
        sealer.until("web", "Refused").await;
        let metrics = cluster.shared_controller().await.metrics().await;
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let words = RULES.split(|c| !is_part(c));
        let named: BTreeSet<&str> = words.filter(|word| word.starts_with("sceau_")).collect();
        assert!(named.len() > 5, "{named:?}");
        for name in named {
            let series = metrics.lines().filter_map(|line| line.strip_prefix(name));
            let found = series.filter(|rest| rest.starts_with(['{', ' '])).count();
            assert!(found > 0, "{name}\n{metrics}");
        }
    });
}

#[test]
fn every_use_of_a_private_key_leaves_one_line() {
    sealed::test(async |cluster, sealer| {
        sealer.unseal("api", &[("A", b"1")]).await;
        let controller = cluster.shared_controller().await;
        let here = format!("\"namespace\":\"{}\"", sealer.namespace.name());
        let line = controller.until_logged(&here).await;
        let line: Value = serde_json::from_str(&line).expect("logs are JSON");
        assert_eq!(line["target"], "audit");
        assert_eq!(line["name"], "api");
        assert_eq!(line["environment"], sealer.environment.as_str());
        assert_eq!(line["keys"], sealer.recipient.id().to_string());
        assert_eq!(line["outcome"], "Unsealed");
    });
}

#[test]
fn a_replica_is_ready_only_when_it_has_seen_everything() {
    cluster::run(async {
        let cluster = Cluster::start().await;
        let nobody = cluster.person("nobody", "nobodies");
        let mut blind = Controller::named("blind")
            .identity(&nobody)
            .start(&cluster)
            .await;
        until("it is refused", SOON, async || {
            let log = blind.log();
            if log.contains("the API server returned status 403") {
                Ok(())
            } else {
                Err(log)
            }
        })
        .await;
        assert!(blind.get("/readyz").await.is_err());
        assert!(blind.get("/healthz").await.is_ok());
        assert_eq!(blind.terminate().await.code(), Some(0));
    });
}
