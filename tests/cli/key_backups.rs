//! `sceau keys backup` and `sceau keys drill`, without a cluster.

use std::{fs, os::unix::fs::PermissionsExt as _};

use insta::assert_snapshot;

use crate::support::{ApiServer, Keeper, Outcome, TestKey, TestProject};

const FILE: &str = "deploy/api/prod/secret.yaml";
const BACK_UP_PROD: &str =
    "--keys prod.key --keys certificates/prod.pem --environment prod --write backup.age";

/// A project with a manifest of each environment, the private keys, and a backup's reader.
fn project(alice: &Keeper) -> TestProject {
    let project = TestProject::new()
        .private_key("prod.key", TestKey::Prod)
        .private_key("dev.key", TestKey::Dev)
        .file("alice.txt", alice.identity())
        .stdin("correct horse");
    for environment in ["dev", "prod"] {
        let file = format!("deploy/api/{environment}/secret.yaml");
        let words = format!("seal --name api --namespace shop --from-stdin A --write {file}");
        project.run(&words).done();
    }
    project
}

fn backed_up(alice: &Keeper) -> TestProject {
    let project = project(alice);
    let words = format!(
        "keys backup --recipient {} {BACK_UP_PROD}",
        alice.recipient()
    );
    let outcome = project.run(&words).done();
    holds_no_private_key(&outcome, alice);
    project
}

/// Nothing that was printed or written is a private key.
fn holds_no_private_key(outcome: &Outcome, keeper: &Keeper) {
    let line_of = |pem: &str| pem.lines().nth(1).unwrap().to_owned();
    let keys = TestKey::ALL.map(|it| line_of(it.private_pem()));
    let identity = keeper.identity().lines().last().unwrap().to_owned();
    let written = outcome.changed_files();
    let mut texts = vec![outcome.stdout().to_owned(), outcome.stderr().to_owned()];
    texts.extend(written.iter().map(|name| outcome.file(name).to_owned()));
    for text in texts {
        for canary in keys.iter().chain([&identity]) {
            assert!(!text.contains(canary), "{text}");
        }
    }
}

