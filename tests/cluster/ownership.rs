//! Secrets that are there already and belong to somebody else.

use serde_json::json;

use crate::sealed;

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
