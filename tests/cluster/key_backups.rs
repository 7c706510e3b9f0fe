//! Sealing keys that are backed up, lost and restored.

use std::ffi::OsStr;
use std::path::Path;
use std::time::Duration;

use cluster::commands::{self, Finished};
use cluster::scratch::Scratch;
use cluster::tools::Tool;
use cluster::wait::{SOON, until};
use cluster::{Cluster, Controller, Identity, Namespace, manifests, programs};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::{Api, ResourceExt as _};
use sealing::resource::{SealedSecret, SealingKeyState};
use serde_json::json;
use tokio::process::Command;

use crate::resealing::re_key;
use crate::sealed::{self, Sealer, certificate, environments};

const PATIENCE: Duration = Duration::from_mins(1);

/// A person who keeps an environment's keys, with a directory and the role for it.
struct Keeper {
    directory: Scratch,
    login: Identity,
    environment: String,
    recipient: String,
}

impl Keeper {
    async fn of(cluster: &Cluster, sealer: &Sealer<'_>) -> Self {
        let name = format!("keeper-of-{}", sealer.environment);
        let group = format!("--group={name}");
        let (role, namespace) = ("--role=sceau-key-keeper", manifests::NAMESPACE);
        let binding = [
            "create",
            "rolebinding",
            &name,
            role,
            &group,
            "-n",
            namespace,
        ];
        cluster.admin().kubectl(&binding).await.succeeded();
        let role = "--clusterrole=sceau-environment-reader";
        let binding = ["create", "clusterrolebinding", &name, role, &group];
        cluster.admin().kubectl(&binding).await.succeeded();
        let mut keeper = Self {
            directory: Scratch::create(),
            login: cluster.person("keeper", &name),
            environment: sealer.environment.to_string(),
            recipient: String::new(),
        };
        let keygen = Tool::AgeKeygen.path();
        let _ = keeper
            .runs(keygen, &["-o", "alice.txt"], "")
            .await
            .succeeded();
        let recipient = keeper
            .runs(keygen, &["-y", "alice.txt"], "")
            .await
            .succeeded();
        recipient.trim().clone_into(&mut keeper.recipient);
        keeper
    }

    async fn runs(&self, program: &Path, words: &[&str], input: &str) -> Finished {
        let mut command = Command::new(program);
        command
            .args(words.iter().map(OsStr::new))
            .current_dir(self.directory.directory())
            .env("KUBECONFIG", self.login.kubeconfig());
        commands::run(command, input.as_bytes(), PATIENCE).await
    }

    async fn sceau(&self, line: &str) -> Finished {
        let words: Vec<&str> = line.split_whitespace().collect();
        let finished = self.runs(programs::sceau().await, &words, "").await;
        for private in ["PRIVATE KEY", "AGE-SECRET-KEY"] {
            assert!(!finished.stdout.contains(private), "{finished:?}");
            assert!(!finished.stderr.contains(private), "{finished:?}");
        }
        finished
    }

    /// Backs up the environment's keys and returns the table of them.
    async fn back_up(&self, file: &str) -> String {
        let Self {
            environment,
            recipient,
            ..
        } = self;
        let line = format!(
            "keys backup --environment {environment} --recipient {recipient} --write {file}"
        );
        self.sceau(&line).await.succeeded()
    }

    async fn restore(&self, file: &str, flags: &str) -> Finished {
        self.sceau(&format!("keys restore {file} --identity alice.txt {flags}"))
            .await
    }

    async fn drill(&self, file: &str) -> Finished {
        self.sceau(&format!("keys drill {file} --identity alice.txt manifests"))
            .await
    }

    fn keep_manifest(&self, object: &SealedSecret) {
        let directory = self.directory.file("manifests");
        std::fs::create_dir_all(&directory).expect("the directory is ours");
        let text = serde_json::to_string(object).expect("it is JSON");
        let file = directory.join(format!("{}.json", object.name_any()));
        std::fs::write(file, text).expect("the directory is ours");
    }
}

fn key_secrets(sealer: &Sealer<'_>) -> Api<Secret> {
    Api::namespaced(sealer.namespace.client(), manifests::NAMESPACE)
}

/// The names of the environment's key Secrets.
async fn names(sealer: &Sealer<'_>) -> Vec<String> {
    let ours =
        ListParams::default().labels(&format!("sceau.dev/environment={}", sealer.environment));
    let listed = key_secrets(sealer).list(&ours).await;
    let listed = listed.expect("an administrator may");
    listed.iter().map(kube::ResourceExt::name_any).collect()
}

