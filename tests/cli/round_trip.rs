//! What is sealed comes back byte for byte, whatever it is and whatever stands around it.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use proptest::prelude::*;

use crate::support::{TestKey, TestProject};

/// Texts that YAML readers like to take for something else.
const PLAIN: &str = "yes no on y 0123 1e3 1.10 0x1F 1_000 12:30 2001-01-01 ~ null : # - ' @a ` % !x &a *a | > { [ ] } , \
    ? = << true --- ... sceau:v1:AAAA 😀";
const ESCAPED: [&str; 17] = [
    "",
    " leading",
    "trailing ",
    ": ",
    "a: b",
    "a #b",
    "- a",
    "two\nlines",
    "ends\n",
    "\ttab",
    "\"",
    "\\",
    "\u{85}",
    "\u{2028}",
    "\u{feff}",
    "\u{7f}",
    "{{ .x }}",
];

fn awkward() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(PLAIN.split_whitespace().chain(ESCAPED).collect::<Vec<_>>())
            .prop_map(str::to_owned),
        any::<String>(),
    ]
}

/// What Kubernetes allows as a label's name and as its value.
fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z0-9]([-._a-zA-Z0-9]{0,20}[a-zA-Z0-9])?",
        prop::sample::select(vec!["on", "yes", "0123", "1e3", "null", "1.10", "true"])
            .prop_map(str::to_owned),
    ]
}

fn names() -> impl Strategy<Value = String> {
    prop_oneof![
        "[-._a-zA-Z0-9]{1,20}",
        prop::sample::select(vec![
            "on", "yes", "0123", "1e3", "null", "-", ".", "1.10", "true"
        ])
        .prop_map(str::to_owned),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn items_labels_and_annotations_survive_sealing_and_unsealing(
        items in prop::collection::btree_map(names(), prop::collection::vec(any::<u8>(), 0..60), 1..6),
        labels in prop::collection::btree_map(word(), word(), 0..4),
        annotations in prop::collection::btree_map(word(), awkward(), 0..4),
        format in prop::sample::select(vec!["yaml", "json"]),
    ) {
        let data: BTreeMap<_, _> =
            items.iter().map(|(name, bytes)| (name, STANDARD.encode(bytes))).collect();
        let secret = serde_json::json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "a", "namespace": "b", "labels": labels, "annotations": annotations},
            "type": "Opaque",
            "data": data,
        });
        let project = TestProject::new()
            .private_key("prod.key", TestKey::Prod)
            .file("secret.json", secret.to_string());
        let sealed = project.run(&format!("seal secret.json --environment prod -o {format}")).done();
        let project = project.file("sealed", sealed.stdout());
        let unsealed = project.run(&format!("unseal sealed --keys prod.key -o {format}")).done();

        let project = project.file("again", unsealed.stdout());
        let again = project.run("seal again --environment prod -o json").done();
        let again: serde_json::Value = serde_json::from_str(again.stdout()).unwrap();
        let found: serde_json::Value = match format {
            "json" => serde_json::from_str(unsealed.stdout()).unwrap(),
            _ => serde_saphyr::from_str(unsealed.stdout()).unwrap(),
        };
        prop_assert_eq!(&found["data"], &secret["data"]);
        for (part, texts) in [("labels", &labels), ("annotations", &annotations)] {
            let expected = serde_json::json!(texts);
            let kept = &again["spec"]["template"]["metadata"][part];
            prop_assert!(texts.is_empty() || *kept == expected, "{} {}", part, again);
        }
    }
}

#[test]
fn sealed_values_have_one_line() {
    let project = TestProject::new().file("value", "x".repeat(10_000));
    let outcome = project
        .run("seal --name a --namespace b --environment prod --from-file value")
        .done();
    let line = outcome
        .stdout()
        .lines()
        .find(|line| line.contains("value: sceau:v1:"))
        .unwrap();
    assert!(line.len() > 13_000, "{outcome}");
}
