use serde_json::json;

use super::*;
use crate::fixtures::{KEYS, at, environment_name};

fn new_key() -> NewKey {
    let created_at = at("2026-11-21T09:30:00Z");
    NewKey::generate(&environment_name("prod"), 2048, created_at).unwrap()
}

/// The Secret as the API server would keep it, with some of its items changed.
fn stored(new: &NewKey, changes: &[(&str, Option<&str>)]) -> Secret {
    let body = serde_json::to_value(new.secret("sceau-prod-first", "prod", None)).unwrap();
    let mut secret: Secret = serde_json::from_value(body).unwrap();
    let items = secret.string_data.take().unwrap();
    let mut items: BTreeMap<_, _> = items
        .into_iter()
        .map(|(item, text)| (item, ByteString(text.into_bytes())))
        .collect();
    for (item, text) in changes {
        match text {
            None => items.remove(*item),
            Some(text) => items.insert((*item).to_owned(), ByteString(text.as_bytes().to_vec())),
        };
    }
    secret.data = Some(items);
    secret
}

fn unusable(secret: Secret) -> String {
    match KeySecret::read(secret) {
        KeySecret::Unusable(unusable) => unusable.to_string(),
        KeySecret::Usable(_) => panic!("it is usable"),
    }
}

#[test]
fn a_new_key_is_read_back_from_its_secret() {
    let new = new_key();
    let KeySecret::Usable(key) = KeySecret::read(stored(&new, &[])) else {
        panic!("it is junk");
    };
    assert_eq!(key.id(), new.id);
    assert_eq!(key.environment.as_str(), "prod");
    assert_eq!(key.created_at, at("2026-11-21T09:30:00Z"));
    assert_eq!(key.not_after, at("2036-11-18T09:30:00Z"));
    assert_eq!(key.certificate, new.certificate);
}

#[test]
fn a_key_from_the_future_is_as_old_as_its_secret() {
    let new = new_key();
    for (stored_at, created_at) in [
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
        // Clocks may differ.
        ("2026-11-21T09:00:00Z", "2026-11-21T09:30:00Z"),
        // It was restored.
        ("2027-01-01T00:00:00Z", "2026-11-21T09:30:00Z"),
    ] {
        let mut secret = stored(&new, &[]);
        secret.metadata.creation_timestamp = Some(Time(at(stored_at)));
        let KeySecret::Usable(key) = KeySecret::read(secret) else {
            panic!("it is junk");
        };
        assert_eq!(key.created_at, at(created_at), "stored at {stored_at}");
    }
}

#[test]
fn a_key_records_the_cutoff_that_caused_it() {
    let (new, cutoff) = (new_key(), at("2026-11-21T09:30:00.5Z"));
    let body = serde_json::to_value(new.secret("sceau-prod-first", "prod", Some(cutoff))).unwrap();
    let annotations = json!({"sceau.dev/cutoff-time": "2026-11-21T09:30:00.5Z"});
    assert_eq!(body["metadata"]["annotations"], annotations);
    let mut secret = stored(&new, &[]);
    secret.metadata.annotations = serde_json::from_value(annotations).unwrap();
    let KeySecret::Usable(key) = KeySecret::read(secret) else {
        panic!("it is junk");
    };
    assert_eq!(key.created_at, at("2026-11-21T09:30:00Z"));
    assert_eq!(key.effective_creation(), cutoff);
}

#[test]
fn a_key_can_be_generated_at_the_end_of_time() {
    let prod = environment_name("prod");
    assert!(NewKey::generate(&prod, 2048, Timestamp::MAX).is_ok());
}

#[test]
fn a_key_secret_is_a_tls_secret_with_two_labels_that_never_changes() {
    let new = new_key();
    let body = serde_json::to_value(new.secret("sceau-prod-first", "prod", None)).unwrap();
    assert_eq!(body["type"], "kubernetes.io/tls");
    assert_eq!(body["immutable"], true);
    let labels = json!({"sceau.dev/environment": "prod", "sceau.dev/sealing-key": "active"});
    assert_eq!(body["metadata"]["labels"], labels);
}

#[test]
fn an_unusable_secret_is_named_and_never_quoted() {
    let new = new_key();
    let another = KEYS[0].to_pem().unwrap();
    for (changes, expected) in [
        ([("tls.crt", None)], "tls.crt is missing or is not a text"),
        ([("tls.key", None)], "tls.key is missing or is not a text"),
        (
            [("tls.crt", Some("hunter2"))],
            "tls.crt: no certificate found: expected a PEM block `CERTIFICATE`",
        ),
        (
            [("tls.key", Some("hunter2"))],
            "tls.key: no private key found: expected a PEM block `PRIVATE KEY` or `RSA PRIVATE KEY`",
        ),
        (
            [("tls.key", Some(another.as_str()))],
            "tls.key does not match tls.crt",
        ),
    ] {
        assert_eq!(unusable(stored(&new, &changes)), expected);
    }
    let mut secret = stored(&new, &[]);
    secret.metadata.labels = Some([(ENVIRONMENT_LABEL.to_owned(), "Hunter2".to_owned())].into());
    assert_eq!(
        unusable(secret),
        "the label sceau.dev/environment is missing or is not an environment name"
    );
    assert_eq!(
        unusable(Secret::default()),
        "the label sceau.dev/environment is missing or is not an environment name"
    );
}

#[test]
fn the_right_one_of_several_private_keys_is_taken() {
    let new = new_key();
    let both = format!(
        "{}{}",
        KEYS[0].to_pem().unwrap().as_str(),
        new.private_key.as_str()
    );
    let KeySecret::Usable(key) = KeySecret::read(stored(&new, &[("tls.key", Some(&both))])) else {
        panic!("it is junk");
    };
    assert_eq!(key.id(), new.id);
}

#[test]
fn names_follow_from_what_is_replaced_and_are_never_too_long() {
    let prod = environment_name("prod");
    assert_eq!(secret_name(&prod, None), "sceau-prod-first");
    let id = KEYS[0].id();
    assert_eq!(
        secret_name(&prod, Some(id)),
        format!("sceau-prod-after-{}", id.short())
    );
    let longest = environment_name(&"a".repeat(63));
    assert!(sealing::SecretName::parse(secret_name(&longest, Some(id))).is_ok());
}
