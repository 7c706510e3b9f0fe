//! What is rejected, with its reason. The last good Secret stays.

use kube::Api;
use kube::api::{Patch, PatchParams};
use sealing::resource::SealedSecret;
use serde_json::json;

use crate::sealed::{self, said};

#[test]
fn sealed_for_another_name_is_refused_and_the_last_good_secret_kept() {
    sealed::test(async |_, sealer| {
        sealer.unseal("api", &[("A", b"good")]).await;
        let mut moved = sealer.seal("other", &[("A", b"moved")]);
        moved.metadata.name = Some("api".to_owned());
        sealer.apply(&moved).await;
        let object = sealer.until("api", "Refused").await;
        assert!(!said(&object).contains("moved, "), "{}", said(&object));
        sealer.until_items("api", &[("A", b"good")]).await;

        sealer.apply(&sealer.seal("api", &[("A", b"better")])).await;
        sealer.until_items("api", &[("A", b"better")]).await;
    });
}

#[test]
fn sealed_for_another_namespace_is_refused_and_the_last_good_secret_kept() {
    sealed::test(async |_, sealer| {
        let moved = |name: &str| sealer.seal_in("elsewhere", name, &[("A", b"moved")]);
        sealer.apply(&moved("new")).await;
        sealer.until("new", "Refused").await;
        let new = sealer.secrets().get_opt("new").await;
        assert!(new.expect("it answers").is_none());

        sealer.unseal("api", &[("A", b"good")]).await;
        sealer.apply(&moved("api")).await;
        sealer.until("api", "Refused").await;
        sealer.until_items("api", &[("A", b"good")]).await;
    });
}

#[test]
fn sealed_for_another_environment_is_refused_and_the_last_good_secret_kept() {
    sealed::test(async |_, sealer| {
        sealer.unseal("api", &[("A", b"good")]).await;
        let mut object = sealer.seal("api", &[("A", b"1")]);
        object.spec.environment = "production".to_owned();
        sealer.apply(&object).await;
        let object = sealer.until("api", "WrongEnvironment").await;
        assert!(
            said(&object).contains("sealed for environment production"),
            "{}",
            said(&object)
        );
        sealer.until_items("api", &[("A", b"good")]).await;
    });
}

#[test]
fn a_seal_that_was_relabelled_for_this_environment_is_refused() {
    sealed::test(async |_, sealer| {
        let mut object = sealer.seal("api", &[("A", b"1")]);
        object.spec.scope = sealing::Scope::EnvironmentWide;
        sealer.apply(&object).await;
        sealer.until("api", "Refused").await;
    });
}

#[test]
fn a_refused_secret_type_is_not_written() {
    sealed::test(async |_, sealer| {
        let mut object = sealer.seal("api", &[("token", b"1")]);
        object.spec.template.secret_type = Some("kubernetes.io/service-account-token".to_owned());
        sealer.apply(&object).await;
        sealer.until("api", "DeniedSecretType").await;
        assert!(
            sealer
                .secrets()
                .get_opt("api")
                .await
                .expect("it answers")
                .is_none()
        );
    });
}

#[test]
fn a_label_of_sealing_keys_is_not_written() {
    sealed::test(async |_, sealer| {
        let mut object = sealer.seal("api", &[("A", b"1")]);
        let labels = &mut object.spec.template.metadata.labels;
        labels.insert("sceau.dev/sealing-key".to_owned(), "active".to_owned());
        sealer.apply(&object).await;
        sealer.until("api", "ReservedMetadata").await;
    });
}

#[test]
fn a_secret_that_lacks_what_its_type_asks_for_is_invalid() {
    sealed::test(async |_, sealer| {
        let mut object = sealer.seal("api", &[("A", b"hunter2")]);
        object.spec.template.secret_type = Some("kubernetes.io/tls".to_owned());
        sealer.apply(&object).await;
        let object = sealer.until("api", "InvalidSecret").await;
        assert!(!said(&object).contains("hunter2"));
    });
}

#[test]
fn an_immutable_secret_is_kept_and_written_anew_once_it_is_deleted() {
    sealed::test(async |_, sealer| {
        let mut object = sealer.seal("api", &[("A", b"first")]);
        object.spec.template.immutable = Some(true);
        sealer.apply(&object).await;
        sealer.until("api", "Unsealed").await;

        let mut object = sealer.seal("api", &[("A", b"second")]);
        object.spec.template.immutable = Some(true);
        sealer.apply(&object).await;
        sealer.until("api", "ImmutableSecret").await;
        sealer.until_items("api", &[("A", b"first")]).await;

        sealer.delete_secret("api").await;
        sealer.until_items("api", &[("A", b"second")]).await;
        sealer.until("api", "Unsealed").await;
    });
}

#[test]
fn a_type_cannot_be_changed_until_the_secret_is_deleted() {
    sealed::test(async |_, sealer| {
        sealer.unseal("api", &[("username", b"me")]).await;
        let mut object = sealer.seal("api", &[("username", b"you")]);
        object.spec.template.secret_type = Some("kubernetes.io/basic-auth".to_owned());
        sealer.apply(&object).await;
        sealer.until("api", "TypeChange").await;
        sealer.until_items("api", &[("username", b"me")]).await;

        sealer.delete_secret("api").await;
        sealer.until("api", "Unsealed").await;
        sealer.until_items("api", &[("username", b"you")]).await;
    });
}

#[test]
fn a_malformed_seal_is_refused() {
    sealed::test(async |_, sealer| {
        let mut object = sealer.seal("api", &[("A", b"1")]);
        // It matches the schema, but its base64 has trailing bits.
        object.spec.seals[0].commitment = format!("sceau:v1:{}B=", "A".repeat(42));
        sealer.apply(&object).await;
        sealer.until("api", "Malformed").await;
    });
}

#[test]
fn one_item_in_two_seals_is_refused() {
    sealed::test(async |_, sealer| {
        let mut object = sealer.seal("api", &[("A", b"1")]);
        object
            .spec
            .seals
            .extend(sealer.seal("api", &[("A", b"2")]).spec.seals);
        sealer.apply(&object).await;
        sealer.until("api", "Malformed").await;
    });
}

#[test]
fn a_status_that_somebody_removed_comes_back_with_the_next_change() {
    sealed::test(async |_, sealer| {
        sealer.unseal("api", &[("A", b"1")]).await;
        let api: Api<SealedSecret> = sealer.sealed_secrets();
        let patch = Patch::Merge(json!({"status": null}));
        api.patch_status("api", &PatchParams::default(), &patch)
            .await
            .expect("an administrator may");
        let patch = Patch::Merge(json!({"metadata": {"annotations": {"look": "again"}}}));
        api.patch("api", &PatchParams::default(), &patch)
            .await
            .expect("an administrator may");
        sealer.until("api", "Unsealed").await;
    });
}
