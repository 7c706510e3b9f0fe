//! Environments: which namespaces they select, and how their sealing keys are generated and
//! renewed.

use cluster::wait::{SOON, until};
use cluster::{Cluster, Controller, Namespace, manifests};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::{Namespace as NamespaceObject, Secret};
use k8s_openapi::api::events::v1::Event;
use kube::Api;
use kube::api::{ListParams, Patch, PatchParams, PostParams};
use sealing::resource::{EnvironmentStatus, SealingKeyState};
use sealing::{Issue, SealingKey, issue_certificate};
use serde_json::json;

use crate::sealed::{self, Sealer, certificate, create_environment, environments, said};

#[test]
fn an_environment_is_given_its_first_key_and_tells_its_certificate() {
    sealed::test(async |_, sealer| {
        let status = until_keys(sealer.namespace, &[SealingKeyState::Active]).await;
        let sealing_key = &status.sealing_keys[0];
        assert_eq!(sealing_key.key_id, sealer.recipient.id().to_string());
        let found = certificate(sealer.namespace, |_| true).await;
        assert_eq!(found.subject, format!("CN=sceau {}", sealer.environment));
        assert!(found.not_after > Timestamp::now() + SignedDuration::from_hours(9 * 365 * 24));
        let ready = status
            .conditions
            .iter()
            .find(|condition| condition.type_ == "Ready");
        assert_eq!(
            ready.map(|condition| condition.status.as_str()),
            Some("True")
        );
    });
}

#[test]
fn an_environment_counts_what_a_key_opens() {
    sealed::test(async |_, sealer| {
        sealer.unseal("one", &[("A", b"1")]).await;
        sealer.unseal("two", &[("A", b"1")]).await;
        sealer.until_counted(2).await;
    });
}

#[test]
fn a_sealed_secret_without_environment_waits_and_is_unsealed_when_one_comes() {
    cluster::test(async |cluster, namespace| {
        cluster.shared_controller().await;
        let name = namespace.name();
        create_environment(
            namespace,
            json!({"namespaceSelector": {"matchLabels": {"of": name}}}),
        )
        .await;
        let sealer = Sealer::existing(namespace).await;
        sealer.apply(&sealer.seal("api", &[("A", b"1")])).await;
        sealer.until("api", "NoEnvironment").await;

        let labels = Patch::Merge(json!({"metadata": {"labels": {"of": name}}}));
        let namespaces: Api<NamespaceObject> = Api::all(namespace.client());
        let patched = namespaces
            .patch(name, &PatchParams::default(), &labels)
            .await;
        patched.expect("an administrator may");
        sealer.until("api", "Unsealed").await;
    });
}

#[test]
fn a_namespace_that_two_environments_claim_is_refused_by_both() {
    sealed::test(async |_, sealer| {
        let other = Namespace::create(Cluster::shared().await).await;
        create_environment(
            &other,
            json!({"namespaces": [other.name(), sealer.namespace.name()]}),
        )
        .await;
        sealer.apply(&sealer.seal("api", &[("A", b"1")])).await;
        let object = sealer.until("api", "AmbiguousEnvironment").await;
        assert!(said(&object).contains(other.name()), "{}", said(&object));

        sealed::patch_environment(&other, &json!({"namespaces": [other.name()]})).await;
        sealer.until("api", "Unsealed").await;
    });
}

#[test]
fn an_instant_that_nobody_can_read_is_refused_by_the_api_server() {
    cluster::test(async |_, namespace| {
        for (instant, taken) in [
            ("2026-01-01T23:59:59+99:00", false),
            ("0001-01-01T00:00:00Z", false),
            ("2026-01-01T23:59:59.5+14:00", true),
        ] {
            let sealing_keys = json!({"cutoffTime": instant, "bits": 2048});
            let created = environments(namespace)
                .patch(
                    namespace.name(),
                    &PatchParams::apply("somebody"),
                    &Patch::Apply(json!({
                        "apiVersion": "sceau.dev/v1alpha1",
                        "kind": "Environment",
                        "metadata": {"name": namespace.name()},
                        "spec": {"namespaces": ["elsewhere"], "sealingKeys": sealing_keys},
                    })),
                )
                .await;
            assert_eq!(created.is_ok(), taken, "{instant}: {created:?}");
        }
    });
}

