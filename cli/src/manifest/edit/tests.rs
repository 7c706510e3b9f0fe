use super::*;
use crate::manifest::Syntax;

type Wish<'a> = (&'a str, Operation<'a>);

/// Makes edits, whose paths are written as `a.0.b`.
fn made(text: &str, wishes: &[Wish<'_>]) -> Option<String> {
    let edits = wishes.iter().map(|(path, operation)| Edit {
        document: 0,
        path: path
            .split('.')
            .filter(|step| !step.is_empty())
            .map(step)
            .collect(),
        operation: operation.clone(),
    });
    let edits: Vec<Edit<'_>> = edits.collect();
    edit(text, &edits).ok().map(|text| text.to_string())
}

fn step(written: &str) -> Step<'_> {
    written.parse().map_or(Step::Field(written), Step::Index)
}

fn set(text: &str) -> Operation<'static> {
    Operation::Set(New::Text(text.to_owned()))
}

fn append(text: &str) -> Operation<'static> {
    Operation::Append(New::Text(text.to_owned()))
}

#[track_caller]
fn check(before: &str, wishes: &[Wish<'_>], expected: &str) {
    for break_ in ["\n", "\r\n"] {
        let [before, expected] = [before, expected].map(|text| text.replace('\n', break_));
        assert_eq!(
            made(&before, wishes).as_deref(),
            Some(expected.as_str()),
            "{before}"
        );
    }
}

#[track_caller]
fn refused(text: &str, wishes: &[Wish<'_>]) {
    assert_eq!(made(text, wishes), None);
}

const KYAML: &str = "---\n{\n  a: { # about a\n    # first\n    x: \"1\", # one\n    y: \"2\",\n    # last\n  },\n  b: [{\n    c: \"3\",\n  }, {\n    c: \"4\",\n  }],\n  e: {},\n}\n";

#[test]
fn kyaml_gets_lines_as_its_own() {
    check(
        KYAML,
        &[("a.z", set("9"))],
        &KYAML.replace("    y: \"2\",\n", "    y: \"2\",\n    z: \"9\",\n"),
    );
    check(
        KYAML,
        &[("e.z", set("9"))],
        &KYAML.replace("e: {}", "e: {\n    z: \"9\",\n  }"),
    );
    let element = New::Mapping(vec![("c".to_owned(), New::Text("5".to_owned()))]);
    check(
        KYAML,
        &[("b", Operation::Append(element))],
        &KYAML.replace("  }],", "  }, {\n    c: \"5\",\n  }],"),
    );
}

#[test]
fn kyaml_loses_lines_and_keeps_comments() {
    check(
        KYAML,
        &[("a.x", Operation::Remove)],
        &KYAML.replace("    x: \"1\", # one\n", ""),
    );
    check(
        KYAML,
        &[("a", Operation::Remove)],
        &KYAML.replace(
            "  a: { # about a\n    # first\n    x: \"1\", # one\n    y: \"2\",\n    # last\n  },\n",
            "    # first\n    # last\n",
        ),
    );
    check(
        KYAML,
        &[("b.0", Operation::Remove)],
        &KYAML.replace("{\n    c: \"3\",\n  }, ", ""),
    );
    check(
        KYAML,
        &[("b.1", Operation::Remove)],
        &KYAML.replace(", {\n    c: \"4\",\n  }", ""),
    );
    check(
        KYAML,
        &[("b.0.c", Operation::Remove)],
        &KYAML.replace("{\n    c: \"3\",\n  }", "{}"),
    );
}

#[test]
fn elements_between_comments_are_edited() {
    let text = "[{\n  a: 1,\n}, # one\n# two\n{\n  a: 2,\n}, # three\n{\n  a: 3,\n}, # four\n]\n";
    check(
        text,
        &[("0", Operation::Remove)],
        "[\n# two\n{\n  a: 2,\n}, # three\n{\n  a: 3,\n}, # four\n]\n",
    );
    check(
        text,
        &[("1", Operation::Remove)],
        "[{\n  a: 1,\n}, # one\n# two\n{\n  a: 3,\n}, # four\n]\n",
    );
    check(
        text,
        &[("", append("x"))],
        &text.replace("# four\n", "# four\n\"x\",\n"),
    );
    check(
        "{ a: 1, # one\n  b: 2 }\n",
        &[("b", Operation::Remove)],
        "{ a: 1 # one\n   }\n",
    );
    check(
        "{ a: 1, # one\n  b: 2 }\n",
        &[("a", Operation::Remove)],
        "{ # one\n  b: 2 }\n",
    );
}

#[test]
fn json_never_gets_a_trailing_comma() {
    let text = "{\n\t\"a\": {\n\t\t\"x\": 1,\n\t\t\"y\": 2\n\t},\n\t\"b\": []\n}\n";
    check(
        text,
        &[("a.z", set("9")), ("b", append("1"))],
        "{\n\t\"a\": {\n\t\t\"x\": 1,\n\t\t\"y\": 2,\n\t\t\"z\": \"9\"\n\t},\n\t\"b\": [\n\t\t\"1\"\n\t]\n}\n",
    );
    check(
        text,
        &[("a.y", Operation::Remove)],
        "{\n\t\"a\": {\n\t\t\"x\": 1\n\t},\n\t\"b\": []\n}\n",
    );
    check(
        text,
        &[("a.x", Operation::Remove), ("a.y", Operation::Remove)],
        "{\n\t\"a\": {},\n\t\"b\": []\n}\n",
    );
    check(
        text,
        &[("a.y", Operation::Remove), ("a.z", set("9"))],
        "{\n\t\"a\": {\n\t\t\"x\": 1,\n\t\t\"z\": \"9\"\n\t},\n\t\"b\": []\n}\n",
    );
    check(
        "{\"a\":[1,2]}",
        &[("a.1", Operation::Remove)],
        "{\"a\":[1]}",
    );
    check(
        "{\"a\":[1]}",
        &[("a.0", Operation::Remove), ("a", append("x"))],
        "{\"a\":[\"x\"]}",
    );
    check(
        "{\"a\":{\"b\":\"\u{7f}\u{2028}\"}}",
        &[("a.c", set("x"))],
        "{\"a\":{\"b\":\"\u{7f}\u{2028}\",\"c\":\"x\"}}",
    );
    assert_eq!(split("{\"a\":1}")[0].syntax, Syntax::Json);
}

#[test]
fn elements_are_replaced_all_at_once() {
    let new = |name: &str| New::Mapping(vec![("id".to_owned(), New::Text(name.to_owned()))]);
    let wishes = [
        ("a.0", Operation::Remove),
        ("a.1", Operation::Remove),
        ("a", Operation::Append(new("c"))),
        ("a", Operation::Append(new("d"))),
    ];
    check(
        "a: # all\n- id: a # a\n  # own\n- id: b\nz: 1\n",
        &wishes,
        "a: # all\n  # own\n- id: c\n- id: d\nz: 1\n",
    );
    check(
        "a: [{id: a}, {id: b}]\n",
        &wishes,
        "a: [{id: \"c\"}, {id: \"d\"}]\n",
    );
    check(
        "a: [{\n  id: a,\n}, {\n  id: b,\n}]\n",
        &wishes,
        "a: [{\n  id: \"c\",\n}, {\n  id: \"d\",\n}]\n",
    );
    check(
        "a: [\n  {id: a},\n  {id: b}\n]\n",
        &wishes,
        "a: [\n  {id: \"c\"},\n  {id: \"d\"}\n]\n",
    );
}

#[test]
fn a_block_that_loses_its_last_line_stays_a_collection() {
    check(
        "a: # c\n  b: 1\nd: 2\n",
        &[("a.b", Operation::Remove)],
        "a: {} # c\nd: 2\n",
    );
    check(
        "a:\n- b\nd: 2\n",
        &[("a.0", Operation::Remove)],
        "a: []\nd: 2\n",
    );
    check(
        "a: &x\n  b: 1\n",
        &[("a.c", set("v"))],
        "a: &x\n  b: 1\n  c: v\n",
    );
    refused("a: &x\n  b: 1\n", &[("a.b", Operation::Remove)]);
}

#[test]
fn names_and_scalars_keep_their_quotes() {
    check(
        "'a': 'x'\n\"b\": \"y\"\nc: z\n",
        &[("a", set("it's")), ("b", set("a\"b")), ("c", set("12"))],
        "'a': 'it''s'\n\"b\": \"a\\\"b\"\nc: \"12\"\n",
    );
    check(
        "'a': 1\n\"b\": 2\nc: 3\n",
        &[
            ("a", Operation::Rename("A")),
            ("b", Operation::Rename("B")),
            ("c", Operation::Rename("on")),
        ],
        "'A': 1\n\"B\": 2\n\"on\": 3\n",
    );
    check(
        "a: |\n  x\n  y\nb: >-\n  z\n",
        &[("a", set("new")), ("b", set("new"))],
        "a: |\n  new\nb: >-\n  new\n",
    );
    check("{a:, b: c}\n", &[("a", set("x"))], "{a: \"x\", b: c}\n");
    refused("{a, b: c}\n", &[("a", set("x"))]);
}

#[test]
fn only_the_line_of_the_field_changes() {
    let left = [(
        "people.alice.left",
        Operation::Set(New::Plain("2026-06-01".to_owned())),
    )];
    check(
        "# who\npeople:\n  alice: {operates: [a], left: null} # c\n  bob: {}\n",
        &left,
        "# who\npeople:\n  alice: {operates: [a], left: 2026-06-01} # c\n  bob: {}\n",
    );
    check(
        "people:\n  \"alice\":\n    left:   # not yet\n    operates: [a]\n",
        &left,
        "people:\n  \"alice\":\n    left: 2026-06-01   # not yet\n    operates: [a]\n",
    );
    check(
        "people: {alice: {}}\n",
        &left,
        "people: {alice: {left: 2026-06-01}}\n",
    );
    check(
        "people: {alice: {left: '2026-01-01'}}",
        &left,
        "people: {alice: {left: 2026-06-01}}",
    );
    check(
        "people:\n  alice:\n    operates:\n    - a # c\n\n  bob: {}\n",
        &left,
        "people:\n  alice:\n    operates:\n    - a # c\n    left: 2026-06-01\n\n  bob: {}\n",
    );
    check(
        "people:\n  alice:\n    operates: [a]",
        &left,
        "people:\n  alice:\n    operates: [a]\n    left: 2026-06-01",
    );
    for text in [
        "people: {alice: &a {}, bob: *a}\n",
        "people: {bob: &b {}, alice: *b}\n",
        "people: {alice: {left: {}}}\n",
        "people: {alice: null}\n",
        "{\"people\": {\"alice\": {}}}\n",
        "people: {}\n",
    ] {
        refused(text, &left);
    }
}

#[test]
fn several_fields_of_elements_are_set_at_once() {
    let quoted = || Operation::Set(New::Quoted("x".to_owned()));
    check(
        "items:\n- a: 1\n  b: [2]\n- a: null\nclosed: null\n",
        &[
            ("items.1.a", quoted()),
            ("items.0.c", quoted()),
            ("items.0.d", quoted()),
        ],
        "items:\n- a: 1\n  b: [2]\n  c: \"x\"\n  d: \"x\"\n- a: \"x\"\nclosed: null\n",
    );
}

#[test]
fn what_is_meant_twice_or_not_there_is_refused() {
    refused(
        "a: {b: 1}\n",
        &[("a.b", Operation::Remove), ("a.b", set("x"))],
    );
    refused("a: {b: 1}\n", &[("a.c", Operation::Remove)]);
    refused("a: {b: 1, c: 2}\n", &[("a.b", Operation::Rename("c"))]);
    refused("a: 1\n", &[("", Operation::Remove)]);
    refused("a: {b: 1}\n", &[("a", append("x"))]);
    refused("a: [b: 1]\n", &[("a.0.c", set("x"))]);
}

#[test]
fn other_documents_stay() {
    let text = "{{ no yaml\n---\na: 1 # c\n--- # next\nb:  'x'";
    let edits = [Edit {
        document: 1,
        path: vec![Step::Field("b")],
        operation: set("new"),
    }];
    let edited = edit(text, &edits).unwrap();
    assert_eq!(*edited, text.replace("a: 1 # c\n", "a: 1 # c\nb: new\n"));
    let beyond = [Edit {
        document: 3,
        ..edits[0].clone()
    }];
    assert!(edit(text, &beyond).is_err());
}
