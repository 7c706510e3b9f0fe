//! Existing Secrets that belong to other owners.

use std::time::Duration;

use cluster::wait::{SOON, until};
use cluster::{Cluster, Controller, Identity, Namespace};
use serde_json::{Value, json};

use crate::sealed::{self, Sealer, said};

#[test]
fn a_foreign_secret_in_the_way_is_left_alone_until_it_is_gone() {
    sealed::test(async |_, sealer| {
        let foreign = json!({"metadata": {"name": "api"}, "stringData": {"THEIRS": "1"}});
        let before = sealer.create_secret(foreign).await;
        sealer.apply(&sealer.seal("api", &[("OURS", b"2")])).await;
        sealer.until("api", "SecretExists").await;
        let after = sealer.secret("api").await;
        assert_eq!(
            after.metadata.resource_version,
            before.metadata.resource_version
        );

        sealer.delete_secret("api").await;
        sealer.touch("api").await;
        sealer.until_items("api", &[("OURS", b"2")]).await;
    });
}

#[test]
fn a_foreign_secret_is_adopted_when_it_says_so_and_then_holds_the_sealed_items_only() {
    sealed::test(async |cluster, sealer| {
        let foreign = json!({
            "metadata": {"name": "api", "labels": {"theirs": "kept"}},
            "stringData": {"THEIRS": "1", "SHARED": "1"},
        });
        let before = sealer.create_secret(foreign).await;
        sealer
            .apply(&sealer.seal("api", &[("OURS", b"2"), ("SHARED", b"2")]))
            .await;
        sealer.until("api", "SecretExists").await;

        let adopt = json!({"metadata": {"annotations": {"sceau.dev/adopt": "true"}}});
        sealer.patch_secret("api", &adopt).await;
        sealer.allow_taking_over(cluster).await;
        sealer.touch("api").await;
        sealer.until("api", "Unsealed").await;
        sealer
            .until_items("api", &[("OURS", b"2"), ("SHARED", b"2")])
            .await;
        let after = sealer.secret("api").await;
        assert_eq!(after.metadata.uid, before.metadata.uid);
        let labels = after.metadata.labels.unwrap_or_default();
        assert_eq!(labels.get("theirs").map(String::as_str), Some("kept"));
    });
}

#[test]
fn a_secret_that_another_controller_owns_is_never_adopted() {
    sealed::test(async |_, sealer| {
        let owner = sealer
            .create_secret(json!({"metadata": {"name": "owner"}}))
            .await;
        let foreign = json!({
            "metadata": {
                "name": "api",
                "annotations": {"sceau.dev/adopt": "true"},
                "ownerReferences": [{
                    "apiVersion": "v1", "kind": "Secret", "name": "owner",
                    "uid": owner.metadata.uid, "controller": true,
                }],
            },
        });
        sealer.create_secret(foreign).await;
        sealer.apply(&sealer.seal("api", &[("OURS", b"2")])).await;
        sealer.until("api", "SecretExists").await;
        assert!(sealer.items("api").await.is_empty());
    });
}

#[test]
fn taking_over_a_secret_that_may_not_be_deleted_is_forbidden_and_tried_again() {
    sealed::test(async |cluster, sealer| {
        let foreign = json!({
            "metadata": {"name": "api", "annotations": {"sceau.dev/adopt": "true"}},
            "stringData": {"THEIRS": "1"},
        });
        sealer.create_secret(foreign).await;
        sealer.apply(&sealer.seal("api", &[("OURS", b"2")])).await;
        sealer.until("api", "Forbidden").await;
        sealer.until_items("api", &[("THEIRS", b"1")]).await;

        sealer.allow_taking_over(cluster).await;
        sealer.until_items("api", &[("OURS", b"2")]).await;
    });
}

