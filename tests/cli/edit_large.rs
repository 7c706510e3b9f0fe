//! Editing large files: everything before and after the edited lines stays byte for byte.

use std::fmt::Write as _;

use crate::{seal_manifests::SECRET, support::TestProject};

const FILE: &str = "deploy/api/prod/all.yaml";

/// Asserts that `after` is `before` with one stretch of lines replaced, which stood after
/// `start`, and that what came holds this many lines.
#[track_caller]
fn one_stretch_differs(before: &str, after: &str, start: usize, added: usize) {
    let head = before
        .bytes()
        .zip(after.bytes())
        .take_while(|(b, a)| b == a)
        .count();
    let tail = before
        .bytes()
        .rev()
        .zip(after.bytes().rev())
        .take_while(|(b, a)| b == a)
        .count();
    assert!(head > start, "the first difference stands at {head}");
    assert!(head + tail >= before.len(), "nothing was taken out");
    let new = after.matches('\n').count() - before.matches('\n').count();
    assert_eq!(new, added);
}

fn sealed() -> String {
    let project = TestProject::new().stdin(SECRET);
    project
        .run("seal --environment prod")
        .done()
        .stdout()
        .to_owned()
}

#[test]
fn five_megabytes_of_other_documents_stay() {
    let mut before = String::new();
    let mut start = 0;
    for number in 0..2_000 {
        if number == 1_200 {
            start = before.len();
            before.push_str(&sealed());
            before.push_str("---\n");
        }
        let _ = writeln!(
            before,
            "# {number}\nkind:   ConfigMap\ndata: {{a: 'x'}}\nmore: |"
        );
        for line in 0..40 {
            let _ = writeln!(before, "  {line}\t{:\u{2003}>50}", "{{ not a template");
        }
        before.push_str("--- # next\n");
    }
    assert!(before.len() > 5_000_000, "{} bytes", before.len());
    let project = TestProject::new().file(FILE, &before).stdin("v");
    let outcome = project
        .run(&format!("set {FILE} token --from-stdin"))
        .done();
    one_stretch_differs(&before, outcome.file(FILE), start, 8);
}

#[test]
fn one_of_two_thousand_sealed_secrets_is_edited() {
    let sealed = sealed();
    let named = |number: usize| sealed.replace("name: api", &format!("name: api-{number}"));
    let documents: Vec<String> = (0..2_000).map(named).collect();
    let before = documents.join("---\r\n");
    let start = documents[..777].iter().map(|it| it.len() + 5).sum();
    let project = TestProject::new().file(FILE, &before).stdin("v");
    let outcome = project
        .run(&format!("set {FILE} token --from-stdin --name api-777"))
        .done();
    one_stretch_differs(&before, outcome.file(FILE), start, 8);
}
