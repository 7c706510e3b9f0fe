//! A person leaves: two environments are re-keyed, and what the person could read is rotated until
//! the list is done.

use cluster::commands::{self, Finished};
use cluster::scratch::Scratch;
use cluster::wait::SOON;
use cluster::{Cluster, Namespace, programs};
use serde_json::Value;
use tokio::process::Command;

use crate::sealed::Sealer;

/// The working copy of an operator.
struct WorkingCopy {
    directory: Scratch,
    kubeconfig: String,
}

impl WorkingCopy {
    /// A repository with a project file for these environments, all of which alice operates.
    async fn create(cluster: &Cluster, environments: &[&str]) -> Self {
        let copy = Self {
            directory: Scratch::create(),
            kubeconfig: cluster.admin().kubeconfig().display().to_string(),
        };
        let settings = environments.iter().map(|name| {
            format!("  {name}: {{certificates: [{name}.pem], paths: [\"{name}/**\"]}}\n")
        });
        let settings: Vec<String> = settings.collect();
        let operates = environments.join(", ");
        let people = format!("people:\n  alice: {{operates: [{operates}]}}\n");
        copy.directory.write(
            "sceau.yaml",
            &format!("environments:\n{}{people}", settings.concat()),
        );
        copy.run("git", &["init", "--quiet"], "").await;
        copy
    }

    async fn sceau(&self, line: &str, input: &str) -> String {
        let program = programs::sceau().await.display().to_string();
        let words: Vec<&str> = line.split(' ').collect();
        self.run(&program, &words, input).await
    }

    async fn run(&self, program: &str, words: &[&str], input: &str) -> String {
        self.finish(program, words, input).await.succeeded()
    }

    async fn finish(&self, program: &str, words: &[&str], input: &str) -> Finished {
        let mut command = Command::new(program);
        command
            .args(words)
            .current_dir(self.directory.directory())
            .env("KUBECONFIG", &self.kubeconfig);
        commands::run(command, input.as_bytes(), SOON * 4).await
    }

    async fn commit(&self, message: &str) {
        self.run("git", &["add", "--all"], "").await;
        let name = ["-c", "user.name=ops", "-c", "user.email=ops@shop.example"];
        let words = [&name[..], &["commit", "--quiet", "--message", message]].concat();
        self.run("git", &words, "").await;
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.directory.file(name)).expect("the file is there")
    }
}

fn manifest(sealer: &Sealer<'_>) -> String {
    format!("{}/secret.yaml", sealer.environment)
}

/// Applies the manifests of the working copy, and waits until the Secret holds the value.
async fn apply(copy: &WorkingCopy, cluster: &Cluster, sealer: &Sealer<'_>, value: &[u8]) {
    let file = copy.directory.file(&manifest(sealer));
    let file = file.to_str().expect("the path is UTF-8");
    let applied = cluster
        .admin()
        .kubectl(&["apply", "--filename", file])
        .await;
    let _ = applied.succeeded();
    sealer.until("api", "Unsealed").await;
    sealer.until_items("api", &[("PIN", value)]).await;
}

#[test]
fn two_environments_are_re_keyed_and_the_list_empties_as_values_are_renewed() {
    cluster::test(async |cluster, namespace| {
        cluster.shared_controller().await;
        let further = Namespace::create(cluster).await;
        let sealers = [
            Sealer::create(namespace).await,
            Sealer::create(&further).await,
        ];
        let names = sealers.each_ref().map(|it| it.environment.as_str());
        let copy = WorkingCopy::create(cluster, &names).await;
        for sealer in &sealers {
            let environment = &sealer.environment;
            copy.sceau(
                &format!("certificate fetch --environment {environment} --yes"),
                "",
            )
            .await;
            let place = format!("--name api --namespace {environment}");
            let line = format!("seal {place} --from-stdin PIN --write {}", manifest(sealer));
            copy.sceau(&line, "correct horse").await;
            apply(&copy, cluster, sealer, b"correct horse").await;
        }
        copy.commit("Seal api twice").await;

        copy.sceau("offboard alice", "").await;
        for sealer in &sealers {
            let old = sealer.recipient.id().to_string();
            assert!(
                !copy.text(&manifest(sealer)).contains(&old),
                "it is resealed"
            );
            apply(&copy, cluster, sealer, b"correct horse").await;
        }
        assert_eq!(open(&copy).await, ["SameText", "SameText"]);
        copy.commit("Offboard alice").await;
        copy.sceau("offboard alice", "").await;
        assert_eq!(
            copy.run("git", &["status", "--short"], "").await,
            "",
            "once is enough"
        );

        for (index, sealer) in sealers.iter().enumerate() {
            copy.sceau(
                &format!("set {} PIN --from-stdin", manifest(sealer)),
                "battery staple",
            )
            .await;
            apply(&copy, cluster, sealer, b"battery staple").await;
            assert_eq!(open(&copy).await.len(), 1 - index);
        }
        copy.sceau("rotations --mark --cluster", "").await;
        let status = copy
            .run("git", &["status", "--short", "rotations"], "")
            .await;
        let list = status
            .trim()
            .split(' ')
            .next_back()
            .expect("it has changed");
        assert_eq!(copy.text(list).matches("knownBy: controller").count(), 2);
        assert!(copy.text(list).contains("\nclosed: "));
    });
}

/// The states of the open entries, by files and cluster.
async fn open(copy: &WorkingCopy) -> Vec<String> {
    let rows = copy.sceau("rotations --cluster -o json", "").await;
    let rows: Value = serde_json::from_str(&rows).expect("it is JSON");
    let rows = rows.as_array().expect("it is a list").iter();
    rows.map(|row| row["state"].as_str().expect("it is a text").to_owned())
        .collect()
}