#[test]
fn a_backup_is_one_file_for_its_recipients() {
    let (alice, bob) = (Keeper::new(), Keeper::new());
    let recipients = format!("# who may\n\n{}\n{}\n", bob.recipient(), alice.recipient());
    let project = project(&alice).file("recovery.txt", recipients);
    let outcome = project.run(&format!(
        "keys backup --recipients-file recovery.txt {BACK_UP_PROD}"
    ));
    let shown = outcome.to_string();
    let shown = shown.replace(&alice.recipient(), "[SOMEBODY]");
    assert_snapshot!(shown.replace(&bob.recipient(), "[SOMEBODY]"), @"
    exit 0
    stdout:
      ENVIRONMENT   STATE   KEY                                                                       SECRET
      prod          ?       [KEY Prod]   sceau-system/sceau-prod-d918a249f451
    stderr:
      warning: the backup does not record whether keys of an unknown state are revoked, so a restored one would decrypt again; the cluster role `sceau-environment-reader` lets you read states
      note: each of these recipients decrypts backup.age
            [SOMEBODY]
            [SOMEBODY]
      note: the backup decrypts every secret of these environments: keep it offline, and out of git
      note: test the backup: sceau keys drill backup.age --identity FILE
    files: backup.age
    ");
    let mode = fs::metadata(project.path("backup.age"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let text = project.text("backup.age");
    assert!(
        text.starts_with("-----BEGIN AGE ENCRYPTED FILE-----\n"),
        "{text}"
    );
    for keeper in [alice, bob] {
        let project = TestProject::empty()
            .file("who.txt", keeper.identity())
            .file("backup.age", &text)
            .file("secret.yaml", project.text(FILE));
        project
            .run("keys drill backup.age --identity who.txt secret.yaml")
            .done();
    }
}

#[test]
fn an_existing_backup_stays() {
    let alice = Keeper::new();
    let project = backed_up(&alice);
    let words = format!(
        "keys backup --recipient {} {BACK_UP_PROD}",
        alice.recipient()
    );
    assert_snapshot!(project.run(&words).refused(1), @"
    exit 1
    stderr:
      error: backup.age already exists, and nothing was written
      hint: move existing files away, and run this again
    files: unchanged
    ");
}

#[test]
fn a_drill_reports_what_is_not_unsealed_and_the_keys_it_needs() {
    let alice = Keeper::new();
    let project = backed_up(&alice);
    assert_snapshot!(project.run("keys drill backup.age --identity alice.txt"), @"
    exit 3
    stdout:
      RESULT              ENVIRONMENT   SECRET     WHERE
      UnknownSealingKey   dev           shop/api   deploy/api/dev/secret.yaml:1
      
      deploy/api/dev/secret.yaml:1: no backup has a key of its environment that decrypts it
        it needs [KEY Dev]
    stderr:
      note: unsealed: 1 of 2 SealedSecrets
      error: 1 of 2 SealedSecrets would be lost with the cluster
      hint: back up the keys again with `sceau keys backup`, or reseal what is sealed to old ones
    files: unchanged
    ");
    let outcome = project
        .run(&format!(
            "keys drill backup.age --identity alice.txt {FILE} -o json"
        ))
        .done();
    assert_snapshot!(outcome, @r#"
    exit 0
    stdout:
      [
        {
          "file": "deploy/api/prod/secret.yaml",
          "document": 1,
          "line": 1,
          "namespace": "shop",
          "name": "api",
          "environment": "prod",
          "result": "Unsealed",
          "decryptedBy": [
            "[KEY Prod]"
          ],
          "needsOneOf": []
        }
      ]
    stderr:
      note: 1 SealedSecret: every item was unsealed, and its value dropped at once
    files: unchanged
    "#);
    holds_no_private_key(&outcome, &alice);
    assert!(!outcome.to_string().contains("correct horse"));
}

#[test]
fn a_further_backup_decrypts_what_the_first_does_not() {
    let alice = Keeper::new();
    let project = backed_up(&alice);
    let words =
        "keys backup --keys dev.key --keys certificates/dev.pem --environment dev --write dev.age";
    project
        .run(&format!("{words} --recipient {}", alice.recipient()))
        .done();
    assert_snapshot!(
        project.run("keys drill backup.age --backup dev.age --identity alice.txt"),
        @"
    exit 0
    stderr:
      note: 2 SealedSecrets: every item was unsealed, and its value dropped at once
    files: unchanged
    "
    );
}

#[test]
fn a_key_decrypts_for_its_own_environment_only() {
    let alice = Keeper::new();
    let project = project(&alice);
    let words = "keys backup --keys prod.key --keys certificates/prod.pem --environment dev --write backup.age";
    project
        .run(&format!("{words} --recipient {}", alice.recipient()))
        .done();
    let outcome = project.run(&format!(
        "keys drill backup.age --identity alice.txt {FILE}"
    ));
    assert_eq!(outcome.code, 3, "{outcome}");
    assert!(outcome.stdout().contains("UnknownSealingKey"), "{outcome}");
}

#[test]
fn a_revoked_key_decrypts_nothing() {
    let alice = Keeper::new();
    let project = project(&alice);
    let indent = |text: &str| text.replace('\n', "\n    ");
    let project = project.file(
        "keys.yaml",
        format!(
            "apiVersion: v1\nkind: Secret\ntype: kubernetes.io/tls\nmetadata:\n  name: old\n  \
             labels: {{sceau.dev/environment: prod, sceau.dev/sealing-key: active}}\n  \
             annotations: {{sceau.dev/revoked: \"true\"}}\nstringData:\n  tls.crt: |\n    {}\n  \
             tls.key: |\n    {}\n",
            indent(&TestProject::new().text("certificates/prod.pem")),
            indent(TestKey::Prod.private_pem()),
        ),
    );
    let words = "keys backup --keys keys.yaml --write backup.age";
    project
        .run(&format!("{words} --recipient {}", alice.recipient()))
        .done();
    assert_snapshot!(
        project.run(&format!("keys drill backup.age --identity alice.txt {FILE}")),
        @"
    exit 3
    stdout:
      RESULT              ENVIRONMENT   SECRET     WHERE
      RevokedSealingKey   prod          shop/api   deploy/api/prod/secret.yaml:1
      
      deploy/api/prod/secret.yaml:1: only a revoked key decrypts it
        it needs [KEY Prod]
    stderr:
      note: unsealed: 0 of 1 SealedSecret
      error: 1 of 1 SealedSecret would be lost with the cluster
      hint: back up the keys again with `sceau keys backup`, or reseal what is sealed to old ones
    files: unchanged
    "
    );
}

#[test]
fn kubeseal_manifests_are_drilled_too() {
    let alice = Keeper::new();
    let project = TestProject::empty()
        .file("alice.txt", alice.identity())
        .file("old.key", include_str!("../vectors/test-2048.key"))
        .file("old.crt", include_str!("../vectors/test-2048.crt"))
        .private_key("other.key", TestKey::Other)
        .file(
            "other.crt",
            TestKey::Other.certificate("2026-01-01T00:00:00Z".parse().unwrap()),
        )
        .file(
            "legacy.json",
            include_str!("../vectors/sealed-legacy-v1.json"),
        )
        .file("sealed.yaml", include_str!("../vectors/sealed-strict.yaml"));
    for name in ["old", "other"] {
        let keys =
            format!("--keys {name}.key --keys {name}.crt --environment prod --write {name}.age");
        project
            .run(&format!(
                "keys backup {keys} --recipient {}",
                alice.recipient()
            ))
            .done();
    }
    project
        .run("keys drill old.age --identity alice.txt .")
        .done();
    assert_snapshot!(project.run("keys drill other.age --identity alice.txt ."), @"
    exit 3
    stdout:
      RESULT              ENVIRONMENT   SECRET          WHERE
      UnknownSealingKey   ?             myns/mysecret   legacy.json:1
      UnknownSealingKey   ?             myns/mysecret   sealed.yaml:2
      
      legacy.json:1: no key of a backup decrypts it, and its format does not name the key
      
      sealed.yaml:2: no key of a backup decrypts it, and its format does not name the key
    stderr:
      note: unsealed: 0 of 2 SealedSecrets
      error: 2 of 2 SealedSecrets would be lost with the cluster
      hint: back up the keys again with `sceau keys backup`, or reseal what is sealed to old ones
    files: unchanged
    ");
}

#[test]
fn a_passphrase_is_asked_for() {
    let alice = Keeper::new();
    let project = backed_up(&alice).file("alice.age", alice.protected_identity("battery staple"));
    let words = format!("keys drill backup.age --identity alice.age {FILE}");
    let typed = |project: TestProject, text: &str| project.typed(&[text]).run(&words);
    assert_snapshot!(project.run(&words).refused(1), @"
    exit 1
    stderr:
      error: alice.age is protected by a passphrase, and its prompt needs a terminal
    files: unchanged
    ");
    let again = backed_up(&alice).file("alice.age", alice.protected_identity("battery staple"));
    typed(again, "battery staple").done();
    assert_snapshot!(typed(project, "wrong").refused(1), @"
    exit 1
    stderr:
      error: the passphrase does not decrypt alice.age
    files: unchanged
    ");
}

#[test]
fn reasons_of_a_failed_drill_differ() {
    let alice = Keeper::new();
    let project = backed_up(&alice).file("bob.txt", Keeper::new().identity());
    let text = project.text("backup.age");
    let middle = text.len() / 2;
    let changed = if &text[middle..=middle] == "A" {
        "B"
    } else {
        "A"
    };
    let changed = [&text[..middle], changed, &text[middle + 1..]].concat();
    let project = project
        .file("changed.age", changed)
        .file("short.age", &text[..middle])
        .file("empty.txt", "# nothing\n");
    let drill = |words: &str| {
        project
            .run(&format!("keys drill {words} {FILE}"))
            .refused(1)
    };
    assert_snapshot!(drill("backup.age --identity bob.txt"), @"
    exit 1
    stderr:
      error: none of these identities decrypts backup.age
      hint: pass the identity file of one of its recipients with `--identity`
    files: unchanged
    ");
    assert_snapshot!(drill("changed.age --identity alice.txt"), @"
    exit 1
    stderr:
      error: changed.age is damaged or incomplete, and was not used
      hint: use another copy
    files: unchanged
    ");
    assert_snapshot!(drill("short.age --identity alice.txt"), @"
    exit 1
    stderr:
      error: short.age is damaged or incomplete, and was not used
      hint: use another copy
    files: unchanged
    ");
    assert_snapshot!(drill("sceau.yaml --identity alice.txt"), @"
    exit 1
    stderr:
      error: sceau.yaml is not a backup: it is not an age file
    files: unchanged
    ");
    assert_snapshot!(drill("backup.age --identity empty.txt"), @"
    exit 1
    stderr:
      error: empty.txt is not an age identity file
      hint: pass a file of `age-keygen`, with lines that begin with `AGE-SECRET-KEY-1`
    files: unchanged
    ");
}

#[test]
fn nothing_is_proved_by_nothing() {
    let alice = Keeper::new();
    let project = backed_up(&alice).file("empty/values.yaml", "replicas: 2\n");
    assert_snapshot!(
        project.run("keys drill backup.age --identity alice.txt empty").refused(1),
        @"
    exit 1
    stderr:
      error: found no SealedSecrets, so nothing was tested
      hint: pass the directories of the manifests
    files: unchanged
    "
    );
}

#[test]
fn an_identity_in_place_of_something_else_is_not_repeated() {
    let alice = Keeper::new();
    let project = project(&alice);
    let identity = alice.identity().lines().last().unwrap().to_owned();
    for words in [
        format!("keys backup --recipient {identity} {BACK_UP_PROD}"),
        format!(
            "keys backup --recipient {} {BACK_UP_PROD}",
            identity.to_lowercase()
        ),
        format!("keys backup --recipients-file alice.txt {BACK_UP_PROD}"),
        format!("keys backup --recipients-file {identity} {BACK_UP_PROD}"),
        format!("keys drill backup.age --identity {identity}"),
        format!("keys drill {identity} --identity alice.txt"),
    ] {
        let outcome = project.run(&words).refused(1);
        let shown = outcome.to_string();
        assert!(shown.contains("not repeated"), "{shown}");
        assert!(!shown.to_uppercase().contains(&identity[..24]), "{shown}");
    }
}

#[test]
fn missing_arguments_of_a_backup_are_reported() {
    let alice = Keeper::new();
    let project = project(&alice);
    let run = |words: &str| project.run(&format!("keys backup --write backup.age {words}"));
    assert_snapshot!(run("--keys prod.key").refused(1), @"
    exit 1
    stderr:
      error: no recipient was given
      hint: pass a public key of `age-keygen`: `--recipient age1...`
    files: unchanged
    ");
    let recipient = format!("--recipient {}", alice.recipient());
    assert_snapshot!(run(&format!("--keys prod.key {recipient}")).refused(1), @"
    exit 1
    stderr:
      error: a key in PEM does not name its environment
      hint: pass `--environment`
    files: unchanged
    ");
    assert_snapshot!(
        run(&format!("--keys prod.key --environment prod {recipient}")).refused(1),
        @"
    exit 1
    stderr:
      error: the certificate of [KEY Prod] is missing
      hint: pass its file with `--keys` too
    files: unchanged
    "
    );
    assert_snapshot!(run("--keys prod.key --recipient age1nobody").refused(1), @"
    exit 1
    stderr:
      error: --recipient: this is not an age recipient
      hint: use a recipient that begins with `age1`: plug-ins and SSH keys are not supported
    files: unchanged
    ");
}

#[test]
fn a_refusal_of_the_cluster_names_the_role() {
    let alice = Keeper::new();
    let server = ApiServer::with_refusal(403, "Forbidden", "secrets is forbidden");
    let project = backed_up(&alice).file("kubeconfig", server.kubeconfig());
    let backup = "keys backup --write new.age --kubeconfig kubeconfig";
    assert_snapshot!(
        project.run(&format!("{backup} --recipient {}", alice.recipient())).refused(4),
        @"
    exit 4
    stderr:
      error: the API server rejected the request: secrets is forbidden
      hint: bind the Role `sceau-key-keeper` to your user in the controller's namespace
    files: unchanged
    "
    );
    let restore = "keys restore backup.age --identity alice.txt --kubeconfig kubeconfig";
    assert_snapshot!(project.run(restore).refused(4), @"
    exit 4
    stderr:
      error: the API server rejected the request: secrets is forbidden
      hint: bind the Role `sceau-key-keeper` to your user in the controller's namespace
    files: unchanged
    ");
}