#[test]
fn an_environment_that_cannot_be_read_stalls_alone() {
    cluster::run(async {
        let cluster = Cluster::start().await;
        let namespace = Namespace::create(&cluster).await;
        let admin = cluster.admin();
        // As if it had been stored before the schema had the pattern.
        let patch = r#"[{"op": "remove", "path": "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/sealingKeys/properties/cutoffTime/pattern"}]"#;
        let crd = "customresourcedefinition/environments.sceau.dev";
        let loosen = ["patch", crd, "--type=json", "--patch", patch];
        admin.kubectl(&loosen).await.succeeded();
        let unreadable = json!({
            "apiVersion": "sceau.dev/v1alpha1",
            "kind": "Environment",
            "metadata": {"name": "unreadable"},
            "spec": {
                "namespaces": ["claimed"],
                "sealingKeys": {"cutoffTime": "2026-01-01T23:59:59+99:00"},
            },
        });
        let file = cluster
            .api_server
            .scratch()
            .write("unreadable.json", &unreadable.to_string());
        let file = file.to_str().expect("the path is UTF-8");
        until("the API server takes it", SOON, async || {
            let applied = admin.kubectl(&["apply", "-f", file]).await;
            let taken = applied.code == Some(0);
            taken.then_some(()).ok_or(applied.stderr)
        })
        .await;

        let mut controller = Controller::named("one").start(&cluster).await;
        controller.until_ready().await;
        Sealer::create(&namespace)
            .await
            .unseal("api", &[("A", b"1")])
            .await;
        let stalled = ["wait", "--for=condition=Stalled", "environment/unreadable"];
        admin.kubectl(&stalled).await.succeeded();
    });
}

#[test]
fn re_keying_makes_a_new_key_once_and_the_old_one_still_opens() {
    sealed::test(async |_, sealer| {
        let old = sealer.seal("old", &[("A", b"1")]);
        // `createdAt` is the whole second in which a key was generated.
        let later = Timestamp::now() + SignedDuration::from_secs(1);
        let later = Timestamp::from_second(later.as_second()).expect("it is an instant");
        sealer
            .patch_environment(&json!({"sealingKeys": {"cutoffTime": later.to_string()}}))
            .await;
        let replaced = [SealingKeyState::Active, SealingKeyState::Retired];
        let status = until_keys(sealer.namespace, &replaced).await;
        assert_eq!(
            status.sealing_keys[1].key_id,
            sealer.recipient.id().to_string()
        );
        certificate(sealer.namespace, |found| {
            found.key_id() != sealer.recipient.id()
        })
        .await;
        sealer.apply(&old).await;
        sealer.until("old", "Unsealed").await;
        until_keys(sealer.namespace, &replaced).await;
    });
}

#[test]
fn a_key_that_is_old_enough_is_replaced() {
    cluster::test(async |cluster, namespace| {
        cluster.shared_controller().await;
        create_key(
            namespace,
            "old",
            &SealingKey::generate(2048).expect("it can be made"),
            48,
        )
        .await;
        create_environment(
            namespace,
            json!({"namespaces": [namespace.name()], "sealingKeys": {"renewPeriod": "24h30m"}}),
        )
        .await;
        until_keys(
            namespace,
            &[SealingKeyState::Active, SealingKeyState::Retired],
        )
        .await;
    });
}

