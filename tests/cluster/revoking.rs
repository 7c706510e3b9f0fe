//! Revoked sealing keys: the SealedSecrets that can no longer be decrypted, and how that is
//! reported.

use cluster::wait::{SOON, until};
use cluster::{Cluster, Controller, Namespace};
use k8s_openapi::api::events::v1::Event;
use kube::Api;
use kube::api::ListParams;
use sealing::resource::{SealingKeyState, SealingKeyStatus};
use serde_json::{Value, json};

use crate::sealed::{self, Sealer, certificate, environments, said};

/// Revokes the active key, waits for the next one, and returns the id of the old one.
async fn revoke(sealer: &mut Sealer<'_>) -> String {
    let old = sealer.recipient.id();
    let revoked = json!({"sealingKeys": {"revokedKeyIds": [old.to_string()]}});
    sealer.patch_environment(&revoked).await;
    let next = certificate(sealer.namespace, |found| found.key_id() != old).await;
    sealer.recipient = next.recipient;
    old.to_string()
}

/// The status of a key.
async fn reported(namespace: &Namespace, id: &str) -> SealingKeyStatus {
    let environment = environments(namespace).get(namespace.name()).await;
    let status = environment.expect("it is there").status;
    let mut keys = status.expect("it has a status").sealing_keys.into_iter();
    keys.find(|status| status.key_id == id)
        .expect("the key is there")
}

/// Waits until the status shows that a key is revoked and how many SealedSecrets need it.
async fn until_closed(namespace: &Namespace, id: &str, count: u32) {
    until(
        &format!("{id} is revoked and {count} SealedSecrets need it"),
        SOON,
        async || {
            let reported = reported(namespace, id).await;
            let found = (reported.state, reported.sealed_secrets);
            let wanted = (SealingKeyState::Revoked, count);
            (found == wanted)
                .then_some(())
                .ok_or_else(|| format!("{found:?}"))
        },
    )
    .await;
}

/// The notes of the events about revoked keys of an Environment.
async fn announced(namespace: &Namespace) -> Vec<String> {
    let events: Api<Event> = Api::default_namespaced(namespace.client());
    let listed = events.list(&ListParams::default()).await;
    let events = listed.expect("an administrator may").into_iter();
    events
        .filter(|event| event.reason.as_deref() == Some("SealingKeyRevoked"))
        .filter(|event| {
            let regarding = event.regarding.as_ref().and_then(|it| it.name.as_deref());
            regarding == Some(namespace.name())
        })
        .filter_map(|event| event.note)
        .collect()
}

async fn until_announced(namespace: &Namespace) -> Vec<String> {
    until("an event about the revocation exists", SOON, async || {
        let notes = announced(namespace).await;
        (!notes.is_empty()).then_some(notes).ok_or_else(String::new)
    })
    .await
}

/// The lines of the audit about revoked keys of an Environment.
fn audited(controller: &Controller, environment: &str) -> Vec<Value> {
    let log = controller.log();
    let lines = log
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines
        .filter(|line| line["target"] == "audit" && line["message"] == "revoke")
        .filter(|line| line["environment"] == environment)
        .collect()
}

#[test]
fn a_revoked_key_opens_nothing_and_is_replaced_and_the_last_good_secret_stays() {
    sealed::test(async |_, sealer| {
        let mut sealer = Sealer::existing(sealer.namespace).await;
        sealer.unseal("api", &[("A", b"good")]).await;
        let late = sealer.seal("late", &[("A", b"1")]);
        let changed = sealer.seal("api", &[("A", b"better")]);
        let old = revoke(&mut sealer).await;

        let api = sealer.until("api", "RevokedSealingKey").await;
        assert!(said(&api).contains(&old), "{}", said(&api));
        sealer.apply(&late).await;
        sealer.until("late", "RevokedSealingKey").await;
        sealer.apply(&changed).await;
        sealer.until("api", "RevokedSealingKey").await;
        assert_eq!(sealer.items("api").await["A"], b"good");
        let secret = sealer.secrets().get_opt("late").await;
        assert_eq!(secret.expect("an administrator may"), None);

        until_closed(sealer.namespace, &old, 2).await;
        sealer.unseal("api", &[("A", b"new")]).await;
        sealer.until_items("api", &[("A", b"new")]).await;
        until_closed(sealer.namespace, &old, 1).await;
    });
}

#[test]
fn what_a_revoked_key_opened_is_told_once() {
    sealed::test(async |cluster, sealer| {
        let mut sealer = Sealer::existing(sealer.namespace).await;
        for name in ["a", "b", "c", "d", "e"] {
            sealer.unseal(name, &[("A", b"1")]).await;
        }
        sealer.until_counted(5).await;
        let old = revoke(&mut sealer).await;
        let notes = until_announced(sealer.namespace).await;
        let name = sealer.namespace.name();
        let begins =
            format!("sealing key {old} was revoked; 5 SealedSecrets can no longer be decrypted: ");
        assert_eq!(notes.len(), 1, "{notes:?}");
        assert!(notes[0].starts_with(&begins), "{notes:?}");
        assert!(notes[0].contains(&format!("{name}/")), "{notes:?}");
        assert!(notes[0].ends_with(" and 2 more"), "{notes:?}");

        let lines = audited(cluster.shared_controller().await, name);
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert_eq!(
            (&lines[0]["key_id"], &lines[0]["affected"]),
            (&json!(old), &json!(5))
        );

        // A new count alone is not reported.
        sealer.unseal("a", &[("A", b"2")]).await;
        until_closed(sealer.namespace, &old, 4).await;
        assert_eq!(announced(sealer.namespace).await, notes);
        assert_eq!(audited(cluster.shared_controller().await, name), lines);
    });
}

const CANARY: &str = "canary-9d1f4be27c";
const IN_BASE64: &str = "Y2FuYXJ5LTlkMWY0YmUyN2";

#[test]
fn a_revocation_is_told_without_values_and_not_again_by_the_next_controller() {
    cluster::run(async {
        let cluster = Cluster::start().await;
        let namespace = Namespace::create(&cluster).await;
        let trace = ["--log-level=trace"];
        let first = Controller::named("first").arguments(&trace);
        let mut first = first.variable("RUST_LOG", "trace").start(&cluster).await;
        first.until_ready().await;
        let mut sealer = Sealer::create(&namespace).await;
        sealer.unseal("api", &[("A", CANARY.as_bytes())]).await;
        sealer.until_counted(1).await;
        let old = revoke(&mut sealer).await;
        let notes = until_announced(&namespace).await;
        assert_eq!(audited(&first, namespace.name()).len(), 1);
        for reported in [first.log(), notes.concat()] {
            assert!(!reported.contains(CANARY) && !reported.contains(IN_BASE64));
        }
        assert_eq!(first.terminate().await.code(), Some(0));

        let mut second = Controller::named("second").start(&cluster).await;
        second.until_ready().await;
        // After a new count, it has reconciled the Environment.
        sealer.unseal("api", &[("A", b"2")]).await;
        until_closed(&namespace, &old, 0).await;
        assert_eq!(announced(&namespace).await, notes);
        assert_eq!(audited(&second, namespace.name()), [Value::Null; 0]);
    });
}
