//! Deleting sealing keys: rejected while they are in use, and reported if it happens.

use cluster::manifests;
use cluster::wait::{SOON, until};
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::api::events::v1::Event;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams};
use kube::{Api, ResourceExt as _};
use serde_json::json;

use crate::sealed::{self, Sealer};

const IN_USE: &str = "sceau.dev/in-use";

fn key_secrets(sealer: &Sealer<'_>) -> Api<Secret> {
    Api::namespaced(sealer.namespace.client(), manifests::NAMESPACE)
}

/// Selects the key Secrets of an Environment.
fn ours(sealer: &Sealer<'_>) -> ListParams {
    ListParams::default().labels(&format!("sceau.dev/environment={}", sealer.environment))
}

/// The key Secret of an Environment with one key.
async fn key_secret(sealer: &Sealer<'_>) -> Secret {
    let listed = key_secrets(sealer).list(&ours(sealer)).await;
    let mut secrets = listed.expect("an administrator may").items;
    assert_eq!(secrets.len(), 1);
    secrets.remove(0)
}

/// Waits until the key Secret has the label for keys in use, or has it not, and returns its name.
async fn until_marked(sealer: &Sealer<'_>, is_in_use: bool) -> String {
    until(
        &format!("the label is set: {is_in_use}"),
        SOON,
        async || {
            let secret = key_secret(sealer).await;
            let mark = secret.labels().get(IN_USE).cloned();
            if mark.as_deref() == is_in_use.then_some("true") {
                Ok(secret.name_any())
            } else {
                Err(format!("{mark:?}"))
            }
        },
    )
    .await
}

/// The message with which the API server rejects a request.
fn refusal<T>(answer: kube::Result<T>) -> String {
    match answer {
        Err(kube::Error::Api(status)) => format!("{} {}", status.code, status.message),
        Err(error) => format!("{error}"),
        Ok(_) => "taken".to_owned(),
    }
}

#[test]
fn a_key_in_use_cannot_be_deleted_and_an_unused_one_can() {
    sealed::test(async |_, sealer| {
        let secrets = key_secrets(sealer);
        sealer.unseal("api", &[("A", b"1")]).await;
        let name = until_marked(sealer, true).await;
        let one = refusal(secrets.delete(&name, &DeleteParams::default()).await);
        assert!(one.starts_with("403 "), "{one}");
        assert!(
            one.contains("SealedSecrets still need this sealing key: reseal"),
            "{one}"
        );
        let collection = secrets
            .delete_collection(&DeleteParams::default(), &ours(sealer))
            .await;
        assert!(refusal(collection).starts_with("403 "));

        let deleted = sealer.sealed_secrets();
        let deleted = deleted.delete("api", &DeleteParams::default()).await;
        deleted.expect("it is there");
        until_marked(sealer, false).await;
        let deleted = secrets.delete(&name, &DeleteParams::default()).await;
        deleted.expect("no SealedSecret needs it");
    });
}

#[test]
fn a_key_in_use_can_be_deleted_once_it_is_revoked() {
    sealed::test(async |_, sealer| {
        let secrets = key_secrets(sealer);
        sealer.unseal("api", &[("A", b"1")]).await;
        let name = until_marked(sealer, true).await;
        let revoked =
            json!({"sealingKeys": {"revokedKeyIds": [sealer.recipient.id().to_string()]}});
        sealer.patch_environment(&revoked).await;
        until("the key can be deleted", SOON, async || {
            let deleted = secrets.delete(&name, &DeleteParams::default()).await;
            deleted.map(drop).map_err(|error| error.to_string())
        })
        .await;
    });
}

#[test]
fn a_key_in_use_that_was_deleted_all_the_same_is_told_of() {
    sealed::test(async |cluster, sealer| {
        let secrets = key_secrets(sealer);
        sealer.unseal("api", &[("A", b"1")]).await;
        sealer.until_counted(1).await;
        let name = until_marked(sealer, true).await;
        let unmark = Patch::Merge(json!({"metadata": {"labels": {IN_USE: null}}}));
        until("the key is deleted", SOON, async || {
            let unmarked = secrets.patch(&name, &PatchParams::default(), &unmark).await;
            unmarked.map_err(|error| error.to_string())?;
            let deleted = secrets.delete(&name, &DeleteParams::default()).await;
            deleted.map(drop).map_err(|error| error.to_string())
        })
        .await;

        let events: Api<Event> = Api::default_namespaced(sealer.namespace.client());
        let note = until("an event about it exists", SOON, async || {
            let listed = events.list(&ListParams::default()).await;
            let listed = listed.map_err(|error| error.to_string())?;
            let about = |event: &Event| {
                let regarding = event.regarding.as_ref().and_then(|it| it.name.as_deref());
                regarding == Some(sealer.environment.as_str())
                    && event.reason.as_deref() == Some("SealingKeyLost")
            };
            let found = listed.into_iter().find(about);
            found.and_then(|event| event.note).ok_or_else(String::new)
        })
        .await;
        let id = sealer.recipient.id();
        assert_eq!(
            note,
            format!(
                "sealing key {id} was deleted and 1 SealedSecrets need it: restore it from a backup"
            )
        );
        let controller = cluster.shared_controller().await;
        assert!(controller.metric("sceau_sealing_keys_lost_total").await >= Some(1.0));
        sealer.until("api", "UnknownSealingKey").await;
    });
}