#[test]
fn an_unknown_key_stalls_and_is_used_as_soon_as_it_arrives() {
    sealed::test(async |_, sealer| {
        let key = SealingKey::generate(2048).expect("it can be made");
        let elsewhere = Sealer {
            recipient: key.recipient().clone(),
            environment: sealer.environment.clone(),
            ..*sealer
        };
        sealer.apply(&elsewhere.seal("api", &[("A", b"1")])).await;
        let object = sealer.until("api", "UnknownSealingKey").await;
        assert!(
            said(&object).contains(&key.id().to_string()),
            "{}",
            said(&object)
        );

        create_key(sealer.namespace, "restored", &key, 24).await;
        sealer.until("api", "Unsealed").await;
        // A restored key does not become the active one.
        certificate(sealer.namespace, |found| {
            found.key_id() == sealer.recipient.id()
        })
        .await;
    });
}

#[test]
fn a_key_secret_full_of_junk_is_told_of_and_passed_over() {
    sealed::test(async |cluster, sealer| {
        let name = format!("junk-{}", sealer.namespace.name());
        let junk = json!({
            "metadata": {"name": name, "labels": {
                "sceau.dev/environment": sealer.namespace.name(), "sceau.dev/sealing-key": "active",
            }},
            "type": "kubernetes.io/tls",
            "stringData": {"tls.crt": "-----BEGIN CERTIFICATE-----\nAAAA\n", "tls.key": "hunter2"},
        });
        let junk: Secret = serde_json::from_value(junk).expect("it is a Secret");
        let keys = key_secrets(sealer.namespace);
        keys.create(&PostParams::default(), &junk)
            .await
            .expect("the API server takes it");

        let events: Api<Event> = Api::namespaced(sealer.namespace.client(), manifests::NAMESPACE);
        let note = until("an event about it exists", SOON, async || {
            let listed = events.list(&ListParams::default()).await;
            let mut listed = listed.map_err(|error| error.to_string())?.items.into_iter();
            let about = |event: &Event| {
                event
                    .regarding
                    .as_ref()
                    .and_then(|object| object.name.as_ref())
                    == Some(&name)
            };
            listed
                .find(about)
                .and_then(|event| event.note)
                .ok_or_else(String::new)
        })
        .await;
        assert_eq!(note, "tls.crt: the certificate cannot be parsed");
        let controller = cluster.shared_controller().await;
        assert!(controller.metric("sceau_unusable_key_secrets").await >= Some(1.0));
        sealer.unseal("api", &[("A", b"1")]).await;
    });
}

fn key_secrets(namespace: &Namespace) -> Api<Secret> {
    Api::namespaced(namespace.client(), manifests::NAMESPACE)
}

/// Stores a sealing key of this age in hours, as a restored backup would.
async fn create_key(namespace: &Namespace, name: &str, key: &SealingKey, hours: i64) {
    let not_before = Timestamp::now() - SignedDuration::from_hours(hours);
    let issue = Issue {
        subject: "restored",
        not_before,
        not_after: not_before + SignedDuration::from_hours(24 * 365),
    };
    let secret = json!({
        "metadata": {
            "name": format!("{name}-{}", namespace.name()),
            "labels": {"sceau.dev/environment": namespace.name(), "sceau.dev/sealing-key": "active"},
        },
        "type": "kubernetes.io/tls",
        "stringData": {
            "tls.crt": issue_certificate(key, &issue).expect("it can be issued"),
            "tls.key": key.to_pem().expect("it can be encoded").as_str(),
        },
    });
    let secret = serde_json::from_value(secret).expect("it is a Secret");
    let created = key_secrets(namespace)
        .create(&PostParams::default(), &secret)
        .await;
    created.expect("the API server takes it");
}

async fn status(namespace: &Namespace) -> EnvironmentStatus {
    let environment = environments(namespace).get(namespace.name()).await;
    environment.expect("it is there").status.unwrap_or_default()
}

/// Waits until the Environment's keys have these states, newest first.
async fn until_keys(namespace: &Namespace, wanted: &[SealingKeyState]) -> EnvironmentStatus {
    until(&format!("the keys are {wanted:?}"), SOON, async || {
        let status = status(namespace).await;
        let keys = status.sealing_keys.iter();
        let found: Vec<_> = keys.map(|sealing_key| sealing_key.state).collect();
        if found == wanted {
            Ok(status)
        } else {
            Err(format!("{found:?}"))
        }
    })
    .await
}
