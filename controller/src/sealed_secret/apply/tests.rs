use std::collections::BTreeMap;

use sealing::{ItemName, SecretRef, resource::SecretTemplate};
use serde_json::from_value;

use super::*;

fn secret(items: &[(&str, &[u8])]) -> DesiredSecret {
    let items = items.iter().map(|(name, value)| {
        (
            ItemName::parse(*name).unwrap(),
            Plaintext::new(value.to_vec()),
        )
    });
    DesiredSecret {
        place: SecretRef::parse("shop", "api").unwrap(),
        template: SecretTemplate::default(),
        items: items.collect(),
        fingerprints: None,
        owner: OwnerReference {
            api_version: "sceau.dev/v1alpha1".to_owned(),
            kind: "SealedSecret".to_owned(),
            name: "api".to_owned(),
            uid: "uid-of-api".to_owned(),
            controller: Some(true),
            block_owner_deletion: Some(true),
        },
        precondition: None,
    }
}

#[test]
fn a_secret_is_sent_with_just_what_is_ours() {
    let mut secret = secret(&[("A", b"hunter2"), ("EMPTY", b""), ("BINARY", &[0, 255])]);
    let body = serde_json::to_value(SecretBody::from(&secret)).unwrap();
    let owner = json!({
        "apiVersion": "sceau.dev/v1alpha1", "kind": "SealedSecret", "name": "api", "uid": "uid-of-api",
        "controller": true, "blockOwnerDeletion": true,
    });
    let expected = json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": "api",
            "labels": {"app.kubernetes.io/managed-by": "sceau"},
            "ownerReferences": [owner],
        },
        "type": "Opaque",
        "data": {"A": "aHVudGVyMg==", "EMPTY": "", "BINARY": "AP8="},
    });
    assert_eq!(body, expected);

    secret.precondition = Some("uid-of-secret".to_owned());
    secret.template.immutable = Some(true);
    let metadata = &mut secret.template.metadata;
    metadata.annotations = BTreeMap::from([("a".to_owned(), "b".to_owned())]);
    let body = serde_json::to_value(SecretBody::from(&secret)).unwrap();
    assert_eq!(body["metadata"]["uid"], "uid-of-secret");
    assert_eq!(body["metadata"]["annotations"], json!({"a": "b"}));
    assert_eq!(body["immutable"], true);
}

fn response(items: &Value) -> WriteResponse {
    from_value(json!({"metadata": {"uid": "u", "resourceVersion": "8"}, "data": items})).unwrap()
}

#[test]
fn items_of_others_are_taken_away_from_the_secret_that_was_seen() {
    let secret = secret(&[("A", b"1")]);
    assert_eq!(
        without_extra_items(&secret, &response(&json!({"A": "MQ=="}))),
        None
    );
    assert_eq!(without_extra_items(&secret, &response(&Value::Null)), None);
    let expected = json!({"metadata": {"resourceVersion": "8"}, "data": {"B": null, "C": null}});
    let extra = response(&json!({"A": "MQ==", "B": "Mg==", "C": ""}));
    assert_eq!(without_extra_items(&secret, &extra), Some(expected));
}

fn refusal(code: u16, causes: &Value) -> Failure {
    let status = json!({"code": code, "message": "hunter2", "reason": "hunter2", "details": {"causes": causes}});
    failure(&kube::Error::Api(from_value(status).unwrap()), None)
}

#[test]
fn responses_of_the_api_server_are_described_in_our_own_words() {
    let cause = |field: &str, reason: &str| json!([{"field": field, "reason": reason, "message": "hunter2"}]);
    for (code, causes, expected) in [
        (
            422,
            cause("data", "FieldValueForbidden"),
            Reason::ImmutableSecret,
        ),
        (
            422,
            cause("immutable", "FieldValueForbidden"),
            Reason::ImmutableSecret,
        ),
        (422, cause("type", "FieldValueInvalid"), Reason::TypeChange),
        (
            422,
            cause("data[tls.crt]", "FieldValueRequired"),
            Reason::InvalidSecret,
        ),
        (422, json!([]), Reason::InvalidSecret),
        (400, json!([]), Reason::InvalidSecret),
        (403, json!([]), Reason::Forbidden),
        (404, json!([]), Reason::ApiError),
        (409, json!([]), Reason::Conflict),
        (413, json!([]), Reason::TooLarge),
        (429, json!([]), Reason::ApiError),
        (500, json!([]), Reason::ApiError),
    ] {
        let failure = refusal(code, &causes);
        assert_eq!(failure.reason, expected, "{code}");
        assert!(!failure.message.contains("hunter2"), "{}", failure.message);
    }
}

#[test]
fn an_unreadable_answer_is_not_repeated() {
    let error = serde_json::from_str::<u8>("\"hunter2\"").unwrap_err();
    let failure = failure(&kube::Error::SerdeError(error), None);
    assert_eq!(failure.reason, Reason::ApiError);
    assert_eq!(
        failure.message,
        "writing the Secret failed: the response of the API server could not be parsed"
    );
}

#[test]
fn only_a_failed_adoption_mentions_the_permission_that_it_needs() {
    let error = kube::Error::Api(from_value(json!({"code": 403})).unwrap());
    for (replaced, is_mentioned) in [(None, false), (Some("uid"), true)] {
        let failure = failure(&error, replaced);
        assert_eq!(failure.reason, Reason::Forbidden);
        let plugin = "OwnerReferencesPermissionEnforcement";
        assert_eq!(failure.message.contains(plugin), is_mentioned);
    }
}
