//! `sceau reseal` and the files it finds: what is looked at, what changes in them, what is skipped.

use std::fmt::Write as _;

use insta::assert_snapshot;

use crate::{
    reseal::{changed_lines, pinning, sealed},
    support::{TestKey, TestProject},
};

const FILE: &str = "deploy/api/prod/secret.yaml";

#[test]
fn nothing_but_the_recipients_of_stale_seals_changes() {
    let project = sealed();
    let stale = project.text(FILE);
    let commented = stale
        .replace("kind: ", "kind:   ")
        .replace("recipients:", "recipients: # whose")
        .replace(
            "RSA-OAEP-SHA256",
            "\"RSA-OAEP-SHA256\"   # here\n\n# and here",
        )
        .replace("environment: prod", "environment: 'prod'  # é");
    let text = format!(
        "# first\nkind: ConfigMap\ndata: {{a:   1}}\n---\n{commented}---  # third\nkind: Secret\napiVersion: v1\nstringData: {{a: 'plain'}}\n---\n{stale}...\n"
    );
    let project = pinning(project.file(FILE, text), &[TestKey::Other]);
    let outcome = project
        .run(&format!("reseal {FILE} --keys prod.key"))
        .done();
    let (gone, new) = changed_lines(&outcome, FILE);
    assert_eq!((gone.len(), new.len()), (4, 4), "{gone:?}\n{new:?}");
    for line in gone.iter().chain(&new) {
        assert!(
            line.contains("keyId:") || line.contains("wrapped:"),
            "{line}"
        );
    }
    let lines = |text: &str| text.lines().count();
    let before = String::from_utf8(outcome.before[FILE].clone()).unwrap();
    assert_eq!(lines(&before), lines(outcome.file(FILE)));
}

/// What a run that was killed has left beside a file, under whatever name.
fn leftovers(project: &TestProject) -> Vec<String> {
    let files = std::fs::read_dir(project.path("deploy/api/prod")).unwrap();
    let names = files.map(|file| file.unwrap().file_name().to_string_lossy().into_owned());
    names.filter(|name| name.starts_with(".sceau-")).collect()
}

#[test]
fn what_a_killed_run_has_left_goes_with_the_next_one() {
    const LEFT: &str = "deploy/api/prod/.sceau-secret.yaml.part";
    let project = pinning(sealed(), &[TestKey::Other]).file(LEFT, "kind: half");
    project.run("reseal --keys prod.key").done();
    assert!(project.text(FILE).contains(TestKey::Other.id()));
    assert_eq!(leftovers(&project), [""; 0]);
}

#[test]
fn what_another_run_is_writing_and_what_is_no_file_of_ours_is_left_alone() {
    const LEFT: &str = "deploy/api/prod/.sceau-secret.yaml.part";
    let project = pinning(sealed(), &[TestKey::Other]).file(LEFT, "kind: half");
    let written = std::fs::File::open(project.path(LEFT)).unwrap();
    written.lock().unwrap();
    project.run("reseal --keys prod.key").done();
    assert!(project.text(FILE).contains(TestKey::Other.id()));
    assert_eq!(project.text(LEFT), "kind: half");
    assert_eq!(leftovers(&project).len(), 1);

    let project = pinning(sealed(), &[TestKey::Other]).file("elsewhere", "precious");
    std::os::unix::fs::symlink(project.path("elsewhere"), project.path(LEFT)).unwrap();
    project.run("reseal --keys prod.key").done();
    assert!(project.text(FILE).contains(TestKey::Other.id()));
    assert_eq!(project.text("elsewhere"), "precious");
}

#[test]
fn json_files_and_lists_keep_their_style() {
    let project = sealed();
    project
        .run("seal secret.yaml --environment prod -w deploy/api/prod/a.json")
        .done();
    let one = project.text("deploy/api/prod/a.json");
    let list = format!(
        "{{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[{{\"kind\":\"X\"}},\n{one}]}}\n{one}"
    );
    let project = pinning(
        project.file("deploy/api/prod/a.json", list),
        &[TestKey::Other],
    );
    let outcome = project
        .run("reseal deploy/api/prod/a.json --keys prod.key")
        .done();
    let (gone, new) = changed_lines(&outcome, "deploy/api/prod/a.json");
    assert_eq!((gone.len(), new.len()), (4, 4));
    let opened = project
        .run(&format!("inspect {FILE} deploy/api/prod/a.json"))
        .done();
    assert_eq!(opened.stdout().matches(TestKey::Other.id()).count(), 2);
    assert_eq!(
        project
            .run("reseal deploy/api/prod/a.json --keys prod.key")
            .done()
            .changed_files(),
        Vec::<&str>::new()
    );
}

