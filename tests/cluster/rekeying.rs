//! `sceau rekey` against a real API server: old keys are revoked when no manifest needs them, and
//! all of them after a leak.

use std::path::Path;
use std::time::Duration;

use cluster::commands::{self, Finished};
use cluster::wait::{SOON, until};
use cluster::{Cluster, Identity, Namespace, programs};
use kube::api::{Patch, PatchParams};
use serde_json::json;
use tempfile::TempDir;
use tokio::process::Command;

use crate::harness::bound;
use crate::requests::code;
use crate::sealed::{self, Sealer, environments};

const FILE: &str = "deploy/api/prod/secret.yaml";
const PATIENCE: Duration = Duration::from_mins(2);

/// A repository with one sealed and applied secret, `api`.
struct Repository<'a> {
    directory: TempDir,
    operator: Identity,
    admin: Identity,
    sealer: &'a Sealer<'a>,
}

impl<'a> Repository<'a> {
    async fn create(cluster: &Cluster, sealer: &'a Sealer<'a>) -> Self {
        let name = sealer.namespace.name();
        let repository = Self {
            directory: TempDir::new().expect("the temporary directory is writable"),
            operator: bound(cluster, sealer.namespace, "sceau-operator").await,
            admin: cluster.admin().clone(),
            sealer,
        };
        repository.write(
            "sceau.yaml",
            &format!(
                "environments:\n  {name}: {{certificates: [prod.pem], paths: [\"deploy/**\"]}}\n"
            ),
        );
        repository
            .run("certificate fetch --environment ENV --yes")
            .await
            .succeeded();
        let seal = format!(
            "seal --environment ENV --namespace {name} --name api --from-stdin A --write {FILE}"
        );
        let made = repository.run_as(&repository.operator, &seal, "good").await;
        made.succeeded();
        repository.sync().await;
        repository
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.path().join(file);
        let folder = path.parent().expect("it is below the directory");
        std::fs::create_dir_all(folder).expect("the directory is writable");
        std::fs::write(path, text).expect("the directory is writable");
    }

    fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.path().join(file)).expect("it was written")
    }

    /// Runs a command line as an operator; `ENV` stands for the environment's name.
    async fn run(&self, line: &str) -> Finished {
        self.run_as(&self.operator, line, "").await
    }

    async fn run_as(&self, who: &Identity, line: &str, input: &str) -> Finished {
        let line = line.replace("ENV", self.sealer.environment.as_str());
        let mut sceau = Command::new(programs::sceau().await);
        sceau
            .args(line.split(' '))
            .current_dir(self.path())
            .env("KUBECONFIG", who.kubeconfig());
        commands::run(sceau, input.as_bytes(), PATIENCE).await
    }

    /// Applies the manifest of `api`, as Argo CD and Flux do, and waits until it is unsealed.
    async fn sync(&self) {
        let file = self.path().join(FILE).display().to_string();
        let apply = ["apply", "--server-side", "--force-conflicts", "-f", &file];
        self.admin.kubectl(&apply).await.succeeded();
        self.sealer.until("api", "Unsealed").await;
    }

    /// Runs `--finish` until it is done: counting takes the controller a moment.
    async fn finish(&self) -> Finished {
        until("the old key is revoked", SOON, async || {
            let finished = self.run("rekey --environment ENV --finish").await;
            match finished.code {
                Some(0) => Ok(finished),
                _ => Err(format!("{finished:?}")),
            }
        })
        .await
    }

    async fn revoked(&self) -> Vec<String> {
        revoked(self.sealer.namespace).await
    }
}

async fn revoked(namespace: &Namespace) -> Vec<String> {
    let environment = environments(namespace).get(namespace.name()).await;
    let environment = environment.expect("it is there");
    environment.spec.sealing_keys.revoked_key_ids
}

fn says(finished: &Finished, text: &str) -> bool {
    finished.stdout.contains(text) || finished.stderr.contains(text)
}

#[test]
fn an_old_key_is_revoked_when_neither_cluster_nor_repository_needs_it() {
    sealed::test(async |cluster, sealer| {
        let repository = Repository::create(cluster, sealer).await;
        sealer.until_counted(1).await;
        let stale = repository.read(FILE);
        repository.run("rekey --environment ENV").await.succeeded();

        // Resealed, and not synced.
        let refused = repository.run("rekey --environment ENV --finish").await;
        assert_eq!(refused.code, Some(3), "{refused:?}");
        assert!(
            says(&refused, "1 SealedSecret   the cluster"),
            "{refused:?}"
        );
        assert!(!says(&refused, FILE), "{refused:?}");

        // Synced, and another manifest is not resealed.
        repository.sync().await;
        sealer.until_counted(0).await;
        repository.write("deploy/web/prod/secret.yaml", &stale);
        let refused = repository.run("rekey --environment ENV --finish").await;
        assert_eq!(refused.code, Some(3), "{refused:?}");
        assert!(
            says(&refused, "deploy/web/prod/secret.yaml:1"),
            "{refused:?}"
        );
        assert!(!says(&refused, "the cluster\n"), "{refused:?}");
        assert_eq!(repository.revoked().await, [""; 0]);

        repository.run("reseal").await.succeeded();
        let finished = repository.finish().await;
        let old = sealer.recipient.id().to_string();
        assert!(says(&finished, &format!("revoked {old}")), "{finished:?}");
        assert_eq!(repository.revoked().await, [old.as_str()]);
        let again = repository.finish().await;
        assert!(says(&again, "has no old keys"), "{again:?}");
        assert_eq!(repository.revoked().await, [old]);

        sealer.apply(&sealer.seal("late", &[("A", b"1")])).await;
        sealer.until("late", "RevokedSealingKey").await;
        sealer.until("api", "Unsealed").await;
        sealer.until_items("api", &[("A", b"good")]).await;
    });
}

