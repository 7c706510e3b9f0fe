//! Damaged input of every kind ends in an answer: done, or refused without output.

use proptest::prelude::*;

use crate::{
    seal_manifests::SECRET,
    support::{TestKey, TestProject},
};

const LIST: &str = "apiVersion: v1\nkind: List\nitems:\n- &a {apiVersion: v1, kind: Secret, metadata: {name: a, namespace: b}, data: {a: YQ==}}\n- *a\n---\n{\"kind\": \"ConfigMap\"}\n{\"kind\": \"Secret\"}\n";

/// What a damaged place is replaced by: bytes that mean something to YAML, JSON or base64.
const FRAGMENTS: [&str; 24] = [
    "", " ", "\n", "\t", ":", ": ", "- ", "---\n", "{", "}", "[", "]", "\"", "'", "\\u0000", "&a ",
    "*a", "!!x ", "|\n", "<<: ", "\u{feff}", "\u{0}", "\u{85}", "=",
];

/// One of the seeds with up to four places damaged.
fn damaged() -> impl Strategy<Value = String> {
    let seeds = vec![
        SECRET.to_owned(),
        LIST.to_owned(),
        include_str!("../vectors/sealed-strict.yaml").to_owned(),
        include_str!("../vectors/sealed-template.json").to_owned(),
        sealed(),
    ];
    let damage = (
        any::<prop::sample::Index>(),
        0..20_usize,
        prop::sample::select(&FRAGMENTS[..]),
    );
    (
        prop::sample::select(seeds),
        prop::collection::vec(damage, 1..5),
    )
        .prop_map(|(seed, damages)| {
            damages
                .into_iter()
                .fold(seed, |text, (at, length, fragment)| {
                    let characters: Vec<char> = text.chars().collect();
                    let start = at.index(characters.len() + 1);
                    let end = (start + length).min(characters.len());
                    let (head, tail) = (&characters[..start], &characters[end..]);
                    head.iter()
                        .copied()
                        .chain(fragment.chars())
                        .chain(tail.iter().copied())
                        .collect()
                })
        })
}

fn sealed() -> String {
    let project = TestProject::new().stdin(SECRET);
    project
        .run("seal --environment prod")
        .done()
        .stdout()
        .to_owned()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn damaged_manifests_are_answered(text in damaged()) {
        let project = TestProject::new()
            .private_key("prod.key", TestKey::Prod)
            .file("deploy/api/prod/a.yaml", &text)
            .stdin(&text);
        for line in [
            "seal --environment prod",
            "inspect",
            "unseal --keys prod.key",
            "unseal --keys deploy/api/prod/a.yaml",
            "certificate show -",
            "seal --in-place deploy/api/prod/a.yaml",
        ] {
            let outcome = project.run(line);
            prop_assert!(outcome.code <= 1, "{outcome}");
            prop_assert!(outcome.code == 0 || outcome.stdout.is_empty(), "{outcome}");
            prop_assert!(outcome.code == 0 || outcome.changed_files().is_empty(), "{outcome}");
        }
    }

    #[test]
    fn damaged_project_files_are_answered(
        at in any::<prop::sample::Index>(),
        fragment in prop::sample::select(&FRAGMENTS[..]),
    ) {
        let project = TestProject::new().stdin(SECRET);
        let mut text = project.text("sceau.yaml");
        text.insert_str(at.index(text.len() + 1), fragment);
        let outcome = project.file("sceau.yaml", text).run("seal --environment prod");
        prop_assert!(outcome.code <= 1, "{outcome}");
    }
}