#[test]
fn ignored_files_and_files_of_other_kinds_are_left_out() {
    let project = sealed();
    let _ = project.git(&["init", "--quiet"]);
    let stale = project.text(FILE);
    let project = [
        "a.txt",
        "build/a.yaml",
        ".git/a.yaml",
        ".hidden/a.yml",
        "b.yaml",
    ]
    .into_iter()
    .fold(project, |project, name| project.file(name, &stale))
    .file(".gitignore", "build/\n");
    let project = pinning(project, &[TestKey::Other]);
    let outcome = project.run("reseal --keys prod.key").done();
    assert_eq!(outcome.changed_files(), [".hidden/a.yml", "b.yaml", FILE]);
    let named = project
        .run("reseal a.txt build/a.yaml --keys prod.key")
        .done();
    assert_eq!(named.changed_files(), ["a.txt", "build/a.yaml"]);
    project.run("reseal nowhere --keys prod.key").refused(1);
}

#[test]
fn below_the_root_the_whole_project_is_resealed() {
    let project = pinning(sealed(), &[TestKey::Other]);
    let outcome = project
        .run_in("certificates", "reseal --keys ../prod.key")
        .done();
    assert_eq!(outcome.changed_files(), [FILE]);
}

#[test]
fn templates_and_damaged_files_are_reported_and_skipped() {
    let project = sealed();
    let template = project
        .text(FILE)
        .replace("namespace: shop", "namespace: {{ .Release.Namespace }}");
    let project = project
        .file("charts/a/templates/sealed.yaml", template)
        .file("charts/a/templates/other.yaml", "a: {{ .Values.a }}\n")
        .file("damaged.yaml", "kind: SealedSecret\nkind: SealedSecret\n")
        .file("words.yaml", "# SealedSecret\n- a list\n");
    let outcome = pinning(project, &[TestKey::Other]).run("reseal --keys prod.key");
    assert_snapshot!(outcome, @"
    exit 1
    stdout:
      RESULT       ENVIRONMENT   SECRET     SEAL   WHERE
      Unreadable   ?             ?/?               charts/a/templates/sealed.yaml:5
      Unreadable   ?             ?/?               damaged.yaml:2
      Resealed     prod          shop/api   1      deploy/api/prod/secret.yaml:1
      
      charts/a/templates/sealed.yaml:5: a name must be a text, not a collection or an alias; this looks like a template: render it first (for Helm, `helm template`) and seal the result
      
      damaged.yaml:2: `kind` stands here twice
    stderr:
      note: seals: 1 resealed, 2 could not be resealed
      note: resealing does not protect values that were already read: rotate them with `sceau set`
      error: could not be resealed: 2 seals
      hint: fix the reasons in the report, and run this again: resealed seals stay
    files: deploy/api/prod/secret.yaml
    ");
}

#[test]
fn a_seal_behind_an_alias_is_rejected_and_its_file_stays() {
    let project = sealed();
    let aliased = project
        .text(FILE)
        .replace(
            "metadata:",
            "metadata:\n  annotations: {suite: &suite RSA-OAEP-SHA256}",
        )
        .replace("suite: RSA", "suite: *suite #RSA");
    let once = pinning(project.file(FILE, &aliased), &[TestKey::Other]);
    // The suite stays, so nothing behind the alias changes.
    once.run("reseal --keys prod.key").done();
    let all = aliased.replace("recipients:", "recipients: &all");
    let seal = all.split_once("  - sealedAt").unwrap().1;
    let seal = format!("  - sealedAt{}", seal.replace("&all\n", "*all #\n"));
    let second = seal
        .lines()
        .filter(|line| {
            !line.contains("keyId") && !line.contains("suite") && !line.contains("wrapped")
        })
        .map(|line| line.replace("password", "other"))
        .fold(String::new(), |text, line| text + &line + "\n");
    let twice = pinning(sealed().file(FILE, all + &second), &[TestKey::Other]);
    assert_snapshot!(twice.run("reseal --keys prod.key"), @"
    exit 1
    stdout:
      RESULT        ENVIRONMENT   SECRET     SEAL   WHERE
      NotEditable   prod          shop/api   1      deploy/api/prod/secret.yaml:1
      NotEditable   prod          shop/api   2      deploy/api/prod/secret.yaml:1
      
      deploy/api/prod/secret.yaml:1: `spec.seals[1].recipients[0]` does not exist, or an alias stands for it; give each entry a line of its own, without anchors, aliases and tags, and try again
    stderr:
      note: seals: 2 could not be resealed
      error: could not be resealed: 2 seals
      hint: fix the reasons in the report, and run this again: resealed seals stay
    files: unchanged
    ");
}

/// A file whose path is as long as Linux lets it be (`PATH_MAX`, 4,096 bytes with the NUL): there is no
/// room beside it for the longer name of a temporary file.
#[cfg(target_os = "linux")]
fn in_the_longest_directory(project: &TestProject) -> std::path::PathBuf {
    let name = "a.yaml";
    let mut directory = project.path("long");
    while let Some(room) = 4094_usize.checked_sub(directory.as_os_str().len() + 2 + name.len()) {
        match room {
            0 => break,
            room => directory.push("d".repeat(room.min(200))),
        }
    }
    std::fs::create_dir_all(&directory).unwrap();
    directory.join(name)
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_that_cannot_be_written_fails_alone() {
    let project = pinning(sealed(), &[TestKey::Other]);
    let unwritable = in_the_longest_directory(&project);
    std::fs::copy(project.path(FILE), &unwritable).unwrap();
    let line = format!("reseal {} {FILE} --keys prod.key", unwritable.display());
    let outcome = project.run(&line);
    assert_eq!(outcome.code, 1, "{outcome}");
    assert_eq!(outcome.changed_files(), [FILE]);
    assert!(outcome.stdout().contains("NotWritten"), "{outcome}");
    assert!(
        outcome
            .stderr()
            .contains("seals: 1 resealed, 1 could not be resealed"),
        "{outcome}"
    );
    std::fs::remove_dir_all(project.path("long")).unwrap();
    project.run("reseal --keys prod.key").done();
}

#[test]
fn an_interrupted_run_is_continued_by_the_next() {
    let project = sealed();
    let stale = project.text(FILE);
    let project = (0..20).fold(project, |project, n| {
        project.file(&format!("deploy/api/prod/{n}.yaml"), &stale)
    });
    let project = pinning(project, &[TestKey::Other]);
    let half = (0..10).fold(String::new(), |mut line, n| {
        let _ = write!(line, " deploy/api/prod/{n}.yaml");
        line
    });
    project.run(&format!("reseal{half} --keys prod.key")).done();
    let rest = project.run("reseal --keys prod.key").done();
    assert_eq!(rest.changed_files().len(), 11);
    assert!(
        rest.stderr()
            .contains("seals: 11 resealed, 10 already current"),
        "{rest}"
    );
}

#[test]
fn no_value_is_printed() {
    let project = pinning(sealed(), &[TestKey::Other]);
    for line in [
        "reseal --dry-run",
        "reseal --keys prod.key -o json",
        "reseal --keys other.key",
    ] {
        let outcome = project.run(line);
        assert!(!outcome.to_string().contains("hunter2"), "{outcome}");
    }
}

#[test]
fn a_manifest_without_a_namespace_is_given_one() {
    let project = TestProject::new()
        .file(
            "secret.yaml",
            crate::seal_manifests::SECRET.replace("  namespace: shop\n", ""),
        )
        .private_key("prod.key", TestKey::Prod);
    project
        .run(&format!(
            "seal secret.yaml -n shop --environment prod -w {FILE}"
        ))
        .done();
    let bare = project.text(FILE).replace("  namespace: shop\n", "");
    let project = pinning(project.file(FILE, bare), &[TestKey::Other]);
    let without = project.run("reseal --keys prod.key");
    assert_eq!(without.code, 1, "{without}");
    assert!(without.stdout().contains("Malformed"), "{without}");
    project
        .run("reseal --keys prod.key --namespace shop")
        .done();
}
