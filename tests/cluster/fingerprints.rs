//! Fingerprints: how values are compared without being disclosed, and what the status reports.

use cluster::wait::{SOON, until};
use cluster::{Cluster, Controller, Namespace, manifests};
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::{DeleteParams, Patch, PatchParams};
use sealing::resource::{SealedSecret, UnchangedItem};
use serde_json::{Value, json};

use crate::limits::attempts;
use crate::sealed::{self, Sealer};

const ANNOTATION: &str = "sceau.dev/fingerprints";
const KEY_SECRET: &str = "sceau-fingerprints";

const JANUARY: &str = "2026-01-01T00:00:00Z";
const MARCH: &str = "2026-03-01T00:00:00Z";
const MAY: &str = "2026-05-01T00:00:00Z";

/// The annotation of a Secret.
pub(crate) fn annotation(secret: &Secret) -> Value {
    let annotations = secret.metadata.annotations.clone().unwrap_or_default();
    let text = annotations.get(ANNOTATION).cloned().unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

/// The annotation without the time of the first comparison, which is lost with the annotation.
fn what_is_known(secret: &Secret) -> Value {
    let mut annotation = annotation(secret);
    annotation["from"].take();
    annotation
}

/// The text of the fingerprint of an item.
pub(crate) fn fingerprint(secret: &Secret, item: &str) -> String {
    let annotation = annotation(secret);
    let text = annotation["items"][item]["fingerprint"].as_str();
    text.expect("the item has a fingerprint").to_owned()
}

/// The Secrets of the controller's namespace.
fn own_secrets(namespace: &Namespace) -> Api<Secret> {
    Api::namespaced(namespace.client(), manifests::NAMESPACE)
}

async fn fingerprint_key(namespace: &Namespace) -> Vec<u8> {
    let secret = own_secrets(namespace).get(KEY_SECRET).await;
    let items = secret.expect("it is there").data.unwrap_or_default();
    items["fingerprint.key"].0.clone()
}

/// A SealedSecret with one value, sealed at this time.
fn given(sealer: &Sealer<'_>, value: &str, at: &str) -> SealedSecret {
    let mut object = sealer.seal("api", &[("A", value.as_bytes())]);
    at.clone_into(&mut object.spec.seals[0].sealed_at);
    object
}

/// Applies it, and returns the unchanged items of its status.
async fn unchanged(sealer: &Sealer<'_>, object: &SealedSecret) -> Vec<UnchangedItem> {
    sealer.apply(object).await;
    let object = sealer.until("api", "Unsealed").await;
    let status = object.status.expect("it has a status");
    assert!(status.compared_since.is_some(), "{status:?}");
    status.unchanged
}

async fn since(sealer: &Sealer<'_>) -> Value {
    annotation(&sealer.secret("api").await)["items"]["A"]["since"].clone()
}

#[test]
fn a_value_that_was_sealed_again_is_named_until_it_is_renewed() {
    sealed::test(async |_, sealer| {
        for (one, other) in [("correct horse", "battery staple"), ("0123", "4567")] {
            let first = given(sealer, one, JANUARY);
            assert_eq!(unchanged(sealer, &first).await, []);
            assert_eq!(since(sealer).await, JANUARY);

            let again = unchanged(sealer, &given(sealer, one, MARCH)).await;
            let stale = UnchangedItem {
                item: "A".to_owned(),
                since: JANUARY.to_owned(),
            };
            assert_eq!(again, [stale]);
            assert_eq!(since(sealer).await, JANUARY);

            let renewed = given(sealer, other, MAY);
            assert_eq!(unchanged(sealer, &renewed).await, []);
            assert_eq!(since(sealer).await, MAY);
        }
    });
}

#[test]
fn a_fingerprint_is_what_a_second_implementation_makes_of_key_and_value() {
    sealed::test(async |_, sealer| {
        let items: [(&str, &[u8]); 3] = [("A", b"correct horse"), ("B", b"0123"), ("C", b"")];
        sealer.unseal("api", &items).await;
        let secret = sealer.secret("api").await;
        let bytes = fingerprint_key(sealer.namespace).await;
        let found = annotation(&secret);
        assert_eq!(found["key"], second::fingerprint::id(&bytes));
        let (environment, namespace) = (sealer.environment.as_str(), sealer.namespace.name());
        for (item, value) in items {
            let at = [environment, namespace, "api", item];
            let expected = second::fingerprint::of_item(&bytes, value, at);
            let found = found["items"][item]["fingerprint"].as_str();
            assert_eq!(found, expected.as_deref(), "{item}");
        }
    });
}

#[test]
fn fingerprints_that_somebody_changed_are_put_right() {
    sealed::test(async |_, sealer| {
        sealer.unseal("api", &[("A", b"correct horse")]).await;
        let before = what_is_known(&sealer.secret("api").await);
        for forged in [json!(null), json!("{}"), json!(r#"{"key":"0","items":{}}"#)] {
            let patch = json!({"metadata": {"annotations": {ANNOTATION: forged}}});
            sealer.patch_secret("api", &patch).await;
            until("they are corrected", SOON, async || {
                let found = what_is_known(&sealer.secret("api").await);
                if found == before {
                    Ok(())
                } else {
                    Err(found.to_string())
                }
            })
            .await;
        }
    });
}

#[test]
fn a_template_cannot_set_them() {
    sealed::test(async |_, sealer| {
        let mut object = sealer.seal("api", &[("A", b"correct horse")]);
        let annotations = &mut object.spec.template.metadata.annotations;
        annotations.insert(ANNOTATION.to_owned(), "{}".to_owned());
        sealer.apply(&object).await;
        sealer.until("api", "ReservedMetadata").await;
    });
}

/// Names of the largest length, so that their fingerprints are larger than annotations may be.
#[test]
fn where_they_do_not_fit_the_secret_is_written_without_them_and_left_alone_then() {
    sealed::test(async |cluster, sealer| {
        let names: Vec<String> = (0..1000).map(|n| format!("{n:0>240}")).collect();
        let items: Vec<(&str, &[u8])> = names.iter().map(|it| (it.as_str(), &b"1"[..])).collect();
        sealer.unseal("api", &items).await;
        let object = sealer.until("api", "Unsealed").await;
        let said = sealed::said(&object);
        assert!(said.contains("are too large for its annotations"), "{said}");
        let secret = sealer.secret("api").await;
        assert_eq!(annotation(&secret)["items"], json!({}));

        let controller = cluster.shared_controller().await;
        let before = attempts(controller, sealer);
        sealer.touch("api").await;
        // This one is reconciled later.
        sealer.unseal("marker", &[("A", b"1")]).await;
        let marked = attempts(controller, sealer);
        assert_eq!(marked, before + 1);
    });
}

/// As an older version leaves it: done, and without fingerprints.
async fn forget_fingerprints(sealer: &Sealer<'_>) {
    let nothing = json!({"metadata": {"annotations": {ANNOTATION: null}}});
    sealer.patch_secret("api", &nothing).await;
    let version = sealer.secret("api").await.metadata.resource_version;
    let status = json!({"status": {"secret": {"resourceVersion": version}}});
    let patched = sealer
        .sealed_secrets()
        .patch_status("api", &PatchParams::default(), &Patch::Merge(&status))
        .await;
    patched.expect("an administrator may");
}

#[test]
fn what_an_older_version_wrote_is_opened_once_and_then_left_alone() {
    cluster::run(async {
        let cluster = Cluster::start().await;
        let namespace = Namespace::create(&cluster).await;
        let start = async |name: &str| {
            let mut controller = Controller::named(name).start(&cluster).await;
            controller.until_ready().await;
            controller
        };
        let mut controller = start("one").await;
        let sealer = Sealer::create(&namespace).await;
        sealer.unseal("api", &[("A", b"correct horse")]).await;
        sealer.until_counted(1).await;
        let before = what_is_known(&sealer.secret("api").await);
        controller.terminate().await;
        forget_fingerprints(&sealer).await;

        for (name, expected, all) in [("two", 1, 2), ("three", 0, 3)] {
            let mut controller = start(name).await;
            // This one is reconciled later than all that a restart triggers.
            sealer
                .unseal(&format!("marker-{name}"), &[("A", b"1")])
                .await;
            sealer.until_counted(all).await;
            let opened = controller.log();
            let opened = opened.lines().filter(|it| it.contains("\"name\":\"api\""));
            let opened = opened.filter(|it| it.contains("\"target\":\"audit\""));
            assert_eq!(opened.count(), expected, "{name}");
            assert_eq!(what_is_known(&sealer.secret("api").await), before);
            controller.terminate().await;
        }
    });
}

#[test]
fn when_their_key_is_deleted_one_is_made_and_every_value_is_looked_at_once() {
    cluster::run(async {
        let cluster = Cluster::start().await;
        let namespace = Namespace::create(&cluster).await;
        let mut replicas = Vec::new();
        for name in ["one", "two"] {
            let mut controller = Controller::named(name).start(&cluster).await;
            controller.until_ready().await;
            replicas.push(controller);
        }
        let sealer = Sealer::create(&namespace).await;
        let names: Vec<String> = (0..5).map(|n| format!("api-{n}")).collect();
        for name in &names {
            sealer.unseal(name, &[("A", b"correct horse")]).await;
        }
        let old = fingerprint_key(&namespace).await;
        let secrets = own_secrets(&namespace);
        let deleted = secrets.delete(KEY_SECRET, &DeleteParams::default()).await;
        deleted.expect("it is there");

        let new = until("another key exists", SOON, async || {
            let found = secrets.get_opt(KEY_SECRET).await;
            let found = found.map_err(|error| error.to_string())?;
            let items = found.and_then(|it| it.data).ok_or("none")?;
            Ok::<_, String>(items["fingerprint.key"].0.clone())
        })
        .await;
        assert_ne!(new, old);
        for name in &names {
            until(&format!("{name} is reconciled"), SOON, async || {
                let found = annotation(&sealer.secret(name).await);
                if found["key"] == second::fingerprint::id(&new) {
                    Ok(())
                } else {
                    Err(found.to_string())
                }
            })
            .await;
        }
        // Later than all reconciles that the change of keys triggered.
        sealer.unseal("marker", &[("A", b"1")]).await;
        let logged = |text: &str| -> usize {
            let logs = replicas.iter().map(Controller::log);
            logs.map(|log| log.lines().filter(|it| it.contains(text)).count())
                .sum()
        };
        assert_eq!(logged("fingerprint key generated"), 2);
        assert_eq!(logged("\"message\":\"unseal\""), 2 * names.len() + 1);
    });
}
