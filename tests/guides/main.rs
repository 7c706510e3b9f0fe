//! README, the guides and the examples, word by word.

mod examples;

use cluster::{Cluster, Controller, programs, tools::Tool};
use guides::{Shell, check};

#[test]
fn readme_works_as_it_stands() {
    cluster::run(async {
        let shell = Shell::with_programs(&[programs::sceau().await, Tool::Gitleaks.path()]);
        check("README.md", &shell).await;
    });
}

#[test]
fn getting_started_works_as_it_stands() {
    cluster::run(with_a_cluster("docs/getting-started.md"));
}

#[test]
fn re_keying_works_as_it_stands() {
    cluster::run(with_a_cluster("docs/guides/re-key.md"));
}

#[test]
fn what_to_do_about_a_leaked_key_works_as_it_stands() {
    cluster::run(with_a_cluster("docs/guides/a-key-leaked.md"));
}

#[test]
fn permissions_work_as_they_stand() {
    cluster::run(with_a_cluster("docs/guides/permissions.md"));
}

#[test]
fn backup_and_recovery_work_as_they_stand() {
    cluster::run(with_a_cluster("docs/guides/backup-and-recovery.md"));
}

#[test]
fn finding_a_leaked_value_works_as_it_stands() {
    cluster::run(with_a_cluster("docs/guides/a-value-leaked.md"));
}

#[test]
fn somebody_leaving_works_as_it_stands() {
    cluster::run(with_a_cluster("docs/guides/somebody-leaves.md"));
}

async fn with_a_cluster(document: &str) {
    let cluster = Cluster::start().await;
    let mut controller = Controller::named("guide").start(&cluster).await;
    controller.until_ready().await;
    let kubeconfig = cluster.admin().kubeconfig().display().to_string();
    let programs = [
        programs::sceau().await,
        Tool::Kubectl.path(),
        Tool::Gitleaks.path(),
        Tool::Age.path(),
    ];
    let shell = Shell::with_programs(&programs).with_variable("KUBECONFIG", kubeconfig);
    check(document, &shell).await;
}
