use sealing::{FingerprintKey, Plaintext};
use serde_json::{Value, json};

use super::*;

/// An index of values by item, as `environment:namespace/name/item` and value.
fn index(values: &[(&str, &str)]) -> ValueIndex {
    let fingerprint_key = FingerprintKey::from_bytes(&[1; 32]).unwrap();
    let values = values.iter().map(|(path, value)| {
        let value = Plaintext::new(value.as_bytes().to_vec());
        (fingerprint_key.of_traced(&value).unwrap()[0], place(path))
    });
    ValueIndex::of(&values.collect::<Vec<_>>(), 0)
}

fn place(path: &str) -> ItemRef {
    path.parse().unwrap()
}

/// Groups of items, separated by spaces.
fn reused(values: &[(&str, &str)]) -> Vec<String> {
    let texts =
        |places: Vec<ItemRef>| -> Vec<String> { places.iter().map(ToString::to_string).collect() };
    let groups = index(values).reused().into_iter();
    let mut groups: Vec<_> = groups.map(|group| texts(group.places).join(" ")).collect();
    groups.sort();
    groups
}

#[test]
fn a_value_in_two_secrets_is_reused_and_twice_in_one_secret_it_is_not() {
    let (one, other) = ("correct horse", "battery staple");
    for (values, expected) in [
        (&[][..], &[][..]),
        (&[("prod:a/api/A", one), ("prod:b/api/A", other)], &[]),
        (&[("prod:a/api/A", one), ("prod:a/api/B", one)], &[]),
        (
            &[("prod:a/web/A", one), ("prod:a/api/A", one)],
            &["prod:a/api/A prod:a/web/A"],
        ),
        (
            &[("prod:a/api/A", one), ("dev:b/api/A", one)],
            &["dev:b/api/A prod:a/api/A"],
        ),
        (
            &[
                ("prod:a/api/A", one),
                ("prod:a/api/B", one),
                ("prod:b/api/A", one),
                ("prod:b/api/B", other),
                ("prod:c/api/A", other),
            ],
            &[
                "prod:a/api/A prod:a/api/B prod:b/api/A",
                "prod:b/api/B prod:c/api/A",
            ],
        ),
    ] {
        assert_eq!(reused(values), expected, "{values:?}");
    }
}

#[test]
fn a_value_is_found_in_all_secrets() {
    let index = index(&[
        ("prod:b/api/A", "correct horse"),
        ("dev:a/api/A", "correct horse"),
        ("prod:b/api/B", "battery staple"),
    ]);
    let fingerprint = index.values[0].fingerprint;
    let found = index.places_of(&[fingerprint], 2);
    assert_eq!(found.places, [place("dev:a/api/A"), place("prod:b/api/A")]);
    assert!(!found.is_cut());
    let cut = index.places_of(&[fingerprint], 1);
    assert_eq!((cut.places.len(), cut.count), (1, 2));
    assert_eq!(index.places_of(&[], 2).count, 0);
}

const PRESENT: &str = "0123456789abcdef";

fn taken(uid: &str, annotation: &Value, status: &Value) -> ValueIndex {
    let secret: PartialObjectMeta<Secret> = serde_json::from_value(json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": "api",
            "namespace": "shop",
            "uid": uid,
            "resourceVersion": "1",
            "annotations": {"sceau.dev/fingerprints": annotation.to_string()},
        },
    }))
    .unwrap();
    let object = serde_json::from_value(json!({
        "metadata": {"name": "api", "namespace": "shop"},
        "spec": {"environment": "prod", "scope": "strict", "seals": []},
        "status": status,
    }))
    .unwrap();
    let mut index = ValueIndex::default();
    index.add_secret(&secret, &object, Some(PRESENT));
    index
}

#[test]
fn only_written_secrets_count_and_those_without_fingerprints_are_unknown() {
    let value = json!({"fingerprint": "A".repeat(22), "since": "2026-01-01T00:00:00Z"});
    let good = json!({"key": PRESENT, "from": "2026-01-01T00:00:00Z", "items": {"A": value}});
    let none_fit = json!({"key": PRESENT, "from": "2026-01-01T00:00:00Z", "items": {}});
    let changed_since = json!({"secret": {"uid": "u", "resourceVersion": "0"}});
    let of_another_key =
        json!({"key": "fedcba9876543210", "from": "2026-01-01T00:00:00Z", "items": {"A": value}});
    let written = json!({"secret": {"uid": "u", "resourceVersion": "1"}});
    for (uid, annotation, status, values, unknown) in [
        ("u", &good, &written, 1, 0),
        ("of-another", &good, &written, 0, 0),
        ("u", &good, &json!({}), 0, 0),
        ("u", &of_another_key, &written, 0, 1),
        ("u", &Value::Null, &written, 0, 1),
        ("u", &none_fit, &written, 0, 1),
        ("u", &good, &changed_since, 0, 1),
    ] {
        let index = taken(uid, annotation, status);
        assert_eq!(index.values.len(), values, "{uid} {annotation}");
        assert_eq!(index.unknown, unknown, "{uid} {annotation}");
    }
    let index = taken("u", &good, &written);
    assert_eq!(index.place(&index.values[0]), place("prod:shop/api/A"));
}

#[test]
fn a_report_of_a_value_has_a_limited_number_of_items() {
    let paths: Vec<String> = (10..40).map(|n| format!("prod:shop/api-{n}/A")).collect();
    let values: Vec<_> = paths
        .iter()
        .map(|path| (path.as_str(), "correct horse"))
        .collect();
    let reported = index(&values).reused().remove(0);
    assert_eq!(
        (reported.places.len(), reported.count),
        (PLACES_OF_REUSED, 30)
    );
    assert_eq!(reported.places[0], place("prod:shop/api-10/A"));
}
