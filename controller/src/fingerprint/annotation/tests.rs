use std::sync::LazyLock;

use super::*;
use crate::fixtures::{at, environment_name};

static KEY: LazyLock<Arc<FingerprintKey>> =
    LazyLock::new(|| Arc::new(FingerprintKey::generate().unwrap()));

const JANUARY: &str = "2026-01-01T00:00:00Z";
const MARCH: &str = "2026-03-01T00:00:00Z";
const MAY: &str = "2026-05-01T00:00:00Z";

/// The fingerprints of `A`, sealed at this time with this value, and the items that are unchanged.
fn sealed(
    value: &str,
    sealed_at: &str,
    found: Option<&Fingerprints>,
) -> (Fingerprints, Vec<UnchangedItem>) {
    let fingerprinting = Fingerprinting {
        fingerprint_key: Arc::clone(&KEY),
        found: found.cloned(),
        annotations: BTreeMap::new(),
        now: at(JANUARY),
    };
    fingerprint(&fingerprinting, &[("A", value)], sealed_at)
}

fn fingerprint(
    fingerprinting: &Fingerprinting,
    items: &[(&str, &str)],
    sealed_at: &str,
) -> (Fingerprints, Vec<UnchangedItem>) {
    let items: BTreeMap<_, _> = items
        .iter()
        .map(|(name, value)| {
            let value = Plaintext::new(value.as_bytes().to_vec());
            (ItemName::parse(*name).unwrap(), value)
        })
        .collect();
    let sealed_at = items.keys().map(|name| (name, at(sealed_at))).collect();
    let known = fingerprinting.fingerprint(OpenedItems {
        environment: &environment_name("prod"),
        place: &SecretRef::parse("shop", "api").unwrap(),
        items: &items,
        sealed_at: &sealed_at,
        annotations: &BTreeMap::new(),
    });
    let compared = known.compared(&sealed_at);
    let unchanged = compared
        .map(|compared| compared.unchanged)
        .unwrap_or_default();
    (known, unchanged)
}

fn since(known: &Fingerprints) -> String {
    known.items["A"].since.to_string()
}

fn items(unchanged: &[UnchangedItem]) -> Vec<(&str, &str)> {
    let unchanged = unchanged.iter();
    unchanged
        .map(|item| (item.item.as_str(), item.since.as_str()))
        .collect()
}

#[test]
fn a_value_that_is_sealed_again_is_as_old_as_it_was_and_a_new_one_is_new() {
    for (one, other) in [("correct horse", "battery staple"), ("1234", "5678")] {
        let (first, unchanged) = sealed(one, JANUARY, None);
        assert_eq!((since(&first).as_str(), unchanged), (JANUARY, vec![]));

        let (again, unchanged) = sealed(one, MARCH, Some(&first));
        assert_eq!(since(&again), JANUARY);
        assert_eq!(items(&unchanged), [("A", JANUARY)]);

        let (renewed, unchanged) = sealed(other, MAY, Some(&again));
        assert_eq!((since(&renewed).as_str(), unchanged), (MAY, vec![]));
    }
}

#[test]
fn an_older_manifest_brings_its_older_time() {
    let (first, _) = sealed("correct horse", MARCH, None);
    let (older, unchanged) = sealed("correct horse", JANUARY, Some(&first));
    assert_eq!((since(&older).as_str(), unchanged), (JANUARY, vec![]));
}

#[test]
fn what_another_fingerprint_key_knew_is_not_compared() {
    let (mut first, _) = sealed("correct horse", JANUARY, None);
    first.key_id = "0123456789abcdef".to_owned();
    let (again, unchanged) = sealed("correct horse", MARCH, Some(&first));
    assert_eq!((since(&again).as_str(), unchanged), (MARCH, vec![]));
}

#[test]
fn an_annotation_is_read_as_it_was_written_and_anything_else_is_none() {
    let annotations = |text: String| [(FINGERPRINTS_ANNOTATION.to_owned(), text)].into();
    let (known, _) = sealed("correct horse", JANUARY, None);
    let read = Fingerprints::of(&annotations(known.to_annotation()));
    assert_eq!(read, Some(known));
    for bad in ["", "{}", "[]", r#"{"key":"a","items":{"A":"b"}}"#] {
        assert_eq!(
            Fingerprints::of(&annotations(bad.to_owned())),
            None,
            "{bad}"
        );
    }
    assert_eq!(Fingerprints::of(&BTreeMap::new()), None);
}

#[test]
fn an_empty_value_has_no_fingerprint_and_what_does_not_fit_is_left_out_as_a_whole() {
    let fingerprints = |taken| {
        let fingerprinting = Fingerprinting {
            fingerprint_key: Arc::clone(&KEY),
            found: None,
            annotations: [("other".to_owned(), taken)].into(),
            now: at(JANUARY),
        };
        let items = [("A", "correct horse"), ("B", "battery staple"), ("C", "")];
        fingerprint(&fingerprinting, &items, JANUARY).0
    };
    let all = fingerprints(0);
    assert_eq!(all.items.keys().collect::<Vec<_>>(), ["A", "B"]);
    let own = FINGERPRINTS_ANNOTATION.len() + all.to_annotation().len();
    assert_eq!(fingerprints(LARGEST_ANNOTATIONS - own), all);
    let none = fingerprints(LARGEST_ANNOTATIONS - own + 1);
    assert!(none.items.is_empty());
    assert_eq!(none.compared(&BTreeMap::new()), None);
    assert_eq!(none.key_id, all.key_id);
}

#[test]
fn the_templates_annotations_take_the_place_of_those_that_stand_there() {
    let annotations = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        let pairs = pairs.iter();
        pairs
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    };
    let fingerprinting = Fingerprinting {
        fingerprint_key: Arc::clone(&KEY),
        found: None,
        annotations: annotation_bytes(&annotations(&[
            ("abc", "de"),
            ("of-others", "1"),
            (FINGERPRINTS_ANNOTATION, "12345"),
        ])),
        now: at(JANUARY),
    };
    let template = annotations(&[("abc", "defg")]);
    assert_eq!(fingerprinting.taken_beside(&template), 7 + 10);
}

#[test]
fn it_is_known_since_when_values_are_compared() {
    let fingerprint_at = |now: &str, found: Option<&Fingerprints>| {
        let fingerprinting = Fingerprinting {
            fingerprint_key: Arc::clone(&KEY),
            found: found.cloned(),
            annotations: BTreeMap::new(),
            now: at(now),
        };
        fingerprint(&fingerprinting, &[("A", "correct horse")], JANUARY).0
    };
    let first = fingerprint_at(MARCH, None);
    assert_eq!(first.from, at(MARCH));
    assert_eq!(fingerprint_at(MAY, Some(&first)).from, at(MARCH));
    let of_another_key = Fingerprints {
        key_id: "another".to_owned(),
        ..first
    };
    assert_eq!(fingerprint_at(MAY, Some(&of_another_key)).from, at(MAY));
}