/// Deletes a key Secret in spite of its label for keys in use.
async fn lose(sealer: &Sealer<'_>, name: &str) {
    let secrets = key_secrets(sealer);
    let unmark = Patch::Merge(json!({"metadata": {"labels": {"sceau.dev/in-use": null}}}));
    let unmarked = secrets.patch(name, &PatchParams::default(), &unmark).await;
    unmarked.expect("an administrator may");
    let deleted = secrets.delete(name, &DeleteParams::default()).await;
    deleted.expect("it is not marked");
}

/// Ids and states of the environment's keys, newest first, once there are `count`.
async fn until_keys(sealer: &Sealer<'_>, count: usize) -> Vec<(String, SealingKeyState)> {
    until(&format!("there are {count} keys"), SOON, async || {
        let environment = environments(sealer.namespace)
            .get(sealer.environment.as_str())
            .await
            .map_err(|error| error.to_string())?;
        let keys = environment.status.unwrap_or_default().sealing_keys;
        let reported: Vec<_> = keys.into_iter().map(|it| (it.key_id, it.state)).collect();
        if reported.len() == count {
            Ok(reported)
        } else {
            Err(format!("{reported:?}"))
        }
    })
    .await
}

/// `createdAt` is the whole second in which a key was generated. The next key must be younger.
async fn until_another_second() {
    let began = Timestamp::now().as_second();
    until("the second is over", SOON, async || {
        let now = Timestamp::now().as_second();
        (now > began).then_some(()).ok_or_else(|| now.to_string())
    })
    .await;
}

/// The words of a table's column, without its header.
fn column(table: &str, index: usize) -> Vec<&str> {
    let lines = table.lines().skip(1).take_while(|line| !line.is_empty());
    let cells = lines.map(|line| line.split_whitespace().nth(index));
    cells.map(Option::unwrap_or_default).collect()
}

#[test]
fn a_lost_cluster_opens_everything_again() {
    cluster::run(async {
        let cluster = Cluster::start().await;
        let namespace = Namespace::create(&cluster).await;
        let mut controller = Controller::named("one").start(&cluster).await;
        controller.until_ready().await;
        let mut sealer = Sealer::create(&namespace).await;
        let keeper = Keeper::of(&cluster, &sealer).await;
        let old = sealer.seal("old", &[("A", b"1")]);
        let old_id = sealer.recipient.id().to_string();
        keeper.keep_manifest(&old);
        keeper.back_up("early.age").await;
        re_key(&mut sealer).await;
        let new = sealer.seal("new", &[("A", b"2")]);
        let new_id = sealer.recipient.id().to_string();
        keeper.keep_manifest(&new);

        let drilled = keeper.drill("early.age").await;
        assert_eq!(drilled.code, Some(3), "{drilled:?}");
        assert!(drilled.stdout.contains(&new_id), "{drilled:?}");
        let reported = keeper.back_up("late.age").await;
        assert_eq!(column(&reported, 1).len(), 2, "{reported}");
        for (id, state) in [(&old_id, "Retired"), (&new_id, "Active")] {
            let line = reported.lines().find(|line| line.contains(id.as_str()));
            assert!(line.is_some_and(|line| line.contains(state)), "{reported}");
        }
        let _ = keeper.drill("late.age").await.succeeded();

        let before = until_keys(&sealer, 2).await;
        controller.terminate().await;
        for name in names(&sealer).await {
            lose(&sealer, &name).await;
        }
        let reported = keeper.restore("late.age", "--dry-run").await.succeeded();
        assert_eq!(column(&reported, 0), ["WouldRestore"; 2], "{reported}");
        assert_eq!(names(&sealer).await, [""; 0]);
        let reported = keeper.restore("late.age", "").await.succeeded();
        assert_eq!(column(&reported, 0), ["Restored"; 2], "{reported}");
        let reported = keeper.restore("late.age", "").await.succeeded();
        assert_eq!(column(&reported, 0), ["Present"; 2], "{reported}");

        let mut controller = Controller::named("two").start(&cluster).await;
        controller.until_ready().await;
        sealer.apply(&old).await;
        sealer.apply(&new).await;
        sealer.until("old", "Unsealed").await;
        sealer.until("new", "Unsealed").await;
        sealer.until_items("old", &[("A", b"1")]).await;
        assert_eq!(until_keys(&sealer, 2).await, before);
    });
}

