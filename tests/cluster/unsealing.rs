//! From a SealedSecret to a Secret, and how the Secret is kept as it was sealed.

use std::time::Duration;

use cluster::wait::{SOON, until};
use k8s_openapi::api::events::v1::Event;
use kube::Api;
use kube::api::{DeleteParams, ListParams};
use serde_json::{Value, json};

use tokio::time::{Instant, sleep};

use crate::limits::attempts;
use crate::sealed;

#[test]
fn a_sealed_secret_becomes_a_secret_with_the_same_bytes() {
    sealed::test(async |_, sealer| {
        let binary: Vec<u8> = (0..=255).collect();
        let items: [(&str, &[u8]); 3] = [
            ("PASSWORD", b"hunter2"),
            ("binary.bin", &binary),
            ("empty", b""),
        ];
        let object = sealer.unseal("api", &items).await;
        sealer.until_items("api", &items).await;
        let secret = sealer.secret("api").await;
        assert_eq!(secret.type_.as_deref(), Some("Opaque"));
        let owner = &secret
            .metadata
            .owner_references
            .as_ref()
            .expect("it has an owner")[0];
        assert_eq!(Some(&owner.uid), object.metadata.uid.as_ref());
        assert_eq!(
            (owner.controller, owner.block_owner_deletion),
            (Some(true), Some(true))
        );
        let status = object.status.expect("it has a status");
        assert_eq!(status.seals[0].opened_by, sealer.recipient.id().to_string());
    });
}

#[test]
fn a_secret_has_the_type_labels_and_annotations_of_the_template_and_none_of_its_sealed_secret() {
    sealed::test(async |_, sealer| {
        let mut object = sealer.seal("api", &[("username", b"me"), ("password", b"hunter2")]);
        object.metadata.labels =
            Some([("argocd.argoproj.io/instance".into(), "shop".into())].into());
        object.spec.template.secret_type = Some("kubernetes.io/basic-auth".into());
        let metadata = &mut object.spec.template.metadata;
        metadata.labels.insert("team".into(), "payments".into());
        metadata
            .annotations
            .insert("reloader.stakater.com/match".into(), "true".into());
        sealer.apply(&object).await;
        sealer.until("api", "Unsealed").await;

        let secret = sealer.secret("api").await;
        assert_eq!(secret.type_.as_deref(), Some("kubernetes.io/basic-auth"));
        let labels = json!({"team": "payments", "app.kubernetes.io/managed-by": "sceau"});
        assert_eq!(
            serde_json::to_value(secret.metadata.labels).unwrap(),
            labels
        );
        let annotations = json!({"reloader.stakater.com/match": "true"});
        let mut found = secret.metadata.annotations.expect("it has some");
        found.remove("sceau.dev/fingerprints").expect("all have it");
        assert_eq!(serde_json::to_value(found).unwrap(), annotations);
    });
}

#[test]
fn a_new_version_replaces_every_item() {
    sealed::test(async |_, sealer| {
        sealer.unseal("api", &[("OLD", b"1"), ("KEPT", b"1")]).await;
        sealer
            .apply(&sealer.seal("api", &[("NEW", b"2"), ("KEPT", b"2")]))
            .await;
        sealer
            .until_items("api", &[("NEW", b"2"), ("KEPT", b"2")])
            .await;
    });
}

#[test]
fn what_was_changed_by_hand_is_healed() {
    sealed::test(async |cluster, sealer| {
        sealer.allow_taking_over(cluster).await;
        let items: [(&str, &[u8]); 2] = [("PASSWORD", b"hunter2"), ("TOKEN", b"t")];
        sealer.unseal("api", &items).await;
        let by_hand: [Value; 5] = [
            json!({"stringData": {"PASSWORD": "changed"}}),
            json!({"stringData": {"ADDED": "by hand"}}),
            json!({"data": {"TOKEN": null}}),
            json!({"metadata": {"labels": {"app.kubernetes.io/managed-by": null}}}),
            json!({"metadata": {"ownerReferences": null}}),
        ];
        for patch in by_hand {
            sealer.patch_secret("api", &patch).await;
            until(&format!("{patch} is healed"), SOON, async || {
                let secret = sealer.secret("api").await;
                let labels = secret.metadata.labels.clone().unwrap_or_default();
                let healed = secret.metadata.owner_references.is_some()
                    && labels.contains_key("app.kubernetes.io/managed-by");
                if healed {
                    Ok(())
                } else {
                    Err(format!("{:?}", secret.metadata))
                }
            })
            .await;
            sealer.until_items("api", &items).await;
        }
        sealer.delete_secret("api").await;
        sealer.until_items("api", &items).await;
    });
}

