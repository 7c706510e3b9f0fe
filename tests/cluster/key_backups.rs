//! Sealing keys that are backed up, lost and restored.

mod keeper;

use cluster::tools::Tool;
use cluster::wait::{SOON, until};
use cluster::{Controller, manifests};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use sealing::resource::SealingKeyState;
use serde_json::json;

use self::keeper::Keeper;
use crate::sealed::{self, Sealer, certificate, environment_status, key_secrets, stored_keys};

/// The names of the environment's key Secrets.
async fn names(sealer: &Sealer<'_>) -> Vec<String> {
    let stored = stored_keys(sealer.namespace).await;
    let stored = stored.expect("an administrator may");
    stored.iter().map(ResourceExt::name_any).collect()
}

/// Deletes a key Secret as somebody does who is not to be stopped by a mark.
async fn lose(sealer: &Sealer<'_>, name: &str) {
    let secrets = key_secrets(sealer.namespace);
    let unmark = Patch::Merge(json!({"metadata": {"labels": {"sceau.dev/in-use": null}}}));
    let unmarked = secrets.patch(name, &PatchParams::default(), &unmark).await;
    unmarked.expect("an administrator may");
    let deleted = secrets.delete(name, &DeleteParams::default()).await;
    deleted.expect("it is not marked");
}

/// Ids and states of the environment's keys, newest first, once there are so many.
async fn until_keys(sealer: &Sealer<'_>, count: usize) -> Vec<(String, SealingKeyState)> {
    until(&format!("there are {count} keys"), SOON, async || {
        let keys = environment_status(sealer.namespace).await?.sealing_keys;
        let told: Vec<_> = keys.into_iter().map(|it| (it.key_id, it.state)).collect();
        if told.len() == count {
            Ok(told)
        } else {
            Err(format!("{told:?}"))
        }
    })
    .await
}

/// A key is as old as the whole second in which it was made: the next one shall be younger.
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
    cluster::test_alone(async |cluster, controller, namespace| {
        let mut sealer = Sealer::create(namespace).await;
        let keeper = Keeper::of(cluster, &sealer).await;
        let old = sealer.seal("old", &[("A", b"1")]);
        let old_id = sealer.recipient.id().to_string();
        keeper.keep_manifest(&old);
        keeper.back_up("early.age").await;
        sealer.re_key().await;
        let new = sealer.seal("new", &[("A", b"2")]);
        let new_id = sealer.recipient.id().to_string();
        keeper.keep_manifest(&new);

        let drilled = keeper.drill("early.age").await;
        assert_eq!(drilled.code, Some(3), "{drilled:?}");
        assert!(drilled.stdout.contains(&new_id), "{drilled:?}");
        let told = keeper.back_up("late.age").await;
        assert_eq!(column(&told, 1).len(), 2, "{told}");
        for (id, state) in [(&old_id, "Retired"), (&new_id, "Active")] {
            let line = told.lines().find(|line| line.contains(id.as_str()));
            assert!(line.is_some_and(|line| line.contains(state)), "{told}");
        }
        let _ = keeper.drill("late.age").await.succeeded();

        let before = until_keys(&sealer, 2).await;
        controller.terminate().await;
        for name in names(&sealer).await {
            lose(&sealer, &name).await;
        }
        let told = keeper.restore("late.age", "--dry-run").await.succeeded();
        assert_eq!(column(&told, 0), ["WouldRestore"; 2], "{told}");
        assert_eq!(names(&sealer).await, [""; 0]);
        let told = keeper.restore("late.age", "").await.succeeded();
        assert_eq!(column(&told, 0), ["Restored"; 2], "{told}");
        let told = keeper.restore("late.age", "").await.succeeded();
        assert_eq!(column(&told, 0), ["Present"; 2], "{told}");

        let _controller = Controller::named("two").ready(cluster).await;
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

        let told = keeper.restore("backup.age", "").await.succeeded();
        assert_eq!(column(&told, 0), ["Restored"], "{told}");
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
        let told = keeper.restore("backup.age", "").await.succeeded();
        assert_eq!(column(&told, 0), ["Present"], "{told}");
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
        sealer.revoke(old_id).await;
        certificate(sealer.namespace, |it| it.key_id() != old_id).await;
        let told = keeper.back_up("backup.age").await;
        assert!(told.contains("Revoked"), "{told}");
        let drilled = keeper.drill("backup.age").await;
        assert_eq!(drilled.code, Some(3), "{drilled:?}");
        assert!(drilled.stdout.contains("RevokedSealingKey"), "{drilled:?}");

        lose(sealer, name).await;
        until_keys(sealer, 1).await;
        let told = keeper.restore("backup.age", "").await.succeeded();
        assert!(told.contains("Restored"), "{told}");
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
        sealer.re_key().await;
        sealer.re_key().await;
        keeper.back_up("backup.age").await;
        lose(&sealer, &first).await;
        let foreign = json!({"metadata": {"name": first}, "stringData": {"A": "1"}});
        let foreign: Secret = serde_json::from_value(foreign).expect("it is a Secret");
        let secrets = key_secrets(sealer.namespace);
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
        sealer.re_key().await;
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
        let told = keeper.restore("theirs.age", "").await.succeeded();
        assert_eq!(column(&told, 0), ["Restored"], "{told}");
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
            let told = keeper.restore("backup.age", "").await.succeeded();
            assert_eq!(column(&told, 0), [result], "{told}");
        }
        let secrets = key_secrets(sealer.namespace);
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
