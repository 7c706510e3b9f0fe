//! `--from-env-file`: what every dotenv reader reads alike is read, the rest is refused.

use insta::assert_snapshot;
use proptest::prelude::*;

use crate::support::{Outcome, TestKey, TestProject};

fn seal(text: &str) -> (TestProject, Outcome) {
    let project = TestProject::new()
        .file(".env", text)
        .private_key("prod.key", TestKey::Prod);
    let outcome =
        project.run("seal --name db --namespace shop --environment prod --from-env-file .env");
    (project, outcome)
}

/// The items that a dotenv file gives, or nothing when it is refused.
fn items(text: &str) -> Option<Vec<(String, String)>> {
    let (project, outcome) = seal(text);
    if outcome.code != 0 {
        outcome.refused(1);
        return None;
    }
    let project = project.file("sealed.yaml", outcome.stdout());
    let json = project
        .run("unseal sealed.yaml --keys prod.key -o json")
        .done();
    let secret: serde_json::Value = serde_json::from_str(json.stdout()).unwrap();
    let items = secret["data"].as_object().unwrap().iter();
    let decode = |value: &serde_json::Value| {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        String::from_utf8(STANDARD.decode(value.as_str().unwrap()).unwrap()).unwrap()
    };
    Some(
        items
            .map(|(name, value)| (name.clone(), decode(value)))
            .collect(),
    )
}

#[track_caller]
fn check(line: &str, expected: &str) {
    assert_eq!(
        items(line),
        Some(vec![("A".to_owned(), expected.to_owned())]),
        "{line}"
    );
}

#[test]
fn plain_values_are_literal() {
    check("A=b", "b");
    check("\u{feff}A=b\r\n", "b");
    check("  export  A=b", "b");
    check("# c\n\nA=", "");
    check("A=a=b==", "a=b==");
    check("A=a b", "a b");
    check("A=a#b", "a#b");
    check("A=100$", "100$");
    check("A='a $B \\n \" #'", "a $B \\n \" #");
    check("A='b'  # comment", "b");
    check(r#"A="a\n\t\"\\\$B 'x' $""#, "a\n\t\"\\$B 'x' $");
    check("A=\"é😀\"", "é😀");
}

#[test]
fn ambiguous_lines_are_rejected_with_their_number_and_without_their_value() {
    for line in [
        "A = hunter2",
        "A= hunter2",
        "A =hunter2",
        "A=hunter2 ",
        "A=hunter2 # c",
        "A=#hunter2",
        "A=hunt'er2",
        "A=hunter\"2\"",
        "A=`hunter2`",
        "A=hunter2\\n",
        "A=$hunter2",
        "A=${hunter2}",
        "A=$(hunter2)",
        "A=\"$hunter2\"",
        "A='hunter2",
        "A=\"hunter2",
        "A='hunter2'x",
        "A=\"hunter2\\x\"",
        "A='hunter2'#c",
        "hunter2",
        "hunter 2=x",
        "2hunter2=x",
        "=hunter2",
        "A=a$$hunter2",
    ] {
        let (_, outcome) = seal(&format!("# first\n{line}\n"));
        assert!(outcome.stderr().contains(".env:2: "), "{line}: {outcome}");
        assert!(!outcome.stderr().contains("hunter"), "{line}: {outcome}");
        outcome.refused(1);
    }
}

#[test]
fn an_error_names_the_line_and_the_way_out() {
    assert_snapshot!(seal("A=b\nB=$C\n").1, @"
    exit 1
    stderr:
      error: .env:2: `$` is ambiguous: some readers replace a variable here
      hint: put the value in single quotes to keep it unchanged
    files: unchanged
    ");
    assert_snapshot!(seal("A=b\n\nA=c\n").1, @"
    exit 1
    stderr:
      error: .env:3: `A` is already set in line 1
    files: unchanged
    ");
    assert_snapshot!(seal("A='-----BEGIN\n").1, @"
    exit 1
    stderr:
      error: .env:1: the line has no closing quote
      hint: read a value of several lines from a file: `--from-file NAME=PATH`
    files: unchanged
    ");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_text_without_a_single_quote_survives_in_single_quotes(value in "[^'\r\n]{0,40}") {
        prop_assert_eq!(items(&format!("A='{value}'\n")), Some(vec![("A".to_owned(), value)]));
    }

    #[test]
    fn every_text_survives_in_double_quotes_when_it_is_escaped(value in any::<String>()) {
        let escaped: String = value
            .chars()
            .map(|c| match c {
                '\n' => "\\n".to_owned(),
                '\r' => "\\r".to_owned(),
                '"' | '\\' | '$' => format!("\\{c}"),
                other => other.to_string(),
            })
            .collect();
        prop_assert_eq!(items(&format!("A=\"{escaped}\"\n")), Some(vec![("A".to_owned(), value)]));
    }

    #[test]
    fn no_line_is_echoed_and_none_makes_it_crash(line in "[A-Z]{0,2}[ =]{0,2}[\\x20-\\x7e]{0,20}") {
        let (_, outcome) = seal(&format!("{line}\n"));
        prop_assert!(outcome.code <= 1);
    }
}
