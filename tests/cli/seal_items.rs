//! `sceau seal` without a manifest.

use insta::assert_snapshot;
use sceau::Terminals;

use crate::support::{Outcome, TestKey, TestProject};

const NEW: &str = "seal --name db --namespace shop --environment prod";

#[track_caller]
fn seal(project: &TestProject, flags: &str) -> Outcome {
    project.run(&format!("{NEW} {flags}"))
}

#[track_caller]
fn seal_file(project: &TestProject, file: &str) -> Outcome {
    let words: Vec<&str> = NEW.split(' ').chain(["--from-file", file]).collect();
    project.run_words("", &words)
}

/// The Secret that the command line describes, after it was sealed and unsealed again.
#[track_caller]
fn unsealed(project: TestProject, flags: &str) -> String {
    let sealed = seal(&project, flags).done().stdout().to_owned();
    let project = project
        .private_key("prod.key", TestKey::Prod)
        .file("sealed.yaml", sealed);
    let outcome = project.run("unseal sealed.yaml --keys prod.key").done();
    outcome.stdout().to_owned()
}

#[test]
fn items_come_from_files_dotenv_standard_input_and_prompts() {
    let project = TestProject::new()
        .file("ca.crt", b"\xff\x00\n")
        .file("token.txt", "t0k3n")
        .file(".env", "A=1\nexport B='two words'\n")
        .stdin("from stdin")
        .typed(&["typed"]);
    let secret = unsealed(
        project,
        "--from-file ca.crt --from-file token=token.txt --from-env-file .env --from-stdin input \
         --item password --type example.com/x --label app=web --annotation note=a=b --immutable",
    );
    assert_snapshot!(secret, @"
    apiVersion: v1
    kind: Secret
    metadata:
      name: db
      namespace: shop
      labels:
        app: web
      annotations:
        note: a=b
    type: example.com/x
    immutable: true
    data:
      A: MQ==
      B: dHdvIHdvcmRz
      ca.crt: /wAK
      input: ZnJvbSBzdGRpbg==
      password: dHlwZWQ=
      token: dDBrM24=
    ");
}

#[test]
fn a_line_break_at_the_end_of_standard_input_is_sealed_with_a_warning() {
    let project = TestProject::new().stdin("hunter2\n");
    let outcome = seal(&project, "--from-stdin a -w out.yaml");
    assert_snapshot!(outcome, @"
    exit 0
    stderr:
      warning: the value of `a` ends with a line break, which becomes part of it
      note: sealed shop/db for prod (strict, 1 item) in out.yaml
    files: out.yaml
    ");
}

#[test]
fn a_value_on_the_command_line_is_refused_with_what_to_do_instead() {
    let project = TestProject::new();
    let outcome = seal(&project, "--from-literal a=hunter2").refused(2);
    assert_snapshot!(outcome, @"
    exit 2
    stderr:
      error: values are not accepted on the command line: other programs can see them, and the shell keeps them in its history
      hint: use `--item NAME` for a prompt, or `--from-stdin NAME` or `--from-file NAME=FILE`
      hint: rotate the value that you typed if it is in use: it may be in the shell's history
    files: unchanged
    ");
    assert!(!outcome.stderr().contains("hunter2"));
    assert!(
        !seal(&project, "--from-literal=a=hunter2")
            .refused(2)
            .stderr()
            .contains("hunter2")
    );
}

#[test]
fn an_item_that_is_given_twice_is_refused() {
    let project = TestProject::new().file("a", "x").stdin("y");
    assert_snapshot!(seal(&project, "--from-file a --from-stdin a").refused(1), @"
    exit 1
    stderr:
      error: item `a` is given twice
    files: unchanged
    ");
}

#[test]
fn a_prompt_without_terminal_is_refused() {
    let project = TestProject::new();
    assert_snapshot!(seal(&project, "--item password").refused(1), @"
    exit 1
    stderr:
      error: the prompt for `password` needs a terminal
      hint: use standard input: `--from-stdin password`
    files: unchanged
    ");
}

#[test]
fn nothing_typed_is_no_value() {
    let project = TestProject::new().typed(&[""]);
    assert_snapshot!(seal(&project, "--item password").refused(1), @"
    exit 1
    stderr:
      error: the value of `password` is empty
      hint: set an empty value with `--from-file password=/dev/null`
    files: unchanged
    ");
}

#[test]
fn a_value_is_not_read_from_a_terminal_that_shows_it() {
    let project = TestProject::new().terminals(Terminals {
        stdin: true,
        stdout: true,
    });
    assert_snapshot!(seal(&project, "--from-stdin a").refused(1), @"
    exit 1
    stderr:
      error: the terminal would show the value of `a` as you type
      hint: use the prompt without echo: `--item a`
    files: unchanged
    ");
}

#[test]
fn a_file_whose_name_is_no_item_name_needs_one() {
    let project = TestProject::new().file("my file", "x");
    assert_snapshot!(seal_file(&project, "my file").refused(2), @"
    exit 2
    stderr:
      error: --from-file <[NAME=]FILE>: not a valid item name: use 1 to 253 letters, digits, `-`, `_` and `.`; to set a name, use NAME=FILE
    files: unchanged
    ");
    seal_file(&project, "mine=my file").done();
}

/// Whatever was typed, it may be a value: the message is the rule's own.
#[test]
fn a_name_that_breaks_its_rule_is_not_repeated() {
    let project = TestProject::new();
    let rule = "not a valid item name: use 1 to 253 letters, digits, `-`, `_` and `.`\n";
    for typed in [
        "hunter 2",
        "letters, digits",
        "not a valid item name: ",
        "`_` and `.`",
        ": use",
    ] {
        for flag in ["--item", "--from-stdin"] {
            let words = ["seal", "--name", "api", flag, typed];
            let outcome = project.run_words("", &words).refused(2);
            let expected = format!("error: {flag} <NAME>: {rule}");
            assert_eq!(outcome.stderr(), expected, "{typed}");
        }
        let words = ["seal", "--name", "api", "--from-file", typed];
        let outcome = project.run_words("", &words).refused(2);
        let expected = format!(
            "error: --from-file <[NAME=]FILE>: {}; to set a name, use NAME=FILE\n",
            rule.trim_end()
        );
        assert_eq!(outcome.stderr(), expected, "{typed}");
    }
    for typed in ["Hunter2", "lower-case letters", "RFC 1123"] {
        let words = ["seal", "secret.yaml", "--environment", typed];
        let outcome = project.run_words("", &words).refused(2);
        let expected = "error: --environment <NAME>: not a valid environment name: use 1 to 63 lower-case letters, digits and `-`, with a letter or digit first and last (RFC 1123)\n";
        assert_eq!(outcome.stderr(), expected, "{typed}");
    }
}

#[test]
fn a_directory_is_no_item() {
    let project = TestProject::new().file("directory/a", "x");
    assert_snapshot!(seal(&project, "--from-file directory").refused(1), @"
    exit 1
    stderr:
      error: cannot read the file of item `directory`: is a directory
    files: unchanged
    ");
}

#[test]
fn values_that_are_larger_than_a_secret_are_refused() {
    let project = TestProject::new().file("a", "x".repeat(1_048_577));
    assert_snapshot!(seal(&project, "--from-file a").refused(1), @"
    exit 1
    stderr:
      error: all values together have 1048577 bytes: a Secret has at most 1048576
    files: unchanged
    ");
}

#[test]
fn a_secret_without_items_is_refused() {
    assert_snapshot!(seal(&TestProject::new(), "").refused(1), @"
    exit 1
    stderr:
      error: the Secret has no items
      hint: pass `--allow-empty` to seal it anyway
    files: unchanged
    ");
}

#[test]
fn names_and_sources_need_each_other() {
    let project = TestProject::new();
    for line in [
        "seal --name db --item a",
        "seal --namespace shop --item a",
        "seal --name Db --namespace shop",
        "seal --name db --namespace a.b",
        "seal --name db --namespace shop --item a/b",
        "seal --name db --namespace shop --in-place a",
    ] {
        project.run(line).refused(2);
    }
}
