use sealing::{
    KeyRing, Scope,
    resource::{RequestStatus as _, SealedSecret},
    unseal,
};
use serde_json::{Value, json};

use super::*;
use crate::fixtures::{Given, KEYS, at, revoking, sealed};

/// `prod` with key 0 retired and key 1 active, and `dev` without any key.
fn store() -> ClusterStore {
    given(json!({})).store()
}

fn given(prod: Value) -> Given {
    let made_at = ["2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"];
    Given::prod_with_two_keys(prod, made_at).environment("dev", json!({}))
}

/// The header of the only seal of a SealedSecret.
fn header(object: &SealedSecret) -> SealHeader {
    let seal = &object.spec.seals[0];
    SealHeader {
        namespace: "shop".to_owned(),
        name: "api".to_owned(),
        scope: Scope::Strict,
        commitment: seal.commitment.clone(),
        recipients: seal.recipients.clone(),
    }
}

fn object() -> SealedSecret {
    sealed(0, &[("A", b"value")])
}

fn request(
    environment: &str,
    seals: &[SealHeader],
    status: &Value,
) -> ReceivedRequest<ResealRequest> {
    serde_json::from_value(json!({
        "metadata": {"name": "one", "generation": 1, "creationTimestamp": "2026-03-01T12:00:00Z"},
        "spec": {"environment": environment, "seals": seals},
        "status": status,
    }))
    .unwrap()
}

fn unanswered(environment: &str) -> ReceivedRequest<ResealRequest> {
    request(environment, &[header(&object())], &Value::Null)
}

fn decided(request: &ReceivedRequest<ResealRequest>) -> Decision {
    decide(request, &store())
}

/// The outcome for one header.
fn outcome(store: &ClusterStore, header: SealHeader) -> ResealOutcome {
    let request = request("prod", &[header], &Value::Null);
    match decide(&request, store) {
        Decision::Reseal(batch) => batch.reseal(0),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_seal_is_wrapped_for_the_active_key_which_then_opens_it() {
    let mut object = object();
    let outcome = outcome(&store(), header(&object));
    assert_eq!(
        (outcome.result, &outcome.message),
        (ResealResult::Resealed, &None)
    );
    let recipient = outcome.recipient.unwrap();
    assert_eq!(recipient.key_id, KEYS[1].id().to_string());

    object.spec.seals[0].recipients = vec![recipient];
    let mut ring = KeyRing::default();
    ring.insert(Arc::clone(&KEYS[1]));
    let place = SecretRef::parse("shop", "api").unwrap();
    assert!(unseal(&object.spec, &place, &ring).is_ok());
}

#[test]
fn what_cannot_be_resealed_says_why_and_brings_no_recipient() {
    let foreign = header(&sealed(2, &[("A", b"value")]));
    let good = || header(&object());
    let cases = [
        (
            ResealResult::Refused,
            SealHeader {
                namespace: "billing".to_owned(),
                ..good()
            },
        ),
        (
            ResealResult::Refused,
            SealHeader {
                name: "web".to_owned(),
                ..good()
            },
        ),
        (
            ResealResult::Refused,
            SealHeader {
                scope: Scope::NamespaceWide,
                ..good()
            },
        ),
        (
            ResealResult::Refused,
            SealHeader {
                commitment: foreign.commitment.clone(),
                ..good()
            },
        ),
        (
            ResealResult::Malformed,
            SealHeader {
                namespace: "Shop/".to_owned(),
                ..good()
            },
        ),
        (
            ResealResult::Malformed,
            SealHeader {
                commitment: "sceau:v1:AA==".to_owned(),
                ..good()
            },
        ),
        (
            ResealResult::Malformed,
            SealHeader {
                recipients: Vec::new(),
                ..good()
            },
        ),
        (ResealResult::UnknownSealingKey, foreign),
    ];
    for (expected, header) in cases {
        let outcome = outcome(&store(), header);
        assert_eq!(outcome.result, expected, "{outcome:?}");
        assert_eq!(outcome.recipient, None);
        assert!(outcome.message.is_some_and(|message| !message.is_empty()));
    }
}

#[test]
fn a_seal_of_a_revoked_key_is_not_resealed() {
    let store = given(revoking(&[0])).store();
    let outcome = outcome(&store, header(&object()));
    assert_eq!(outcome.result, ResealResult::RevokedSealingKey);
    assert_eq!(outcome.recipient, None);
}

#[test]
fn a_request_for_no_environment_or_without_readable_spec_is_refused() {
    for environment in ["test", "No Name"] {
        let decision = decided(&unanswered(environment));
        assert!(
            matches!(decision, Decision::Refuse(Refusal::NoEnvironment(_))),
            "{decision:?}"
        );
    }
    let unreadable: ReceivedRequest<ResealRequest> =
        serde_json::from_value(json!({"metadata": {"name": "one"}, "spec": {"seals": 3}})).unwrap();
    let decision = decided(&unreadable);
    assert!(
        matches!(decision, Decision::Refuse(Refusal::InvalidSpec)),
        "{decision:?}"
    );
}

#[test]
fn a_request_waits_for_the_first_key_and_for_the_one_after_a_revoked_one() {
    assert!(matches!(decided(&unanswered("dev")), Decision::WaitForKey));
    let store = given(revoking(&[1])).store();
    let decision = decide(&unanswered("prod"), &store);
    assert!(matches!(decision, Decision::WaitForKey), "{decision:?}");
}

/// The most seals of a request, each wrapped for this many keys of 4096 bits.
fn largest(recipients: usize) -> ReceivedRequest<ResealRequest> {
    let recipient = WrappedFileKey {
        wrapped: format!("sceau:v1:{}", "A".repeat(684)),
        ..object().spec.seals[0].recipients[0].clone()
    };
    let header = SealHeader {
        recipients: vec![recipient; recipients],
        ..header(&object())
    };
    request("prod", &vec![header; 512], &Value::Null)
}

#[test]
fn an_answer_fits_into_its_request_or_the_request_is_refused() {
    let outcome = ResealOutcome {
        result: ResealResult::Resealed,
        recipient: Some(
            largest(1)
                .spec
                .unwrap()
                .seals
                .remove(0)
                .recipients
                .remove(0),
        ),
        message: None,
    };
    let answer = Answer::from(vec![outcome; 512]);
    assert!(answer.fits(&largest(1)));
    assert!(answer.fits(&largest(2)));
    assert!(!answer.fits(&largest(3)));
    assert!(Answer::from(Refusal::TooLarge).fits(&largest(3)));
}

#[test]
fn the_condition_tells_how_many_seals_were_resealed() {
    let header = header(&object());
    let elsewhere = SealHeader {
        name: "web".to_owned(),
        ..header.clone()
    };
    let outcomes = [header, elsewhere].map(|header| outcome(&store(), header));
    let answer = Answer::from(outcomes.to_vec());
    let status = answer.status(&unanswered("prod"), at("2026-03-01T12:00:01Z"));
    let complete = status.complete().unwrap();
    assert_eq!(complete.status, "True");
    assert_eq!(complete.message, "1 of 2 seals resealed");
    assert_eq!(status.observed_generation, Some(1));
    assert_eq!(status.seals, outcomes);
}