#[test]
fn a_cluster_set_up_anew_takes_the_keys_beside_its_own() {
    sealed::test(async |cluster, sealer| {
        let keeper = Keeper::of(cluster, sealer).await;
        let old = sealer.seal("old", &[("A", b"1")]);
        let old_id = sealer.recipient.id();
        keeper.back_up("backup.age").await;
        let [name] = &names(sealer).await[..] else {
            unreachable!("it has one key")
        };
        until_another_second().await;
        lose(sealer, name).await;
        let new_id = certificate(sealer.namespace, |it| it.key_id() != old_id)
            .await
            .key_id();
        assert_eq!(
            names(sealer).await,
            [name.as_str()],
            "the new key takes the name"
        );

        let reported = keeper.restore("backup.age", "").await.succeeded();
        assert_eq!(column(&reported, 0), ["Restored"], "{reported}");
        let own_name = format!("{name}-{}", old_id.short());
        assert_eq!(names(sealer).await, [name.clone(), own_name]);
        let keys = until_keys(sealer, 2).await;
        let (active, retired) = (new_id.to_string(), old_id.to_string());
        let expected = [
            (active, SealingKeyState::Active),
            (retired, SealingKeyState::Retired),
        ];
        assert_eq!(
            keys, expected,
            "a restored key never becomes the active one"
        );
        sealer.apply(&old).await;
        sealer.until("old", "Unsealed").await;
        let reported = keeper.restore("backup.age", "").await.succeeded();
        assert_eq!(column(&reported, 0), ["Present"], "{reported}");
    });
}

#[test]
fn a_revoked_key_stays_revoked() {
    sealed::test(async |cluster, sealer| {
        let keeper = Keeper::of(cluster, sealer).await;
        let old = sealer.seal("old", &[("A", b"1")]);
        let old_id = sealer.recipient.id();
        keeper.keep_manifest(&old);
        let [name] = &names(sealer).await[..] else {
            unreachable!("it has one key")
        };
        let revoked = json!({"sealingKeys": {"revokedKeyIds": [old_id.to_string()]}});
        sealer.patch_environment(&revoked).await;
        certificate(sealer.namespace, |it| it.key_id() != old_id).await;
        let reported = keeper.back_up("backup.age").await;
        assert!(reported.contains("Revoked"), "{reported}");
        let drilled = keeper.drill("backup.age").await;
        assert_eq!(drilled.code, Some(3), "{drilled:?}");
        assert!(drilled.stdout.contains("RevokedSealingKey"), "{drilled:?}");

        lose(sealer, name).await;
        until_keys(sealer, 1).await;
        let reported = keeper.restore("backup.age", "").await.succeeded();
        assert!(reported.contains("Restored"), "{reported}");
        let keys = until_keys(sealer, 2).await;
        assert!(keys.contains(&(old_id.to_string(), SealingKeyState::Revoked)));
        sealer.apply(&old).await;
        sealer.until("old", "RevokedSealingKey").await;

        lose(sealer, name).await;
        let nothing = json!({"sealingKeys": {"revokedKeyIds": null}});
        sealer.patch_environment(&nothing).await;
        let refused = keeper.restore("backup.age", "").await;
        assert_eq!(refused.code, Some(1), "{refused:?}");
        assert!(refused.stdout.contains("LeftOut"), "{refused:?}");
        assert_eq!(names(sealer).await.len(), 1);
    });
}

#[test]
fn another_secret_in_the_way_is_not_overwritten_and_the_others_go_on() {
    sealed::test(async |cluster, sealer| {
        let mut sealer = Sealer::existing(sealer.namespace).await;
        let keeper = Keeper::of(cluster, &sealer).await;
        let first = names(&sealer).await.remove(0);
        re_key(&mut sealer).await;
        re_key(&mut sealer).await;
        keeper.back_up("backup.age").await;
        lose(&sealer, &first).await;
        let foreign = json!({"metadata": {"name": first}, "stringData": {"A": "1"}});
        let foreign: Secret = serde_json::from_value(foreign).expect("it is a Secret");
        let secrets = key_secrets(&sealer);
        let created = secrets.create(&PostParams::default(), &foreign).await;
        let uid = created.expect("an administrator may").uid();

        let refused = keeper.restore("backup.age", "").await;
        assert_eq!(refused.code, Some(1), "{refused:?}");
        let results = column(&refused.stdout, 0);
        assert_eq!(
            results.iter().filter(|it| **it == "Present").count(),
            2,
            "{refused:?}"
        );
        assert_eq!(results.iter().filter(|it| **it == "NotRestored").count(), 1);
        let there = secrets.get(&first).await.expect("it is there");
        assert_eq!((there.uid(), there.data.map(|it| it.len())), (uid, Some(1)));
        let deleted = secrets.delete(&first, &DeleteParams::default()).await;
        deleted.expect("an administrator may");
    });
}

