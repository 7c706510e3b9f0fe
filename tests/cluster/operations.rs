//! What operators see of the controller: probes, metrics, logs; and what nobody must see in them.

use std::collections::BTreeSet;

use cluster::wait::{SOON, until};
use cluster::{Cluster, Controller, Namespace};
use k8s_openapi::api::events::v1::Event;
use kube::Api;
use kube::api::ListParams;
use sealing::resource::Inquiry;
use serde_json::{Value, json};

use crate::fingerprints::fingerprint;
use crate::inquiries;
use crate::requests;
use crate::resealing;
use crate::sealed::{self, Sealer, environments};

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
fn a_value_is_seen_nowhere_but_in_its_secret() {
    const CANARY: &str = "canary-5c7e0c5a9d";
    const IN_BASE64: &str = "Y2FuYXJ5LTVjN2UwYzVhOWQ";
    cluster::run(async {
        let cluster = Cluster::start().await;
        let namespace = Namespace::create(&cluster).await;
        let mut controller = Controller::named("one")
            .arguments(&["--log-level=trace"])
            .variable("RUST_LOG", "trace")
            .start(&cluster)
            .await;
        controller.until_ready().await;
        let sealer = Sealer::create(&namespace).await;
        meet_every_fate(&sealer, CANARY.as_bytes()).await;

        let told = [
            controller.log(),
            controller.metrics().await,
            everything_but_secrets(&sealer).await,
        ];
        let secret = sealer.secret("done").await;
        let fingerprint = fingerprint(&secret, "A");
        for text in told {
            assert!(text.len() > 100, "{text}");
            for secret in [CANARY, IN_BASE64, &fingerprint] {
                assert!(!text.contains(secret), "{secret}\n{text}");
            }
        }
        let secret = serde_json::to_string(&secret).expect("it is JSON");
        assert!(secret.contains(IN_BASE64), "this is how it would look");
    });
}

/// A value is unsealed, healed, resealed, traced, and refused by the controller and by the API server.
async fn meet_every_fate(sealer: &Sealer<'_>, value: &[u8]) {
    let text = std::str::from_utf8(value).expect("tests use text");
    sealer.unseal("done", &[("A", value)]).await;
    sealer
        .patch_secret(
            "done",
            &json!({"stringData": {"A": format!("not {text}"), "B": text}}),
        )
        .await;
    sealer.until_items("done", &[("A", value)]).await;

    let seals = ["done", "refused"].map(|name| {
        let mut object = sealer.seal("done", &[("A", value)]);
        object.metadata.name = Some(name.to_owned());
        resealing::header(&object)
    });
    resealing::answer(sealer, &seals).await;

    sealer.unseal("twin", &[("A", value)]).await;
    let traced = inquiries::answer_trace(sealer, text).await;
    assert!(traced.found.len() > 1, "it is found");
    inquiries::answer(sealer.namespace, &json!({"reuse": {}})).await;

    let mut moved = sealer.seal("elsewhere", &[("A", value)]);
    moved.metadata.name = Some("refused".to_owned());
    sealer.apply(&moved).await;
    sealer.until("refused", "Refused").await;

    let mut invalid = sealer.seal("invalid", &[("A", value)]);
    invalid.spec.template.secret_type = Some("kubernetes.io/dockerconfigjson".to_owned());
    sealer.apply(&invalid).await;
    sealer.until("invalid", "InvalidSecret").await;

    let mut immutable = sealer.seal("immutable", &[("A", b"1")]);
    immutable.spec.template.immutable = Some(true);
    sealer.apply(&immutable).await;
    sealer.until("immutable", "Unsealed").await;
    sealer
        .apply(&sealer.seal("immutable", &[("A", value)]))
        .await;
    sealer.until("immutable", "ImmutableSecret").await;

    sealer
        .create_secret(json!({"metadata": {"name": "foreign"}, "stringData": {"A": text}}))
        .await;
    sealer.apply(&sealer.seal("foreign", &[("A", value)])).await;
    sealer.until("foreign", "SecretExists").await;
}

/// SealedSecrets, ResealRequests, Inquiries, events and Environments, as the API server keeps them.
async fn everything_but_secrets(sealer: &Sealer<'_>) -> String {
    let all = ListParams::default();
    let objects = sealer
        .sealed_secrets()
        .list(&all)
        .await
        .expect("an administrator may");
    let events: Api<Event> = sealer.namespace.api();
    let events = events.list(&all).await.expect("an administrator may");
    let environments = environments(sealer.namespace)
        .list(&all)
        .await
        .expect("an administrator may");
    let requests = resealing::requests(sealer.namespace)
        .list(&all)
        .await
        .expect("an administrator may");
    assert_eq!(requests.items.len(), 1);
    let inquiries: Api<Inquiry> = requests::requests(sealer.namespace);
    let inquiries = inquiries.list(&all).await.expect("an administrator may");
    assert_eq!(inquiries.items.len(), 2);
    [
        serde_json::to_string(&inquiries),
        serde_json::to_string(&objects),
        serde_json::to_string(&requests),
        serde_json::to_string(&events),
        serde_json::to_string(&environments),
    ]
    .map(|text| text.expect("it is JSON"))
    .concat()
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
            if log.contains("the API server answered 403") {
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