#[test]
fn a_secret_that_is_being_deleted_is_waited_for() {
    sealed::test(async |_, sealer| {
        let held = json!({"metadata": {"name": "api", "finalizers": ["example.com/held"]}});
        sealer.create_secret(held).await;
        sealer.delete_secret("api").await;
        sealer.apply(&sealer.seal("api", &[("A", b"1")])).await;
        sealer.until("api", "Progressing").await;

        sealer
            .patch_secret("api", &json!({"metadata": {"finalizers": null}}))
            .await;
        sealer.touch("api").await;
        sealer.until("api", "Unsealed").await;
    });
}

#[test]
fn a_secret_of_the_original_is_taken_over_as_the_message_says() {
    cluster::run(async {
        let cluster = Cluster::start().await;
        let namespace = Namespace::create(&cluster).await;
        let (admin, here) = (cluster.admin(), namespace.name());
        let mut controller = Controller::named("one").start(&cluster).await;
        controller.until_ready().await;
        let sealer = Sealer::create(&namespace).await;
        sealer.allow_taking_over(&cluster).await;
        let uid = original(&cluster, here).await;
        let owner = json!({
            "apiVersion": "bitnami.com/v1alpha1", "kind": "SealedSecret", "name": "api",
            "uid": uid, "controller": true,
        });
        let metadata = json!({"name": "api", "ownerReferences": [owner]});
        sealer
            .create_secret(json!({"metadata": metadata, "stringData": {"THEIRS": "1"}}))
            .await;
        sealer.apply(&sealer.seal("api", &[("OURS", b"2")])).await;
        let object = sealer.until("api", "SecretExists").await;

        let command = "kubectl delete sealedsecrets.bitnami.com api --cascade=orphan";
        assert!(said(&object).contains(command), "{}", said(&object));
        let delete = ["-n", here, "delete", "sealedsecrets.bitnami.com", "api"];
        let orphaning = [&delete[..], &["--cascade=orphan", "--wait=false"]].concat();
        admin.kubectl(&orphaning).await.succeeded();
        // The garbage collector looks for new resources every 30 s.
        let patience = Duration::from_mins(2);
        until("the Secret is an orphan", patience, async || {
            let owners = sealer.secret("api").await.metadata.owner_references;
            owners
                .is_none()
                .then_some(())
                .ok_or_else(|| format!("{owners:?}"))
        })
        .await;
        let annotate = [
            "-n",
            here,
            "annotate",
            "secret",
            "api",
            "sceau.dev/adopt=true",
        ];
        admin.kubectl(&annotate).await.succeeded();
        sealer.touch("api").await;
        sealer.until_items("api", &[("OURS", b"2")]).await;
        sealer.until("api", "Unsealed").await;
    });
}

/// Creates a Bitnami SealedSecret `api` and returns its uid.
async fn original(cluster: &Cluster, namespace: &str) -> String {
    let schema = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    let version = json!({
        "name": "v1alpha1", "served": true, "storage": true,
        "schema": {"openAPIV3Schema": schema},
    });
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "sealedsecrets.bitnami.com"},
        "spec": {
            "group": "bitnami.com",
            "scope": "Namespaced",
            "names": {"kind": "SealedSecret", "plural": "sealedsecrets"},
            "versions": [version],
        },
    });
    let object = json!({
        "apiVersion": "bitnami.com/v1alpha1",
        "kind": "SealedSecret",
        "metadata": {"name": "api", "namespace": namespace},
    });
    until_applied(cluster, "definition.json", &definition).await;
    until_applied(cluster, "original.json", &object).await
}

/// Applies an object, as soon as its resource is served, and returns its uid.
async fn until_applied(cluster: &Cluster, file: &str, object: &Value) -> String {
    let admin: &Identity = cluster.admin();
    let file = cluster
        .api_server
        .scratch()
        .write(file, &object.to_string());
    let file = file.to_str().expect("the path is UTF-8");
    until("the API server takes it", SOON, async || {
        let apply = ["apply", "-f", file, "-o", "jsonpath={.metadata.uid}"];
        let applied = admin.kubectl(&apply).await;
        match applied.code {
            Some(0) => Ok(applied.stdout),
            _ => Err(applied.stderr),
        }
    })
    .await
}
