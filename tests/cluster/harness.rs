//! The harness itself, and the permissions that `deploy/manifests` grants.

use std::process::Command;

use cluster::processes::Process;
use cluster::scratch::Scratch;
use cluster::wait::{SOON, until};
use cluster::{Cluster, Identity, manifests};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Pod};
use kube::Api;
use kube::api::PostParams;
use serde_json::json;

#[test]
fn manifests_applied_differ_in_nothing_from_what_the_api_server_keeps() {
    cluster::test(async |cluster, _| {
        let directory = manifests::directory();
        let path = directory.to_str().expect("the path is UTF-8");
        let difference = cluster
            .admin()
            .kubectl(&["diff", "-k", path])
            .await
            .succeeded();
        assert_eq!(difference, "");
    });
}

#[test]
fn a_namespace_comes_and_goes() {
    cluster::run(async {
        let cluster = Cluster::shared().await;
        let namespace = cluster::Namespace::create(cluster).await;
        let (name, namespaces) = (
            namespace.name().to_owned(),
            Api::<Namespace>::all(namespace.client()),
        );
        assert!(
            name.starts_with("harness-a-namespace-comes-and-goes-"),
            "{name}"
        );
        assert!(namespaces.get(&name).await.is_ok());
        drop(namespace);
        until(
            "the namespace is deleted",
            SOON,
            async || match namespaces.get_opt(&name).await {
                Ok(None) => Ok(()),
                found => Err(format!("{found:?}")),
            },
        )
        .await;
    });
}

#[test]
fn processes_and_files_go_with_their_janitor() {
    cluster::run(async {
        let scratch = Scratch::create();
        let directory = scratch.directory().to_owned();
        let mut process = Process::start(&scratch, "sleep", Command::new("sleep").arg("1000"));
        // The janitor ends processes that left their id. A process that did not can no longer do
        // so.
        let waiting = until("the id is left", SOON, async || {
            let mut files = std::fs::read_dir(&directory).expect("it is a directory");
            let left = files.any(|file| file.is_ok_and(|file| file.path().ends_with("sleep-0.id")));
            left.then_some(()).ok_or_else(String::new)
        });
        waiting.await;
        drop(scratch);
        let status = process.until_ended(SOON).await;
        assert_eq!(status.code(), None, "expected a signal");
        assert!(!directory.exists());
    });
}

#[test]
fn a_stopped_api_server_comes_back_with_its_data() {
    cluster::run(async {
        let cluster = Cluster::start().await;
        let maps: Api<ConfigMap> = Api::default_namespaced(cluster.admin().client().await);
        let object = serde_json::from_value(json!({"metadata": {"name": "kept"}}))
            .expect("this is a ConfigMap");
        maps.create(&PostParams::default(), &object)
            .await
            .expect("the API server answers");
        cluster.api_server.stop();
        assert!(maps.get("kept").await.is_err());
        cluster.api_server.resume().await;
        assert!(maps.get("kept").await.is_ok());
    });
}

#[test]
fn the_controller_may_do_its_work_and_no_more() {
    cluster::test(async |cluster, namespace| {
        let controller = cluster.controller_account().await;
        let (here, own) = (namespace.name(), manifests::NAMESPACE);
        for (namespace, allowed) in [
            (here, "watch sealedsecrets.sceau.dev"),
            (here, "patch sealedsecrets.sceau.dev/status"),
            (here, "update sealedsecrets.sceau.dev/finalizers"),
            (here, "create secrets"),
            (here, "patch secrets"),
            (here, "create events.events.k8s.io"),
            (here, "patch resealrequests.sceau.dev/status"),
            (here, "delete resealrequests.sceau.dev"),
            (own, "create secrets"),
            (own, "update leases.coordination.k8s.io"),
            (own, "create leases.coordination.k8s.io"),
        ] {
            assert!(
                may(&controller, namespace, allowed).await,
                "{allowed} in {namespace}"
            );
        }
        for (namespace, refused) in [
            (here, "patch sealedsecrets.sceau.dev"),
            (here, "create resealrequests.sceau.dev"),
            (here, "patch resealrequests.sceau.dev"),
            (here, "patch environments.sceau.dev"),
            (here, "delete secrets"),
            (here, "update secrets"),
            (here, "get configmaps"),
            (here, "create leases.coordination.k8s.io"),
            (here, "get environments.sceau.dev"),
            (here, "get sealedsecrets.sceau.dev/status"),
            (own, "delete secrets"),
            (own, "update secrets"),
            (own, "list leases.coordination.k8s.io"),
            (own, "patch leases.coordination.k8s.io"),
            (own, "create pods"),
        ] {
            assert!(
                !may(&controller, namespace, refused).await,
                "{refused} in {namespace}"
            );
        }
    });
}

