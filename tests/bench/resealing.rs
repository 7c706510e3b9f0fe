//! Resealing a repository of 1,000 manifests of 5 items for a new key of 4096 bits, beside the
//! original's `kubeseal --re-encrypt`, file by file: `cargo bench -p bench --bench resealing`.
#![expect(clippy::print_stdout, reason = "it is there to be read")]

mod original;

use std::{
    path::Path,
    time::{Duration, Instant},
};

use cluster::{
    Cluster, Controller, commands, manifests::NAMESPACE, programs, scratch::Scratch, wait,
};
use jiff::{SignedDuration, Timestamp};
use tokio::process::Command;

const MANIFESTS: usize = 1000;
const PATIENCE: Duration = Duration::from_mins(10);

fn main() {
    original::enter_network();
    cluster::run(async {
        println!("{MANIFESTS} manifests of 5 items, a file each, RSA-4096, on a real API server");
        let cluster = Cluster::start().await;
        let ours = ours(&cluster).await;
        if original::is_in_network() {
            let reference = original::measure(&cluster).await;
            let times = reference.div_duration_f64(ours);
            println!("through the controller, sceau took {times:.0} times less");
        } else {
            println!("skipped: kubeseal --re-encrypt, because no network namespace can be made");
        }
    });
}

/// Secrets in one text, a document each.
fn secrets() -> String {
    let secret = |n| {
        format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: s{n}, namespace: shop}}\n\
             stringData: {{a: one, b: two, c: three, d: four, e: five}}\n"
        )
    };
    let secrets: Vec<_> = (0..MANIFESTS).map(secret).collect();
    secrets.join("---\n")
}

/// Writes each document of a text to a file of its own.
fn write_files(place: &Scratch, documents: &str) {
    let files = documents.split("---\n").filter(|it| !it.trim().is_empty());
    let count = files
        .enumerate()
        .map(|(n, document)| place.write(&format!("{n}.yaml"), document))
        .count();
    assert_eq!(count, MANIFESTS);
}

async fn run(program: &Path, words: &[&str], place: &Scratch, input: &str) -> String {
    let mut command = Command::new(program);
    command.args(words).current_dir(place.directory());
    let finished = commands::run(command, input.as_bytes(), PATIENCE).await;
    finished.succeeded()
}

/// Prints how long sceau takes, offline and through the controller, and returns the latter.
async fn ours(cluster: &Cluster) -> Duration {
    let mut controller = Controller::named("reseal").start(cluster).await;
    controller.until_ready().await;
    let sceau = programs::sceau().await;
    let place = Scratch::create();
    let project = "environments: {prod: {certificates: [prod.pem], paths: [\"*.yaml\"]}}\n";
    place.write("sceau.yaml", project);
    let environment = "apiVersion: sceau.dev/v1alpha1\nkind: Environment\n\
                       metadata: {name: prod}\nspec: {namespaces: [shop]}\n";
    let apply = ["apply", "-f", "-"];
    let admin = cluster.admin();
    let _ = admin
        .kubectl_with_input(&apply, environment)
        .await
        .succeeded();
    let first = next_certificate(cluster, "").await;
    place.write("prod.pem", &first);
    let sealed = run(
        sceau,
        &["seal", "--environment", "prod"],
        &place,
        &secrets(),
    )
    .await;
    renew(cluster).await;
    place.write("prod.pem", &next_certificate(cluster, &first).await);

    let label = "sceau.dev/sealing-key";
    let export = ["get", "secrets", "-n", NAMESPACE, "-l", label, "-o", "yaml"];
    let exported = admin.kubectl(&export).await.succeeded();
    let vault = Scratch::create();
    let keys = vault.write("keys.yaml", &exported);
    let keys = keys.to_str().expect("the path is UTF-8");
    write_files(&place, &sealed);
    let offline = time(sceau, &["reseal", "--keys", keys], &place).await;
    tell("sceau reseal --keys, offline", offline);

    write_files(&place, &sealed);
    let kubeconfig = admin.kubeconfig().display().to_string();
    let words = ["reseal", "--kubeconfig", &kubeconfig];
    let through_controller = time(sceau, &words, &place).await;
    tell("sceau reseal, through the controller", through_controller);
    let _ = controller.terminate().await;
    through_controller
}

fn tell(what: &str, took: Duration) {
    println!("{what:38} {:6.2} s", took.as_secs_f64());
}

/// Times a run that must reseal everything.
async fn time(sceau: &Path, words: &[&str], place: &Scratch) -> Duration {
    let began = Instant::now();
    let report = run(sceau, words, place, "").await;
    let took = began.elapsed();
    assert_eq!(report.matches("\nResealed ").count(), MANIFESTS, "{report}");
    took
}

async fn renew(cluster: &Cluster) {
    let next_second = Timestamp::now() + SignedDuration::from_secs(1);
    let instant = next_second.strftime("%Y-%m-%dT%H:%M:%SZ");
    let order = format!(r#"{{"spec":{{"sealingKeys":{{"renewBefore":"{instant}"}}}}}}"#);
    let patch = ["patch", "environment", "prod", "--type=merge", "-p", &order];
    let _ = cluster.admin().kubectl(&patch).await.succeeded();
}

/// The active certificate, once it is another one than `old`.
async fn next_certificate(cluster: &Cluster, old: &str) -> String {
    let path = "jsonpath={.status.certificate}";
    let words = ["get", "environment", "prod", "-o", path];
    wait::until("a new certificate", PATIENCE, async || {
        let certificate = cluster.admin().kubectl(&words).await.succeeded();
        let is_new = !certificate.is_empty() && certificate != old;
        is_new.then_some(certificate).ok_or_else(String::new)
    })
    .await
}
