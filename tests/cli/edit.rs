//! `sceau set`, `unset` and `rename`.

use insta::assert_snapshot;
use sceau::Terminals;

use crate::{
    seal_manifests::SECRET,
    support::{NOW, Outcome, TestKey, TestProject},
};

const FILE: &str = "deploy/api/prod/a.yaml";

/// A project in which `FILE` holds the Secret shop/api with the item `password`, sealed for prod.
fn sealed() -> TestProject {
    let project = TestProject::new()
        .file("secret.yaml", SECRET)
        .private_key("prod.key", TestKey::Prod)
        .private_key("other.key", TestKey::Other);
    project
        .run(&format!("seal secret.yaml --write {FILE}"))
        .done();
    project
}

/// A project in which `FILE` holds an empty SealedSecret of the original's.
fn original() -> TestProject {
    let manifest = "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata: {name: api, namespace: shop}\nspec:\n  encryptedData: {}\n";
    TestProject::new()
        .private_key("prod.key", TestKey::Prod)
        .file(FILE, manifest)
}

#[track_caller]
fn edit(project: &TestProject, command: &str, rest: &str) -> Outcome {
    project.run(&format!("{command} {FILE} {rest}"))
}

#[track_caller]
fn items(project: &TestProject) -> String {
    let unsealed = project
        .run(&format!("unseal {FILE} --keys prod.key"))
        .done();
    unsealed
        .stdout()
        .split_once("\ndata:")
        .unwrap()
        .1
        .to_owned()
}