#[test]
fn age_and_kubectl_restore_a_backup_and_sceau_restores_theirs() {
    sealed::test(async |cluster, sealer| {
        let mut sealer = Sealer::existing(sealer.namespace).await;
        let keeper = Keeper::of(cluster, &sealer).await;
        let old = sealer.seal("old", &[("A", b"1")]);
        let name = names(&sealer).await.remove(0);
        re_key(&mut sealer).await;
        keeper.back_up("ours.age").await;
        lose(&sealer, &name).await;
        until_keys(&sealer, 1).await;
        let words = ["--decrypt", "--identity", "alice.txt", "ours.age"];
        let opened = keeper.runs(Tool::Age.path(), &words, "").await.succeeded();
        let apply = ["apply", "--filename", "-"];
        let applied = cluster.admin().kubectl_with_input(&apply, &opened).await;
        let _ = applied.succeeded();
        until_keys(&sealer, 2).await;
        sealer.apply(&old).await;
        sealer.until("old", "Unsealed").await;

        let read = [
            "get",
            "secret",
            &name,
            "-n",
            manifests::NAMESPACE,
            "-o",
            "yaml",
        ];
        let exported = cluster.admin().kubectl(&read).await.succeeded();
        let words = ["--recipient", &keeper.recipient, "--output", "theirs.age"];
        let _ = keeper
            .runs(Tool::Age.path(), &words, &exported)
            .await
            .succeeded();
        lose(&sealer, &name).await;
        let reported = keeper.restore("theirs.age", "").await.succeeded();
        assert_eq!(column(&reported, 0), ["Restored"], "{reported}");
        assert_eq!(until_keys(&sealer, 2).await[1].1, SealingKeyState::Retired);
    });
}

#[test]
fn the_originals_keys_are_restored_once() {
    sealed::test(async |cluster, sealer| {
        let keeper = Keeper::of(cluster, sealer).await;
        let name = format!("original-of-{}", sealer.environment);
        let original = json!({
            "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls",
            "metadata": {
                "name": name,
                "labels": {"sealedsecrets.bitnami.com/sealed-secrets-key": "active"},
            },
            "stringData": {
                "tls.crt": include_str!("../vectors/test-2048.crt"),
                "tls.key": include_str!("../vectors/test-2048.key"),
            },
        });
        keeper.directory.write("keys.json", &original.to_string());
        let recipient = &keeper.recipient;
        let backup =
            format!("keys backup --keys keys.json --recipient {recipient} --write backup.age");
        let _ = keeper.sceau(&backup).await.succeeded();
        for result in ["Restored", "Present"] {
            let reported = keeper.restore("backup.age", "").await.succeeded();
            assert_eq!(column(&reported, 0), [result], "{reported}");
        }
        let secrets = key_secrets(sealer);
        let there = secrets.get(&name).await.expect("it was restored");
        let labels = &original["metadata"]["labels"];
        assert_eq!(
            serde_json::to_value(there.labels()).ok().as_ref(),
            Some(labels)
        );
        let deleted = secrets.delete(&name, &DeleteParams::default()).await;
        deleted.expect("an administrator may");
    });
}

#[test]
fn without_the_role_nothing_is_read_and_nothing_restored() {
    sealed::test(async |cluster, sealer| {
        let mut keeper = Keeper::of(cluster, sealer).await;
        keeper.back_up("backup.age").await;
        keeper.login = cluster.person("nobody", "nobodies");
        let backup = format!(
            "keys backup --recipient {} --write new.age",
            keeper.recipient
        );
        for line in [&backup, "keys restore backup.age --identity alice.txt"] {
            let refused = keeper.sceau(line).await;
            assert_eq!(refused.code, Some(4), "{refused:?}");
            assert!(refused.stderr.contains("sceau-key-keeper"), "{refused:?}");
        }
        assert!(!keeper.directory.file("new.age").exists());
    });
}
