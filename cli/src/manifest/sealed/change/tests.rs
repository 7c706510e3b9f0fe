use sealing::resource::WrappedFileKey;

use super::*;
use crate::manifest::{locate, split, yaml::deserializer};

fn recipient(id: char, wrapped: &str) -> WrappedFileKey {
    WrappedFileKey {
        key_id: format!("sha256:{}", String::from(id).repeat(64)),
        suite: "RSA-OAEP-SHA256".to_owned(),
        wrapped: format!("sceau:v1:{wrapped}"),
    }
}

/// A text with `ID`, `SUITE` and `WRAPPED` for its one recipient.
fn text(template: &str, id: char, wrapped: &str) -> String {
    let WrappedFileKey {
        key_id,
        suite,
        wrapped,
    } = recipient(id, wrapped);
    template
        .replace("ID", &key_id)
        .replace("SUITE", &suite)
        .replace("WRAPPED", &wrapped)
}

fn replaced_all(text: &str, new: &[WrappedFileKey]) -> Result<String, Fault> {
    let located: Vec<_> = locate("a.yaml", text)
        .into_iter()
        .map(Result::unwrap)
        .collect();
    let replacements: Vec<_> = located
        .iter()
        .map(|object| Replacement {
            object,
            part: Part::Recipients(0, new.to_vec()),
        })
        .collect();
    replaced(text, &replacements).map(|text| text.to_string())
}

const HEAD: &str =
    "apiVersion: sceau.dev/v1alpha1\nkind: SealedSecret\nmetadata: {name: a, namespace: b}\n";

/// Everything before and behind the recipients, in awkward ways of writing.
fn manifests() -> Vec<String> {
    let seal = "sealedAt: \"2026-11-21T09:30:00Z\", commitment: c, items: {}";
    let block = |recipients: &str| {
        format!(
            "{HEAD}spec:\n  environment: prod # é\n  scope: strict\n  seals:\n  - sealedAt: \"2026-11-21T09:30:00Z\"\n    commitment: 'c'\n    recipients: # r\n{recipients}\n    items: {{}} # end\n"
        )
    };
    let mut manifests = vec![
        block("    - keyId: ID # one\n      # two\n      suite:   SUITE\n      wrapped: \"WRAPPED\"\n"),
        block("      -   wrapped: 'WRAPPED'\n          suite: SUITE\n          keyId: ID"),
        block("      - {wrapped: WRAPPED, suite: \"SUITE\", keyId: 'ID'} # one"),
        block("      [{wrapped: WRAPPED, suite: \"SUITE\", keyId: 'ID'}] # one"),
        block("      - keyId: >-\n          ID\n        suite: |-\n          SUITE\n        # x\n        wrapped:\n          WRAPPED\n\n"),
        block("      - !!map\n        keyId: &id !!str ID\n        suite: SUITE\n        wrapped: |-\n          WRAPPED\n"),
        format!(
            "{HEAD}spec: {{environment: prod, scope: strict, seals: [{{{seal}, recipients: [\n  {{keyId: ID, suite: SUITE,\n   wrapped: WRAPPED}}\n]}}]}}"
        ),
        "{\"apiVersion\":\"sceau.dev/v1alpha1\",\"kind\":\"SealedSecret\",\"metadata\":{\"name\":\"\u{7f}\u{2028}\"},\"spec\":{\"environment\":\"prod\",\"scope\":\"strict\",\"seals\":[{\"sealedAt\":\"x\",\"commitment\":\"c\",\"items\":{},\"recipients\":[{\"keyId\":\"ID\",\"suite\":\"SUITE\",\"wrapped\":\"WRAPPED\"}]}]}}".to_owned(),
    ];
    let more: Vec<_> = manifests
        .iter()
        .flat_map(|it| {
            [
                format!("# first\nkind: A\n---\n{it}\n---\nkind:   'B' # last"),
                format!("\u{feff}---  # here\n{it}"),
                it.replace('\n', "\r\n"),
                format!("{it}\n...\n"),
            ]
        })
        .filter(|it| !it.contains("\"kind\":"))
        .collect();
    manifests.extend(more);
    manifests.push(format!(
        "apiVersion: v1\nkind: List\nitems:\n- kind: X\n- {}",
        manifests[0].replace('\n', "\n  ").trim_end()
    ));
    manifests
}

#[test]
fn as_many_recipients_change_nothing_but_their_scalars() {
    for manifest in manifests() {
        let before = text(&manifest, 'a', "AAAA");
        let after = replaced_all(&before, &[recipient('b', "BBBBBBBB")]);
        let after = after.unwrap_or_else(|problem| panic!("{problem}\n{before}"));
        let values = |text: &str| {
            let mut rest = text.to_owned();
            for part in [&recipient('a', "AAAA"), &recipient('b', "BBBBBBBB")] {
                rest = rest
                    .replace(&part.key_id, "ID")
                    .replace(&part.wrapped, "WRAPPED");
            }
            rest
        };
        let in_blocks =
            manifest.contains(">-\n") || manifest.contains(">-\r\n") || manifest.contains("|-");
        if !in_blocks {
            assert_eq!(values(&before), values(&after), "{manifest}");
        }
        let again = replaced_all(&after, &[recipient('b', "BBBBBBBB")]).unwrap();
        assert_eq!(again, after, "a second time changes nothing");
    }
}