#[test]
fn an_editor_of_a_namespace_changes_sealed_secrets_but_sees_no_environments() {
    cluster::test(async |cluster, namespace| {
        let (editor, here) = (cluster.person("eve", "editors"), namespace.name());
        let bind = [
            "create",
            "rolebinding",
            "editors",
            "--clusterrole=edit",
            "--group=editors",
        ];
        let bind = [&bind[..], &["--namespace", here]].concat();
        cluster.admin().kubectl(&bind).await.succeeded();
        until("the role `edit` aggregates our rules", SOON, async || {
            let granted = may(&editor, here, "create sealedsecrets.sceau.dev").await;
            granted.then_some(()).ok_or_else(|| "refused".to_owned())
        })
        .await;
        assert!(may(&editor, here, "list sealedsecrets.sceau.dev").await);
        assert!(!may(&editor, "default", "list sealedsecrets.sceau.dev").await);
        assert!(!may(&editor, here, "patch sealedsecrets.sceau.dev/status").await);
        assert!(!may(&editor, here, "get environments.sceau.dev").await);
    });
}

#[test]
fn an_environment_reader_reads_environments_and_nothing_else() {
    cluster::test(async |cluster, namespace| {
        let reader = cluster.person("rita", namespace.name());
        let group = format!("--group={}", namespace.name());
        let role = "--clusterrole=sceau-environment-reader";
        let bind = [
            "create",
            "clusterrolebinding",
            namespace.name(),
            role,
            &group,
        ];
        cluster.admin().kubectl(&bind).await.succeeded();
        assert!(may(&reader, "", "get environments.sceau.dev").await);
        assert!(!may(&reader, "", "patch environments.sceau.dev").await);
        assert!(!may(&reader, "default", "get sealedsecrets.sceau.dev").await);
        assert!(!may(&reader, "default", "get secrets").await);
    });
}

#[test]
fn a_resealer_asks_and_an_operator_changes_environments_too() {
    cluster::test(async |cluster, namespace| {
        let resealer = bound(cluster, namespace, "sceau-resealer").await;
        let operator = bound(cluster, namespace, "sceau-operator").await;
        for both in [
            "create resealrequests.sceau.dev",
            "get resealrequests.sceau.dev",
            "watch resealrequests.sceau.dev",
            "get environments.sceau.dev",
        ] {
            assert!(may(&resealer, "", both).await, "{both}");
            assert!(may(&operator, "", both).await, "{both}");
        }
        for neither in [
            "patch resealrequests.sceau.dev/status",
            "list resealrequests.sceau.dev",
            "delete resealrequests.sceau.dev",
            "delete environments.sceau.dev",
            "patch environments.sceau.dev/status",
            "get secrets",
            "get sealedsecrets.sceau.dev",
        ] {
            assert!(!may(&resealer, "", neither).await, "{neither}");
            assert!(!may(&operator, "", neither).await, "{neither}");
        }
        assert!(!may(&resealer, "", "patch environments.sceau.dev").await);
        assert!(may(&operator, "", "patch environments.sceau.dev").await);
    });
}

/// An identity with this `ClusterRole` in the whole cluster.
pub(crate) async fn bound(
    cluster: &Cluster,
    namespace: &cluster::Namespace,
    role: &str,
) -> Identity {
    let group = format!("{}-{role}", namespace.name());
    let (role, to) = (format!("--clusterrole={role}"), format!("--group={group}"));
    let bind = ["create", "clusterrolebinding", &group, &role, &to];
    cluster.admin().kubectl(&bind).await.succeeded();
    cluster.person("somebody", &group)
}

#[test]
fn pods_of_the_deployment_meet_the_restricted_pod_security_standard() {
    cluster::test(async |cluster, _| {
        let client = cluster.admin().client().await;
        let deployments: Api<Deployment> = Api::namespaced(client.clone(), manifests::NAMESPACE);
        let deployment = deployments
            .get("sceau-controller")
            .await
            .expect("it was applied");
        let template = deployment.spec.expect("it has a spec").template;
        let mut pod = Pod {
            spec: template.spec,
            ..Pod::default()
        };
        pod.metadata.name = Some("sceau-controller".to_owned());
        let pods: Api<Pod> = Api::namespaced(client, manifests::NAMESPACE);
        let only_try = PostParams {
            dry_run: true,
            ..PostParams::default()
        };
        pods.create(&only_try, &pod)
            .await
            .expect("the namespace enforces `restricted`");
    });
}

/// Whether RBAC grants `<verb> <resource>.<group>/<subresource>` in a namespace.
async fn may(who: &Identity, namespace: &str, action: &str) -> bool {
    let (verb, resource) = action.split_once(' ').expect("a verb and a resource");
    let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
    let question = [
        "auth",
        "can-i",
        verb,
        resource,
        "--subresource",
        subresource,
    ];
    let question = [&question[..], &["--namespace", namespace]].concat();
    let answer = who.kubectl(&question).await;
    let word = answer.stdout.trim();
    assert!(["yes", "no"].contains(&word), "{answer:?}");
    word == "yes"
}
