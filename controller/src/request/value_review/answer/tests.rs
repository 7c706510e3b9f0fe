use sealing::{ItemRef, Plaintext, seal_traced};
use serde_json::{Value, json};

use super::*;
use crate::{
    fixtures::{Given, KEYS, at, environment_name, revoking},
    keys::fingerprint_secret::FingerprintSecret,
};

fn fingerprint_key() -> Arc<FingerprintKey> {
    Arc::new(FingerprintKey::from_bytes(&[1; 32]).unwrap())
}

/// `prod` with key 0, `dev` without any, and `test` which has revoked key 0.
fn given() -> Given {
    Given::default()
        .environment("dev", json!({}))
        .environment("prod", json!({}))
        .environment("test", revoking(&[0]))
        .sealing_key(0, "prod", "2026-01-01T00:00:00Z")
        .sealing_key(1, "test", "2026-01-01T00:00:00Z")
}

fn store() -> ClusterStore {
    let found = FingerprintSecret::Usable(fingerprint_key());
    given().fingerprint_secret(found).store()
}

fn value_review(spec: &Value) -> ReceivedRequest<ValueReview> {
    serde_json::from_value(json!({"metadata": {"name": "one", "generation": 1}, "spec": spec}))
        .unwrap()
}

/// A trace through `environment` of a value that was sealed for `sealed_for` with the key of this
/// index.
fn trace(environment: &str, sealed_for: &str, index: usize, value: &str) -> Value {
    let value = Plaintext::new(value.as_bytes().to_vec());
    let recipient = KEYS[index].recipient();
    let seal = seal_traced(value, &environment_name(sealed_for), recipient).unwrap();
    json!({"trace": {"environment": environment, "seal": seal}})
}

/// The rejection before a search.
fn refusal(store: &ClusterStore, spec: &Value) -> Result<(), Refusal> {
    match decide(&value_review(spec), store) {
        Decision::Refuse(refusal) => Err(refusal),
        Decision::Reuse => Ok(()),
        Decision::Trace(tracing) => tracing.open().map(drop),
    }
}

#[test]
fn a_valid_question_is_accepted_and_all_others_are_rejected_with_a_reason() {
    let good = "correct horse";
    let both = json!({"reuse": {}, "trace": trace("prod", "prod", 0, good)["trace"]});
    for (spec, expected) in [
        (json!({"reuse": {}}), "Ok"),
        (trace("prod", "prod", 0, good), "Ok"),
        (json!({}), "Malformed"),
        (json!({"trace": 3}), "Malformed"),
        (both, "Malformed"),
        (trace("nowhere", "prod", 0, good), "NoEnvironment"),
        (trace("No Name", "prod", 0, good), "NoEnvironment"),
        (trace("prod", "prod", 0, "eleven byte"), "TooShort"),
        (trace("prod", "prod", 0, "eleven byte\n"), "TooShort"),
        (trace("prod", "dev", 0, good), "Refused"),
        (trace("prod", "prod", 2, good), "UnknownSealingKey"),
        (trace("test", "test", 0, good), "RevokedSealingKey"),
        (trace("dev", "dev", 0, good), "Progressing"),
    ] {
        let outcome = refusal(&store(), &spec).map_err(Answer::Refused);
        let reason = outcome.as_ref().map_or_else(Answer::reason, |()| "Ok");
        assert_eq!(reason, expected, "{spec}");
        if let Err(answer) = outcome {
            let status = answer.status(&value_review(&spec), at("2026-01-01T00:00:00Z"));
            assert_eq!(status.conditions[0].status, "False");
            assert!(!status.conditions[0].message.contains("horse"));
        }
    }
}

#[test]
fn without_a_fingerprint_key_all_questions_are_rejected() {
    for spec in [
        json!({"reuse": {}}),
        trace("prod", "prod", 0, "correct horse"),
    ] {
        let refusal = refusal(&given().store(), &spec);
        assert_eq!(refusal, Err(Refusal::NoFingerprintKey));
    }
}

fn place(name: &str, item: &str) -> ItemRef {
    ItemRef {
        environment: "prod".to_owned(),
        namespace: "shop".to_owned(),
        name: name.to_owned(),
        item: item.to_owned(),
    }
}

fn fingerprints(value: &str) -> [Fingerprint; 2] {
    let value = Plaintext::new(value.as_bytes().to_vec());
    fingerprint_key().of_traced(&value).unwrap()
}

/// An index of this many Secrets with one value.
fn index(count: usize, unknown: usize) -> ValueIndex {
    let fingerprint = fingerprints("correct horse")[0];
    let values = (0..count).map(|n| (fingerprint, place(&format!("api-{n:0>4}"), "A")));
    ValueIndex::of(&values.collect::<Vec<_>>(), unknown)
}

fn report(answer: &Answer) -> (ValueReviewStatus, String) {
    let status = answer.status(&value_review(&json!({})), at("2026-01-01T00:00:00Z"));
    let complete = status.conditions[0].clone();
    let text = format!(
        "{} {}: {}",
        complete.status, complete.reason, complete.message
    );
    (status, text)
}

#[test]
fn a_trace_lists_the_items_that_have_the_value_or_none() {
    let found = |count, unknown| {
        report(&Answer::found(
            &index(count, unknown),
            &fingerprints("correct horse\n"),
        ))
    };
    let (status, text) = found(2, 0);
    assert_eq!(
        status.found,
        [place("api-0000", "A"), place("api-0001", "A")]
    );
    assert_eq!(text, "True Answered: the value is in 2 places");
    let (_, text) = found(0, 1);
    let expected = "True Answered: the value is in 0 places; 1 Secret could not be compared";
    assert_eq!(text, expected);
    let (status, text) = found(1_001, 3);
    assert_eq!(status.found.len(), 1_000);
    assert_eq!(
        text,
        "True Answered: the value is in 1001 places; not all are listed; \
         3 Secrets could not be compared"
    );
}

#[test]
fn reused_values_are_listed_with_their_items_up_to_a_limit() {
    let (status, text) = report(&Answer::reused(index(3, 0)));
    assert_eq!(text, "True Answered: reused: 1 value");
    assert_eq!(status.reused.len(), 1);
    assert_eq!(status.reused[0].len(), 3);
    let (status, text) = report(&Answer::reused(index(1_001, 0)));
    assert_eq!(text, "True Answered: reused: 1 value; not all are listed");
    assert_eq!(status.reused[0].len(), 20);
}

#[test]
fn the_wait_is_rounded_up_to_whole_seconds() {
    let refusal = Refusal::RateLimited(Duration::from_millis(59_001));
    let expected = "too many ValueReviews: try again in 60 s";
    assert_eq!(refusal.to_string(), expected);
    assert_eq!(Answer::Refused(refusal).reason(), "RateLimited");
}