#[test]
fn more_or_fewer_recipients_replace_the_block_and_nothing_around_it() {
    let [a, b, c] = ['a', 'b', 'c'].map(|id| recipient(id, "BBBB"));
    for manifest in manifests() {
        let one = text(&manifest, 'a', "BBBB");
        let three = replaced_all(&one, &[a.clone(), b.clone(), c.clone()]);
        let three = three.unwrap_or_else(|problem| panic!("{problem}\n{one}"));
        if manifest.contains("\r\n") && !manifest.contains("recipients: [") {
            assert_eq!(three.matches('\n').count(), three.matches("\r\n").count());
        }
        let back = replaced_all(&three, std::slice::from_ref(&a)).unwrap();
        let reads = |text: &str| {
            let documents = split(text);
            let roots = documents.iter().map(|it| it.parse().ok());
            roots
                .map(|root| deserializer::read::<serde_json::Value>(&root.unwrap()).unwrap())
                .collect::<Vec<_>>()
        };
        assert_eq!(reads(&back), reads(&one), "{manifest}");
        for line in one
            .lines()
            .filter(|it| it.contains("kind") && !it.contains("ID"))
        {
            if !line.contains("recipients\"") {
                assert!(three.contains(line), "{line}\n{three}");
            }
        }
    }
}

#[test]
fn a_block_is_written_in_the_style_it_had() {
    let block = text(&manifests()[1], 'a', "AAAA");
    let after = replaced_all(&block, &[recipient('a', "AAAA"), recipient('b', "BBBB")]).unwrap();
    let expected = "    recipients: # r
      -   wrapped: 'sceau:v1:AAAA'
          suite: RSA-OAEP-SHA256
          keyId: sha256:ID1
      -   keyId: sha256:ID2
          suite: RSA-OAEP-SHA256
          wrapped: sceau:v1:BBBB
    items: {} # end
"
    .replace("ID1", &"a".repeat(64))
    .replace("ID2", &"b".repeat(64));
    assert!(after.ends_with(&expected), "{after}");

    let json = "{\n    \"apiVersion\": \"sceau.dev/v1alpha1\",\n    \"kind\": \"SealedSecret\",\n    \"metadata\": {},\n    \"spec\": {\"environment\": \"e\", \"scope\": \"strict\", \"seals\": [{\"sealedAt\": \"x\", \"commitment\": \"c\", \"items\": {},\n        \"recipients\": [\n            {\n                \"keyId\": \"ID\",\n                \"suite\": \"SUITE\",\n                \"wrapped\": \"WRAPPED\"\n            }\n        ]\n    }]}\n}\n";
    let one = text(json, 'a', "AAAA");
    let two = replaced_all(&one, &[recipient('a', "AAAA"), recipient('b', "BBBB")]).unwrap();
    assert!(
        two.contains("            },\n            {\n                \"keyId\": \"sha256:bbb"),
        "{two}"
    );
    assert_eq!(replaced_all(&two, &[recipient('a', "AAAA")]).unwrap(), one);
}

#[test]
fn what_stands_elsewhere_by_an_alias_is_refused() {
    let template = format!(
        "{HEAD}spec:\n  environment: prod\n  scope: strict\n  seals:\n  - sealedAt: x\n    commitment: c\n    recipients: &r\n    - {{keyId: ID, suite: SUITE, wrapped: WRAPPED}}\n    items: {{}}\n  - sealedAt: x\n    commitment: c\n    recipients: *r\n    items: {{}}\n"
    );
    let one = text(&template, 'a', "AAAA");
    assert!(replaced_all(&one, &[recipient('b', "BBBB")]).is_err());
    assert!(replaced_all(&one, &[recipient('a', "AAAA"), recipient('b', "BBBB")]).is_err());
}

#[test]
fn only_what_may_be_a_sealed_secret_is_looked_at() {
    let template = "kind: SealedSecret\nname: {{ .Values.name }}\n---\nname: {{ .x }}\n---\n- SealedSecret\n---\nkind: SealedSecret\napiVersion: else.dev/v1\n";
    let found = locate("a.yaml", template);
    assert_eq!(found.len(), 1);
    let unreadable = found.into_iter().next().unwrap().unwrap_err();
    assert_eq!(unreadable.origin.line, 2);
    assert!(
        unreadable.problem.contains("template"),
        "{}",
        unreadable.problem
    );
}
