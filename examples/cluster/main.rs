//! The whole workflow on a live API server: `cargo run --example cluster`.
//!
//! It starts a control plane of plain processes and the real controller. Then it runs the commands
//! of a developer and of Argo CD, and prints each of them. At the end it stops all processes.
#![expect(clippy::print_stdout, reason = "it is there to be read")]

use std::{error::Error, ffi::OsStr, fmt::Write as _, time::Duration};

use cluster::{Cluster, Controller, Identity, commands, programs, scratch::Scratch};
use tokio::process::Command;

const NAMESPACE_AND_ENVIRONMENT: &str = "\
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {sceau.dev/environment: prod}}
---
apiVersion: sceau.dev/v1alpha1
kind: Environment
metadata: {name: prod}
spec:
  namespaceSelector: {matchLabels: {sceau.dev/environment: prod}}
";
const PROJECT: &str = "\
environments:
  prod: {certificates: [certificates/prod.pem], paths: [\"deploy/*/prod/**\"]}
";
const PATIENCE: Duration = Duration::from_mins(2);

fn main() -> Result<(), Box<dyn Error>> {
    cluster::run(show())
}

async fn show() -> Result<(), Box<dyn Error>> {
    println!(
        "Building both programs and starting etcd, kube-apiserver and kube-controller-manager ..."
    );
    let sceau = programs::sceau().await;
    let cluster = Cluster::start().await;
    let mut controller = Controller::named("example").start(&cluster).await;
    controller.until_ready().await;

    let repository = Scratch::create();
    let admin = cluster.admin();
    title("Operations: an environment, and the namespaces that belong to it");
    println!("{NAMESPACE_AND_ENVIRONMENT}");
    let applied = admin.kubectl_with_input(&["apply", "-f", "-"], NAMESPACE_AND_ENVIRONMENT);
    shown("kubectl apply -f environment.yaml", applied.await);
    kubectl(
        admin,
        "wait --for=condition=Ready --timeout=60s environment/prod",
    )
    .await;
    kubectl(admin, "get environments").await;

    title("A developer: pin the certificate, seal a secret, commit the result");
    repository.write("sceau.yaml", PROJECT);
    std::fs::create_dir_all(repository.file("deploy/api/prod"))?;
    repository.write("secret.yaml", include_str!("secret.yaml"));
    let developer = Developer {
        sceau: sceau.as_os_str(),
        admin,
        repository: &repository,
    };
    developer
        .runs("certificate fetch --environment prod --yes")
        .await;
    developer
        .runs("seal secret.yaml --environment prod --write deploy/api/prod/secret.yaml")
        .await;
    let sealed = std::fs::read_to_string(repository.file("deploy/api/prod/secret.yaml"))?;
    println!("{}", shortened(&sealed));
    developer.runs("inspect deploy/api/prod/secret.yaml").await;

    title("Argo CD or Flux: apply what was committed; the controller unseals it");
    let applied = admin.kubectl_with_input(&["apply", "-f", "-"], &sealed);
    shown(
        "kubectl apply -f deploy/api/prod/secret.yaml",
        applied.await,
    );
    kubectl(
        admin,
        "wait -n shop --for=condition=Ready --timeout=60s sealedsecret/api",
    )
    .await;
    kubectl(admin, "get sealedsecrets -A").await;
    kubectl(admin, "describe secret api -n shop").await;

    title("Stopping all processes");
    println!("controller: {}", controller.terminate().await);
    Ok(())
}

struct Developer<'a> {
    sceau: &'a OsStr,
    admin: &'a Identity,
    repository: &'a Scratch,
}

impl Developer<'_> {
    async fn runs(&self, arguments: &str) {
        let mut command = Command::new(self.sceau);
        command
            .args(arguments.split(' '))
            .current_dir(self.repository.directory())
            .env("KUBECONFIG", self.admin.kubeconfig());
        shown(
            &format!("sceau {arguments}"),
            commands::run(command, b"", PATIENCE).await,
        );
    }
}

async fn kubectl(identity: &Identity, arguments: &str) {
    let words: Vec<&str> = arguments.split(' ').collect();
    shown(
        &format!("kubectl {arguments}"),
        identity.kubectl(&words).await,
    );
}

fn shown(line: &str, finished: commands::Finished) {
    println!("$ {line}");
    print!("{}", finished.stderr);
    println!("{}", finished.succeeded());
}

fn title(text: &str) {
    println!("\n## {text}\n");
}

/// The manifest with its long lines cut, for reading.
fn shortened(manifest: &str) -> String {
    manifest.lines().fold(String::new(), |mut out, line| {
        let cut: String = line.chars().take(76).collect();
        let dots = if cut.len() < line.len() { "…" } else { "" };
        let _ = writeln!(out, "{cut}{dots}");
        out
    })
}