#[test]
fn several_runs_at_once_revoke_the_old_key_once() {
    sealed::test(async |cluster, sealer| {
        let repository = Repository::create(cluster, sealer).await;
        repository.run("rekey --environment ENV").await.succeeded();
        repository.sync().await;
        sealer.until_counted(0).await;
        let finish = || repository.run("rekey --environment ENV --finish");
        let runs = tokio::join!(finish(), finish(), finish(), finish());
        for run in [runs.0, runs.1, runs.2, runs.3] {
            run.succeeded();
        }
        let old = sealer.recipient.id().to_string();
        assert_eq!(repository.revoked().await, [old]);
    });
}

/// The precondition of a revocation: it is written on the version that was read, or not at all.
#[test]
fn an_environment_that_was_changed_since_is_not_written_over() {
    sealed::test(async |_, sealer| {
        let environments = environments(sealer.namespace);
        let name = sealer.namespace.name();
        let read = environments.get(name).await.expect("it is there");
        sealer
            .patch_environment(&json!({"deniedSecretTypes": ["example.com/type"]}))
            .await;
        let patch = Patch::Merge(json!({
            "metadata": {"resourceVersion": read.metadata.resource_version},
            "spec": {"sealingKeys": {"revokedKeyIds": [sealer.recipient.id()]}},
        }));
        let parameters = PatchParams::default();
        let patched = environments.patch(name, &parameters, &patch).await;
        assert_eq!(code(patched), Some(409));
        assert_eq!(revoked(sealer.namespace).await, [""; 0]);
    });
}

#[test]
fn whoever_is_no_operator_revokes_nothing() {
    sealed::test(async |cluster, sealer| {
        let repository = Repository::create(cluster, sealer).await;
        repository.run("rekey --environment ENV").await.succeeded();
        repository.sync().await;
        sealer.until_counted(0).await;
        let resealer = bound(cluster, sealer.namespace, "sceau-resealer").await;
        for how in ["--finish", "--compromised --yes"] {
            let line = format!("rekey --environment ENV {how}");
            let refused = repository.run_as(&resealer, &line, "").await;
            assert_eq!(refused.code, Some(4), "{refused:?}");
            assert!(says(&refused, "is forbidden"), "{refused:?}");
            assert!(says(&refused, "`sceau-operator`"), "{refused:?}");
        }
        assert_eq!(repository.revoked().await, [""; 0]);
    });
}

#[test]
fn after_a_leak_everything_is_revoked_and_new_values_open_again() {
    sealed::test(async |cluster, sealer| {
        let repository = Repository::create(cluster, sealer).await;
        let old = sealer.recipient.id().to_string();
        let line = "rekey --environment ENV --compromised";
        let unasked = repository.run(line).await;
        assert_eq!(unasked.code, Some(1), "{unasked:?}");
        assert_eq!(repository.revoked().await, [""; 0]);

        let reported = repository.run(&format!("{line} --yes")).await;
        assert_eq!(reported.code, Some(3), "{reported:?}");
        assert!(says(&reported, "nowhere"), "{reported:?}");
        assert!(says(&reported, &format!("{FILE}:1")), "{reported:?}");
        assert_eq!(repository.revoked().await, [old]);
        sealer.until("api", "RevokedSealingKey").await;
        sealer.until_items("api", &[("A", b"good")]).await;

        let pinned = Sealer::existing(sealer.namespace).await.recipient.id();
        let shown = repository.run("certificate show").await.succeeded();
        assert!(shown.contains(&pinned.to_string()), "{shown}");
        let set = format!("set {FILE} A --from-stdin");
        let set = repository.run_as(&repository.operator, &set, "new").await;
        set.succeeded();
        repository.sync().await;
        sealer.until_items("api", &[("A", b"new")]).await;
        let finished = repository.finish().await;
        assert!(says(&finished, "has no old keys"), "{finished:?}");
    });
}

/// What is on disk after an interruption is either of two: the certificate is pinned, or it is not.
#[test]
fn an_interrupted_run_after_a_leak_goes_on_where_it_stopped() {
    sealed::test(async |cluster, sealer| {
        let repository = Repository::create(cluster, sealer).await;
        let old = sealer.recipient.id().to_string();
        let line = "rekey --environment ENV --compromised --yes";
        // This does not wait: the key is revoked, and the next one does not exist yet.
        let stopped = repository.run(&format!("{line} --timeout 0")).await;
        assert_eq!(stopped.code, Some(4), "{stopped:?}");
        assert_eq!(repository.revoked().await, [old.as_str()]);
        let pinned = repository.read("prod.pem");
        for _ in 0..2 {
            // Without the pin, as if it had been interrupted before that.
            repository.write("prod.pem", &pinned);
            let reported = repository
                .run("rekey --environment ENV --compromised")
                .await;
            assert_eq!(reported.code, Some(3), "{reported:?}");
            assert!(says(&reported, FILE), "{reported:?}");
            assert_eq!(repository.revoked().await, [old.as_str()]);
            assert_ne!(repository.read("prod.pem"), pinned);
        }
        let environments = environments(sealer.namespace);
        let environment = environments.get(sealer.namespace.name()).await;
        let status = environment.expect("it is there").status;
        let keys = status.expect("it has a status").sealing_keys;
        assert_eq!(keys.len(), 2, "one new key");
    });
}
