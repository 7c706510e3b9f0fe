//! Resealing a repository beside the original's `kubeseal --re-encrypt`, in one run:
//! `cargo bench -p bench --bench resealing`.
//!
//! 1,000 manifests of 5 items, each in a file of its own, sealed to an RSA-4096 key that was replaced
//! since. Times whole processes: `sceau reseal` through the controller and with private keys at
//! hand, and the original's program file by file, which is how it works, through its controller.
#![expect(clippy::print_stdout, reason = "it is there to be read")]

mod bitnami;

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use cluster::{
    Cluster, Controller,
    commands::{self, Finished},
    programs,
    scratch::Scratch,
    wait,
};
use jiff::{SignedDuration, Timestamp};
use kube::{
    Api,
    api::{Patch, PatchParams, PostParams},
};
use sealing::resource::Environment;
use serde_json::json;
use tokio::process::Command;

const MANIFESTS: usize = 1000;
const PATIENCE: Duration = Duration::from_mins(10);
const RUNS: usize = 3;

fn main() {
    if bitnami::is_inside() {
        cluster::run(bitnami::measure());
        return;
    }
    let cores = thread::available_parallelism().map_or(1, Into::into);
    println!("{MANIFESTS} manifests of 5 items, RSA-4096, {cores} cores");
    cluster::run(measure());
    if let Err(missing) = bitnami::run_inside() {
        println!("kubeseal --re-encrypt: skipped, for {missing}");
    }
}

/// `sceau reseal` through the controller, and with the old key at hand: the median of each.
async fn measure() {
    let cluster = Cluster::start().await;
    let mut controller = Controller::named("bench").start(&cluster).await;
    controller.until_ready().await;
    let repository = Repository::with_stale_seals(&cluster).await;
    for (what, words) in [
        ("through the controller", "reseal"),
        (
            "with private keys at hand",
            "reseal --keys ../old-keys.yaml",
        ),
    ] {
        let mut times = Vec::new();
        for _ in 0..RUNS {
            repository.restore();
            let began = Instant::now();
            let finished = repository.sceau(words).await;
            times.push(began.elapsed());
            let told = format!("seals: {MANIFESTS} resealed");
            assert!(finished.stderr.contains(&told), "{finished:?}");
        }
        times.sort();
        println!("sceau reseal, {what:25} {:.2?}", times[RUNS / 2]);
    }
}

/// A repository whose pinned certificate is newer than its seals, and the key of these beside it.
struct Repository {
    place: Scratch,
    kubeconfig: PathBuf,
    stale: Vec<String>,
}

impl Repository {
    async fn with_stale_seals(cluster: &Cluster) -> Self {
        let place = Scratch::create();
        fs::create_dir(place.file("repository")).expect("the directory is new");
        let mut repository = Self {
            kubeconfig: cluster.admin().kubeconfig().to_owned(),
            stale: Vec::new(),
            place,
        };
        let project = "environments:\n  prod: {certificates: [prod.pem]}\n";
        repository.write("sceau.yaml", project);
        create_environment(cluster).await;
        repository.pin().await;
        repository.write("thousand.yaml", &secrets());
        let sealed = repository
            .sceau("seal --environment prod thousand.yaml")
            .await;
        let sealed = sealed.succeeded();
        repository.stale = sealed.split("---\n").map(str::to_owned).collect();
        assert_eq!(repository.stale.len(), MANIFESTS);
        fs::remove_file(repository.path("thousand.yaml")).expect("it was written");
        let ours = ["get", "secrets", "-n", cluster::manifests::NAMESPACE];
        let ours = [
            &ours[..],
            &["-l", "sceau.dev/environment=prod", "-o", "yaml"],
        ]
        .concat();
        let exported = cluster.admin().kubectl(&ours).await.succeeded();
        repository.place.write("old-keys.yaml", &exported);
        re_key(cluster).await;
        repository.pin().await;
        repository
    }

    /// Pins the certificate that the cluster has now.
    async fn pin(&self) {
        let fetched = self
            .sceau("certificate fetch --environment prod --yes")
            .await;
        let _ = fetched.succeeded();
    }

    /// Makes every seal stale again.
    fn restore(&self) {
        for (number, manifest) in self.stale.iter().enumerate() {
            self.write(&format!("{number}.yaml"), manifest);
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.place.file("repository").join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("the directory is ours");
    }

    async fn sceau(&self, words: &str) -> Finished {
        let mut command = Command::new(programs::sceau().await);
        command
            .args(words.split_whitespace())
            .current_dir(self.place.file("repository"))
            .env("KUBECONFIG", &self.kubeconfig);
        commands::run(command, b"", PATIENCE).await
    }
}

async fn create_environment(cluster: &Cluster) {
    let environment = json!({
        "apiVersion": "sceau.dev/v1alpha1", "kind": "Environment",
        "metadata": {"name": "prod"},
        "spec": {"namespaces": ["shop"], "sealingKeys": {"bits": 4096}},
    });
    let environment = serde_json::from_value(environment).expect("it is an Environment");
    let created = environments(cluster)
        .await
        .create(&PostParams::default(), &environment)
        .await;
    created.expect("the API server takes it");
    until_keys(cluster, 1).await;
}

async fn re_key(cluster: &Cluster) {
    // A key is as old as the whole second in which it was made.
    let later = Timestamp::now() + SignedDuration::from_secs(1);
    let later = later.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let order = json!({"spec": {"sealingKeys": {"cutoffTime": later}}});
    let patched = environments(cluster)
        .await
        .patch("prod", &PatchParams::default(), &Patch::Merge(order))
        .await;
    patched.expect("the API server takes the patch");
    until_keys(cluster, 2).await;
}

async fn environments(cluster: &Cluster) -> Api<Environment> {
    Api::all(cluster.admin().client().await)
}

/// Waits until the environment has so many keys and tells the certificate of the newest.
async fn until_keys(cluster: &Cluster, count: usize) {
    let api = environments(cluster).await;
    wait::until("there are keys", PATIENCE, async || {
        let environment = api.get("prod").await.map_err(|error| error.to_string())?;
        let status = environment.status.unwrap_or_default();
        let is_ready = status.certificate.is_some() && status.sealing_keys.len() == count;
        is_ready
            .then_some(())
            .ok_or_else(|| format!("{} keys", status.sealing_keys.len()))
    })
    .await;
}

/// Secrets of 5 items, in one stream.
fn secrets() -> String {
    (0..MANIFESTS).fold(String::new(), |mut text, n| {
        let separator = if n == 0 { "" } else { "---\n" };
        let _ = write!(
            text,
            "{separator}apiVersion: v1\nkind: Secret\nmetadata: {{name: s{n}, namespace: shop}}\n\
             stringData: {{a: one, b: two, c: three, d: four, e: five}}\n"
        );
        text
    })
}

/// The path of a file that a program takes as an argument.
fn text_of(path: &Path) -> &str {
    path.to_str().expect("the harness names files in ASCII")
}