#[test]
fn a_value_is_asked_for() {
    let project = sealed().typed(&["correct horse"]);
    assert_snapshot!(edit(&project, "set", "password"), @"
    exit 0
    stderr:
      note: item `password` of shop/api was replaced, and sealed for prod, in deploy/api/prod/a.yaml
    files: deploy/api/prod/a.yaml
    ");
    assert_snapshot!(items(&project), @"

    password: Y29ycmVjdCBob3JzZQ==
    ");
}

#[test]
fn without_a_terminal_the_other_sources_are_named() {
    assert_snapshot!(edit(&sealed(), "set", "password").refused(1), @"
    exit 1
    stderr:
      error: the prompt for `password` needs a terminal
      hint: use standard input: `--from-stdin`
    files: unchanged
    ");
    let watched = sealed().terminals(Terminals {
        stdin: true,
        stdout: true,
    });
    assert_snapshot!(edit(&watched, "set", "password --from-stdin").refused(1), @"
    exit 1
    stderr:
      error: the terminal would show the value of `password` as you type
      hint: use the prompt without echo: remove `--from-stdin`
    files: unchanged
    ");
    assert_snapshot!(edit(&sealed().typed(&[""]), "set", "password").refused(1), @"
    exit 1
    stderr:
      error: the value of `password` is empty
      hint: set an empty value with `--from-file /dev/null`
    files: unchanged
    ");
}

#[test]
fn a_value_comes_from_a_file_byte_for_byte() {
    let project = sealed().file("ca.crt", b"\xff\x00\n");
    edit(&project, "set", "ca --from-file ca.crt").done();
    assert_snapshot!(items(&project), @"

    ca: /wAK
    password: aHVudGVyMg==
    ");
    assert_snapshot!(edit(&project, "set", "ca --from-file gone").refused(1), @"
    exit 1
    stderr:
      error: cannot read gone: no such file or directory
    files: unchanged
    ");
}

#[test]
fn a_line_break_at_the_end_of_standard_input_is_warned_of() {
    assert_snapshot!(edit(&sealed().stdin("a\n"), "set", "b --from-stdin"), @"
    exit 0
    stderr:
      warning: the value of `b` ends with a line break, which becomes part of it
      note: item `b` of shop/api was added, and sealed for prod, in deploy/api/prod/a.yaml
    files: deploy/api/prod/a.yaml
    ");
}

#[test]
fn a_generated_value_is_seen_by_nobody() {
    for (recipe, length) in [("32:base64", 44), ("16:base64url", 22), ("20:hex", 40)] {
        let project = original();
        let outcome = edit(&project, "set", &format!("TOKEN --generate {recipe}")).done();
        let value = items(&project).trim().replace("TOKEN: ", "");
        assert_eq!(outcome.stdout(), "");
        assert!(!outcome.stderr().contains(&value), "{outcome}");
        // The items are shown in base64.
        assert_eq!(
            value.trim_end_matches('=').len(),
            (length * 4_usize).div_ceil(3)
        );
    }
    assert_snapshot!(edit(&sealed(), "set", "TOKEN --generate 32:base64"), @"
    exit 0
    stderr:
      note: item `TOKEN` of shop/api was set to 32 random bytes as base64, and sealed for prod, in deploy/api/prod/a.yaml
    files: deploy/api/prod/a.yaml
    ");
}

#[test]
fn two_generated_values_differ() {
    let value = || {
        let project = original();
        edit(&project, "set", "A --generate 16:hex").done();
        items(&project)
    };
    assert_ne!(value(), value());
}

#[test]
fn a_recipe_that_cannot_be_followed_is_refused() {
    for recipe in ["32", "8:hex", "5000:hex", "x:hex", "32:rot13"] {
        edit(&sealed(), "set", &format!("A --generate {recipe}")).refused(2);
    }
    edit(&sealed(), "set", "A --generate 32:hex --from-stdin").refused(2);
}

#[test]
fn an_item_that_is_not_there_cannot_be_taken_out_or_renamed() {
    assert_snapshot!(edit(&sealed(), "unset", "token").refused(1), @"
    exit 1
    stderr:
      error: deploy/api/prod/a.yaml:1 (document 1): shop/api has no item `token`
      hint: use one of its items: password
    files: unchanged
    ");
    assert_snapshot!(edit(&sealed(), "rename", "token x --keys prod.key").refused(1), @"
    exit 1
    stderr:
      error: deploy/api/prod/a.yaml:1 (document 1): shop/api has no item `token`
      hint: use one of its items: password
    files: unchanged
    ");
}

#[test]
fn renaming_keeps_value_and_time_and_says_that_it_needs_keys() {
    let project = sealed();
    assert_snapshot!(edit(&project, "rename", "password PASSWORD").refused(1), @"
    exit 1
    stderr:
      error: deploy/api/prod/a.yaml:1 (document 1): renaming `password` needs the private key of its seal: the key of an item is derived from its name
      hint: pass it with `--keys FILE`, or use `sceau set` under the new name and then `sceau unset`
    files: unchanged
    ");
    assert_snapshot!(edit(&project, "rename", "password password --keys prod.key").refused(1), @"
    exit 1
    stderr:
      error: deploy/api/prod/a.yaml:1 (document 1): item `password` already exists
      hint: remove it first with `sceau unset`, or choose another name
    files: unchanged
    ");
    assert_snapshot!(edit(&project, "rename", "password x --keys other.key").refused(1), @"
    exit 1
    stderr:
      error: deploy/api/prod/a.yaml:1 (document 1): sealed only for [KEY Prod], which the key ring does not hold
    files: unchanged
    ");
    let text = project.text(FILE).replace(NOW, "2020-01-01T00:00:00Z");
    let project = project.file(FILE, text);
    assert_snapshot!(edit(&project, "rename", "password PASSWORD --keys prod.key"), @"
    exit 0
    stderr:
      note: renamed item `password` of shop/api to `PASSWORD` in deploy/api/prod/a.yaml
    files: deploy/api/prod/a.yaml
    ");
    assert_snapshot!(items(&project), @"

    PASSWORD: aHVudGVyMg==
    ");
    assert!(project.text(FILE).contains("2020-01-01T00:00:00Z"));
}

#[test]
fn an_original_is_renamed_without_keys() {
    let project = original().stdin("v");
    edit(&project, "set", "a --from-stdin").done();
    edit(&project, "rename", "a b").done();
    assert_snapshot!(items(&project), @"

    b: dg==
    ");
}

#[test]
fn name_and_namespace_choose_among_several() {
    let text = sealed().text(FILE);
    let other = text.replace("name: api", "name: web");
    let third = text.replace("namespace: shop", "namespace: mall");
    let project = TestProject::new()
        .stdin("v")
        .file(FILE, format!("{text}---\n{other}---\n{third}"));
    let outcome = edit(&project, "set", "token --from-stdin --name web").done();
    let after = outcome.file(FILE);
    assert!(after.starts_with(&format!("{text}---\n{other}")), "{after}");
    assert!(after.ends_with(&format!("---\n{third}")), "{after}");
    edit(&project, "set", "token --from-stdin --name api").refused(1);
    edit(&project, "set", "token --from-stdin -n shop").refused(1);
    edit(&project, "set", "token --from-stdin -n mall").done();
    assert_snapshot!(edit(&project, "set", "token --from-stdin --name db").refused(1), @"
    exit 1
    stderr:
      error: there is no SealedSecret of that name and namespace in deploy/api/prod/a.yaml
      hint: it holds shop/api, shop/web, mall/api
    files: unchanged
    ");
}

#[test]
fn a_namespace_that_the_file_does_not_say_is_given() {
    let project = sealed();
    let text = project.text(FILE).replace("  namespace: shop\n", "");
    let project = project.file(FILE, text).stdin("v");
    edit(&project, "set", "token --from-stdin").refused(1);
    edit(&project, "set", "token --from-stdin --namespace shop").done();
    project
        .run(&format!("unseal {FILE} --keys prod.key -n shop"))
        .done();
}

#[test]
fn the_manifest_says_the_environment() {
    let project = sealed().stdin("v");
    let text = project.text(FILE);
    let project = project.file("deploy/api/dev/a.yaml", &text);
    let moved = project.run("set deploy/api/dev/a.yaml a --from-stdin");
    assert_snapshot!(moved, @"
    exit 0
    stderr:
      warning: sealed for `prod`, but deploy/api/dev/a.yaml belongs to `dev` in sceau.yaml
      note: item `a` of shop/api was added, and sealed for prod, in deploy/api/dev/a.yaml
    files: deploy/api/dev/a.yaml
    ");
    let other = edit(&project, "set", "a --from-stdin --environment dev");
    assert_snapshot!(other.refused(1), @"
    exit 1
    stderr:
      error: deploy/api/prod/a.yaml:1 (document 1): the manifest is sealed for `prod`, but you passed `--environment dev`
    files: unchanged
    ");
}

#[test]
fn an_original_is_sealed_for_the_environment_of_its_path_or_the_one_that_is_named() {
    let project = original().stdin("v");
    let text = project.text(FILE);
    let project = project.file("a.yaml", text);
    assert_snapshot!(project.run("set a.yaml a --from-stdin").refused(1), @"
    exit 1
    stderr:
      error: no path rule of sceau.yaml matches a.yaml, so its environment is unknown
      hint: pass `--environment` with one of: dev, prod
    files: unchanged
    ");
    project
        .run("set a.yaml a --from-stdin --environment prod")
        .done();
    project.run("unseal a.yaml --keys prod.key").done();
}

#[test]
fn an_original_cannot_be_sealed_to_two_certificates() {
    let project = original().stdin("v").file(
        "sceau.yaml",
        "environments:\n  prod: {certificates: [certificates/prod.pem, certificates/dev.pem], paths: [\"deploy/*/prod/**\"]}\n",
    );
    assert_snapshot!(edit(&project, "set", "a --from-stdin").refused(1), @"
    exit 1
    stderr:
      error: deploy/api/prod/a.yaml:1 (document 1): an item in the kubeseal format is sealed to one certificate, but `prod` has 2
      hint: pass `--environment` with one that has one certificate, or seal the Secret again in the sceau format
    files: unchanged
    ");
}

#[test]
fn a_129th_seal_is_refused() {
    let project = TestProject::new()
        .environment("test", TestKey::Other)
        .stdin("v")
        .file("secret.yaml", SECRET);
    project
        .run("seal secret.yaml --environment test -w deploy/api/test/a.yaml")
        .done();
    for number in 2..=128 {
        let line = format!("set deploy/api/test/a.yaml item-{number} --from-stdin");
        project.run(&line).done();
    }
    let outcome = project.run("set deploy/api/test/a.yaml item-129 --from-stdin");
    assert_snapshot!(outcome.refused(1), @"
    exit 1
    stderr:
      error: deploy/api/test/a.yaml:1 (document 1): it would have more than 128 seals: each item that is set adds a seal
      hint: put all items under one seal, with the private keys: `sceau unseal deploy/api/test/a.yaml --keys FILE | sceau seal --environment test --scope strict --write deploy/api/test/a.yaml`
    files: unchanged
    ");
    project
        .run("set deploy/api/test/a.yaml item-7 --from-stdin")
        .done();
}

#[test]
fn values_that_are_too_large_together_are_refused() {
    let project = sealed().stdin("x".repeat(1024 * 1024));
    assert_snapshot!(edit(&project, "set", "a --from-stdin").refused(1), @"
    exit 1
    stderr:
      error: deploy/api/prod/a.yaml:1 (document 1): all values together have 1048583 bytes: a manifest has at most 1048576
    files: unchanged
    ");
    let project = original().stdin("x".repeat(1024 * 1024 + 1));
    assert_snapshot!(edit(&project, "set", "a --from-stdin").refused(1), @"
    exit 1
    stderr:
      error: deploy/api/prod/a.yaml:1 (document 1): the value has 1048577 bytes; a Secret has at most 1048576
    files: unchanged
    ");
}

#[test]
fn standard_input_cannot_be_edited() {
    assert_snapshot!(TestProject::new().run("set - a --from-stdin").refused(2), @"
    exit 2
    stderr:
      error: standard input cannot be edited in place
    files: unchanged
    ");
}

#[cfg(unix)]
#[test]
fn a_link_stays_a_link_and_a_mode_stays_a_mode() {
    use std::{fs, os::unix::fs::PermissionsExt as _};
    let project = sealed().stdin("v");
    fs::set_permissions(project.path(FILE), fs::Permissions::from_mode(0o640)).unwrap();
    std::os::unix::fs::symlink(project.path(FILE), project.path("link.yaml")).unwrap();
    project.run("set link.yaml a --from-stdin").done();
    assert!(
        fs::symlink_metadata(project.path("link.yaml"))
            .unwrap()
            .is_symlink()
    );
    let mode = fs::metadata(project.path(FILE))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o640);
    assert!(project.text(FILE).contains("      a: sceau:v1:"));
}

#[cfg(unix)]
#[test]
fn a_file_that_changes_meanwhile_is_left_as_it_is() {
    let project = TestProject::empty()
        .file(
            "sceau.yaml",
            "environments: {prod: {certificates: [prod.pem]}}\n",
        )
        .file(
            "prod.pem",
            TestKey::Prod.certificate(jiff::Timestamp::now()),
        )
        .file("secret.yaml", SECRET);
    project
        .spawn("seal secret.yaml --environment prod -w a.yaml", &[])
        .done();
    let made = std::process::Command::new("mkfifo")
        .arg(project.path("pipe"))
        .status();
    assert!(made.unwrap().success());
    let changed = format!("{}# changed\n", project.text("a.yaml"));
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_sceau"))
        .args(["set", "a.yaml", "b", "--from-file", "pipe"])
        .current_dir(project.path(""))
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    // It opens when the program reads the value, which is after it has read the file.
    let mut pipe = std::fs::OpenOptions::new()
        .write(true)
        .open(project.path("pipe"))
        .unwrap();
    std::fs::write(project.path("a.yaml"), &changed).unwrap();
    std::io::Write::write_all(&mut pipe, b"value").unwrap();
    drop(pipe);
    let said = std::io::read_to_string(child.stderr.take().unwrap()).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1), "{said}");
    assert_snapshot!(said, @"
    error: a.yaml changed during the edit, and nothing was written
    hint: run this again
    ");
    assert_eq!(project.text("a.yaml"), changed);
}
