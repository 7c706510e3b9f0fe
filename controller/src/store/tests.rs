use sealing::resource::SealingKeyState;
use serde_json::json;

use super::*;
use crate::fixtures::{Given, KEYS, environment_name, for_shop, revoking};

/// The match of a namespace, as a text.
fn namespace_match(store: &ClusterStore, namespace: &str) -> String {
    match store.namespace_match(namespace) {
        NamespaceMatch::Ambiguous(names) => names
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(" and "),
        NamespaceMatch::None => "none".to_owned(),
        NamespaceMatch::To(environment) => environment.name.to_string(),
        NamespaceMatch::Unknown => "unknown".to_owned(),
        NamespaceMatch::InvalidSpec(name) => format!("{name}, unreadable"),
    }
}

#[test]
fn a_namespace_belongs_to_the_one_environment_that_names_or_selects_it() {
    let store = Given::default()
        .environment(
            "dev",
            json!({"namespaceSelector": {"matchLabels": {"stage": "dev"}}}),
        )
        .environment(
            "prod",
            json!({
                "namespaces": ["shop", "billing"],
                "namespaceSelector": {"matchExpressions": [
                    {"key": "stage", "operator": "In", "values": ["prod", "live"]},
                ]},
            }),
        )
        .environment(
            "broken",
            json!({"namespaceSelector": {"matchExpressions": [
                {"key": "stage", "operator": "Like", "values": ["p%"]},
            ]}}),
        )
        .namespace("shop", &[])
        .namespace("billing", &[("stage", "prod")])
        .namespace("claimed", &[("stage", "live")])
        .namespace("tests", &[("stage", "dev")])
        .namespace("default", &[("stage", "none")])
        .store();
    for (namespace, expected) in [
        ("shop", "prod"),
        ("billing", "prod"),
        ("claimed", "prod"),
        ("tests", "dev"),
        ("default", "none"),
        ("unseen", "unknown"),
    ] {
        assert_eq!(namespace_match(&store, namespace), expected, "{namespace}");
    }
}

#[test]
fn two_environments_that_claim_a_namespace_are_both_named() {
    let store = Given::default()
        .environment("all", json!({"namespaceSelector": {}}))
        .environment("prod", for_shop())
        .namespace("shop", &[])
        .namespace("default", &[])
        .store();
    assert_eq!(namespace_match(&store, "shop"), "all and prod");
    assert_eq!(namespace_match(&store, "default"), "all");
}

#[test]
fn an_invalid_environment_hides_no_other_and_keeps_its_namespaces() {
    let store = Given::default()
        .environment(
            "all",
            json!({"namespaceSelector": {"matchLabels": {"all": "yes"}}}),
        )
        .environment(
            "prod",
            json!({
                "namespaces": ["shop", "both"],
                "sealingKeys": {"cutoffTime": "2026-01-01T23:59:59+99:00"},
            }),
        )
        .sealing_key(0, "prod", "2026-01-01T00:00:00Z")
        .namespace("shop", &[])
        .namespace("both", &[("all", "yes")])
        .namespace("other", &[("all", "yes")])
        .store();
    assert_eq!(namespace_match(&store, "shop"), "prod, unreadable");
    assert_eq!(namespace_match(&store, "both"), "all and prod");
    assert_eq!(namespace_match(&store, "other"), "all");
    assert_eq!(store.environments().count(), 1);
}

/// States of an environment's keys by their index in the fixtures, newest first.
fn states(store: &ClusterStore, environment: &str) -> Vec<(usize, SealingKeyState)> {
    let environment = store.environment(&environment_name(environment)).unwrap();
    store
        .keys_of(environment)
        .iter()
        .map(|key| {
            let id = key.stored.id();
            (
                KEYS.iter()
                    .position(|sealing_key| sealing_key.id() == id)
                    .unwrap(),
                key.state,
            )
        })
        .collect()
}

#[test]
fn the_newest_key_is_active_and_the_ring_holds_all_of_its_environment() {
    let store =
        Given::prod_with_two_keys(for_shop(), ["2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"])
            .sealing_key(2, "dev", "2026-03-01T00:00:00Z")
            .store();
    assert_eq!(
        states(&store, "prod"),
        [(1, SealingKeyState::Active), (0, SealingKeyState::Retired)]
    );
    let ring = &store.environment(&environment_name("prod")).unwrap().ring;
    assert!(ring.holds(KEYS[0].id()) && ring.holds(KEYS[1].id()));
    assert!(!ring.holds(KEYS[2].id()));
}

#[test]
fn a_revoked_key_leaves_the_ring_and_an_older_one_does_not_come_back() {
    let store = Given::prod_with_two_keys(
        revoking(&[1]),
        ["2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"],
    )
    .store();
    assert_eq!(
        states(&store, "prod"),
        [(1, SealingKeyState::Revoked), (0, SealingKeyState::Retired)]
    );
    let ring = &store.environment(&environment_name("prod")).unwrap().ring;
    assert!(ring.holds(KEYS[0].id()) && !ring.holds(KEYS[1].id()));
}

#[test]
fn a_key_made_in_the_second_of_the_revoked_one_is_active() {
    let store = Given::prod_with_two_keys(
        revoking(&[1]),
        ["2026-02-01T00:00:00Z", "2026-02-01T00:00:00Z"],
    )
    .store();
    assert_eq!(
        states(&store, "prod"),
        [(0, SealingKeyState::Active), (1, SealingKeyState::Revoked)]
    );
}

#[test]
fn a_key_that_is_stored_twice_is_one_key() {
    for copied_at in ["2026-02-01T00:00:00Z", "2026-04-01T00:00:00Z"] {
        let copy = crate::fixtures::stored_key(0, "prod", copied_at);
        let store = Given::default()
            .environment("prod", json!({"namespaces": ["shop"]}))
            .sealing_key(0, "prod", "2026-02-01T00:00:00Z")
            .sealing_key(1, "prod", "2026-03-01T00:00:00Z")
            .key_secret("copy", KeySecret::Usable(copy))
            .store();
        assert_eq!(
            states(&store, "prod"),
            [(1, SealingKeyState::Active), (0, SealingKeyState::Retired)],
            "{copied_at}"
        );
    }
}

#[test]
fn an_unusable_key_secret_is_listed_and_ignored() {
    let store = Given::default()
        .environment("prod", for_shop())
        .sealing_key(0, "prod", "2026-02-01T00:00:00Z")
        .key_secret("junk", KeySecret::Unusable(UnusableKey::Mismatch))
        .store();
    assert_eq!(states(&store, "prod").len(), 1);
    let unusable: Vec<_> = store.unusable_keys().collect();
    assert_eq!(unusable, [("junk", &UnusableKey::Mismatch)]);
}

#[test]
fn only_what_differs_is_a_change() {
    let spec = || Ok(serde_json::from_value(for_shop()).unwrap());
    let mut store = ClusterStore::default();
    assert!(store.handle_environment(Event::Apply(("prod".to_owned(), spec()))));
    assert!(!store.handle_environment(Event::Apply(("prod".to_owned(), spec()))));
    assert!(!store.are_synced());
}
