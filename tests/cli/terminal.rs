//! What is about the process itself: colours, streams that close, exit codes.

use std::process::{Command, Stdio};

use insta::assert_snapshot;

use crate::support::{NOW, TestKey, TestProject};

#[test]
fn without_a_command_the_help_is_shown_as_an_error() {
    assert_eq!(TestProject::empty().spawn("", &[]).code, 2);
}

#[test]
fn the_version_is_printed() {
    let outcome = TestProject::empty().spawn("--version", &[]).done();
    assert_eq!(
        outcome.stdout(),
        concat!("sceau ", env!("CARGO_PKG_VERSION"), "\n")
    );
}

#[test]
fn an_unknown_command_is_a_usage_error_with_a_hint() {
    assert_snapshot!(TestProject::empty().spawn("sael", &[]), @"
    exit 2
    stderr:
      error: unrecognized subcommand 'sael'
      
        tip: some similar subcommands exist: 'set', 'unseal', 'seal'
      
      Usage: sceau <COMMAND>
      
      For more information, try '--help'.
    files: unchanged
    ");
}

#[test]
fn output_has_no_colours_without_a_terminal() {
    for variables in [&[][..], &[("NO_COLOR", "1")], &[("TERM", "xterm-256color")]] {
        for line in ["--help", "seal", "sael"] {
            let outcome = TestProject::empty().spawn(line, variables);
            assert!(!outcome.stdout.contains(&0x1b), "{outcome}");
            assert!(!outcome.stderr.contains(&0x1b), "{outcome}");
        }
    }
}

#[test]
fn colours_can_be_forced() {
    let outcome = TestProject::empty().spawn("seal", &[("CLICOLOR_FORCE", "1")]);
    assert!(outcome.stderr.contains(&0x1b), "{outcome}");
}

#[test]
fn text_from_elsewhere_does_not_reach_the_terminal_as_it_is() {
    let names = r#"{"apiVersion": "bitnami.com/v1alpha1", "kind": "SealedSecret",
        "metadata": {"name": "a\u001b[31m\nb", "namespace": "\u001b]0;x\u0007"},
        "spec": {"encryptedData": {"i\u001b[2J\n": "ITEM"}, "template": {"type": "\u009b1m\n"}}}"#;
    let item = include_str!("../vectors/sealed-template.json");
    let item: serde_json::Value = serde_json::from_str(item).unwrap();
    let items = item["spec"]["encryptedData"].as_object().unwrap();
    let item = items.values().next().unwrap().as_str().unwrap();
    let subject = TestKey::Other.certificate_of("\u{1b}[31mA\nB", NOW.parse().unwrap());
    let project = TestProject::empty()
        .file("sealed.json", names.replace("ITEM", item))
        .file("a.pem", subject);
    let inspected = project.run("inspect sealed.json").done();
    let shown = project.run("certificate show a.pem").done();
    for (outcome, lines) in [(inspected, 5), (shown, 2)] {
        let is_escape = |c: char| c != '\n' && c.is_control();
        assert!(!outcome.stdout().contains(is_escape), "{outcome}");
        assert_eq!(outcome.stdout().lines().count(), lines, "{outcome}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_sceau"))
        .args(["completions", "bash"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[cfg(target_os = "linux")]
#[test]
fn output_that_could_not_be_written_is_a_failure() {
    for line in ["--help", "--version", "completions bash"] {
        let full = std::fs::File::options().write(true).open("/dev/full");
        let output = Command::new(env!("CARGO_BIN_EXE_sceau"))
            .args(line.split(' '))
            .stdout(full.unwrap())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1), "{line}");
        let stderr = String::from_utf8_lossy(&output.stderr);
        let expected = "error: cannot write to standard output: no space left on device\n";
        assert_eq!(stderr, expected, "{line}");
    }
}

#[test]
fn every_shell_gets_its_completions() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let outcome = TestProject::empty()
            .run(&format!("completions {shell}"))
            .done();
        for command in ["seal", "unseal", "inspect", "certificate", "init"] {
            assert!(outcome.stdout().contains(command), "{shell}: {command}");
        }
        assert!(!outcome.stdout().contains("from-literal"), "{shell}");
    }
}