#[test]
fn somebody_who_keeps_changing_a_secret_does_not_keep_the_keys_busy() {
    sealed::test(async |cluster, sealer| {
        sealer.unseal("api", &[("A", b"1")]).await;
        let began = Instant::now();
        let mut changes = 0;
        while began.elapsed() < Duration::from_secs(5) {
            changes += 1;
            let patch = json!({"stringData": {"B": changes.to_string()}});
            sealer.patch_secret("api", &patch).await;
            sleep(Duration::from_millis(50)).await;
        }
        let attempts = attempts(cluster.shared_controller().await, sealer);
        // At first, and after 0 s, 1 s and 3 s.
        assert!((3..=5).contains(&attempts), "{attempts} for {changes}");
        // A new version is not delayed.
        sealer.unseal("api", &[("A", b"2")]).await;
        assert!(began.elapsed() < Duration::from_secs(7));
        sealer.until_items("api", &[("A", b"2")]).await;
    });
}

#[test]
fn labels_and_annotations_of_others_are_left_alone() {
    sealed::test(async |_, sealer| {
        sealer.unseal("api", &[("A", b"1")]).await;
        let patch = json!({"metadata": {"labels": {"seen-by": "backup"}}});
        sealer.patch_secret("api", &patch).await;
        sealer.apply(&sealer.seal("api", &[("A", b"2")])).await;
        sealer.until_items("api", &[("A", b"2")]).await;
        let labels = sealer
            .secret("api")
            .await
            .metadata
            .labels
            .unwrap_or_default();
        assert_eq!(labels.get("seen-by").map(String::as_str), Some("backup"));
    });
}

#[test]
fn the_secret_goes_with_its_sealed_secret() {
    sealed::test(async |_, sealer| {
        sealer.unseal("api", &[("A", b"1")]).await;
        let deleted = sealer
            .sealed_secrets()
            .delete("api", &DeleteParams::default())
            .await;
        deleted.expect("it is there");
        until("the Secret is collected", SOON, async || {
            match sealer.secrets().get_opt("api").await {
                Ok(None) => Ok(()),
                found => Err(format!("{}", found.is_ok())),
            }
        })
        .await;
    });
}

#[test]
fn an_owner_that_is_being_deleted_writes_no_more() {
    sealed::test(async |_, sealer| {
        let mut object = sealer.seal("api", &[("A", b"1")]);
        object.metadata.finalizers = Some(vec!["example.com/held".into()]);
        sealer.apply(&object).await;
        sealer.until("api", "Unsealed").await;
        let api = sealer.sealed_secrets();
        api.delete("api", &DeleteParams::default())
            .await
            .expect("it is there");
        sealer.delete_secret("api").await;
        // Another one, sealed after it, is unsealed before the first could have been written again.
        sealer.unseal("other", &[("B", b"1")]).await;
        assert!(
            sealer
                .secrets()
                .get_opt("api")
                .await
                .expect("it answers")
                .is_none()
        );
        sealer.release_finalizers("api").await;
    });
}

#[test]
fn an_unsealed_secret_is_announced_once() {
    sealed::test(async |_, sealer| {
        let object = sealer.unseal("api", &[("A", b"1")]).await;
        let events: Api<Event> = sealer.namespace.api();
        let found = until("there is an event", SOON, async || {
            let listed = events.list(&ListParams::default()).await;
            let listed = listed.map_err(|error| error.to_string())?.items;
            if listed.is_empty() {
                Err("none".to_owned())
            } else {
                Ok(listed)
            }
        })
        .await;
        assert_eq!(found.len(), 1);
        let regarding = found[0].regarding.clone().unwrap_or_default();
        assert_eq!(
            (regarding.kind.as_deref(), regarding.uid),
            (Some("SealedSecret"), object.metadata.uid)
        );
        assert_eq!(found[0].reason.as_deref(), Some("Unsealed"));
        assert_eq!(found[0].note.as_deref(), Some("unsealed 1 item"));
    });
}
