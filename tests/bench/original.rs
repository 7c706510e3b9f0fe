//! The original's controller and kubeseal, as a cluster runs them: kubeseal asks through the API
//! server's service proxy.
//!
//! The API server proxies to the address of a Pod and refuses loopback, so that all of it runs in a
//! network namespace of its own, which has another one.

use std::{
    env,
    net::TcpListener,
    process::{self, Command as Blocking},
    time::{Duration, Instant},
};

use cluster::{Cluster, processes::Process, scratch::Scratch, tools::Tool, wait};
use serde_json::{Value, json};

use crate::{PATIENCE, run, secrets, tell, write_files};

/// Of the block that RFC 5737 keeps for documentation.
const ADDRESS: &str = "192.0.2.1";
const NAMESPACE: &str = "kube-system";
const NAME: &str = "sealed-secrets-controller";
const PORT: u16 = 8080;

/// Starts this program again in a network namespace of its own and ends with it; returns where that
/// is done already, and where it cannot be done.
pub(crate) fn enter_network() {
    let unshared = ["--map-root-user", "--net", "--mount"];
    let network = format!("ip link set lo up && ip addr add {ADDRESS}/32 dev lo");
    let is_possible = Blocking::new("unshare")
        .args(unshared)
        .args(["sh", "-c", &network])
        .status()
        .is_ok_and(|status| status.success());
    if is_in_network() || !is_possible {
        return;
    }
    let itself = env::current_exe().expect("a program has a path");
    let status = Blocking::new("unshare")
        .args(unshared)
        .args(["sh", "-c", &format!("{network} && exec \"$0\"")])
        .arg(itself)
        .status();
    process::exit(status.ok().and_then(|it| it.code()).unwrap_or(1));
}

/// Whether the address is this host's.
pub(crate) fn is_in_network() -> bool {
    TcpListener::bind((ADDRESS, 0)).is_ok()
}

/// Has the original re-encrypt every manifest, one kubeseal after the other.
pub(crate) async fn measure(cluster: &Cluster) -> Duration {
    let _controller = start(cluster).await;
    let place = Scratch::create();
    let kubeconfig = cluster.admin().kubeconfig().display().to_string();
    let login = ["--kubeconfig", &kubeconfig];
    let kubeseal = Tool::Kubeseal.path();
    let fetch = [&login[..], &["--fetch-cert"]].concat();
    place.write("original.pem", &run(kubeseal, &fetch, &place, "").await);
    let seal = ["--cert", "original.pem", "--format", "yaml"];
    let sealed = run(kubeseal, &seal, &place, &secrets()).await;
    write_files(&place, &sealed);

    let began = Instant::now();
    for n in 0..crate::MANIFESTS {
        let file = format!("{n}.yaml");
        let words = [&login[..], &["--re-encrypt", "-f", &file]].concat();
        run(kubeseal, &words, &place, "").await;
    }
    let took = began.elapsed();
    tell("kubeseal --re-encrypt, file by file", took);
    took
}

/// Its controller reads the files that a Pod has, and so it is given some, in a mount namespace of
/// its own.
const IN_POD: &str = r#"
mount -t tmpfs tmpfs /run
files=/run/secrets/kubernetes.io/serviceaccount
mkdir -p "$files"
cp "$1" "$files/token" && cp "$2" "$files/ca.crt" && printf kube-system > "$files/namespace"
exec "$0" --key-renew-period=0
"#;

async fn start(cluster: &Cluster) -> Process {
    apply(cluster).await;
    let server = &cluster.api_server;
    let scratch = server.scratch();
    let create = ["create", "token", NAME, "-n", NAMESPACE];
    let token = cluster.admin().kubectl(&create).await.succeeded();
    let token = scratch.write("original-token", token.trim());
    let url = server.url();
    let address = url.trim_start_matches("https://").split_once(':');
    let (host, port) = address.expect("the URL has a port");
    let mut command = Blocking::new("unshare");
    command
        .args(["--mount", "sh", "-c", IN_POD])
        .arg(Tool::SealedSecretsController.path())
        .args([token, scratch.file("authority.pem")])
        .env("KUBERNETES_SERVICE_HOST", host)
        .env("KUBERNETES_SERVICE_PORT", port);
    let mut process = Process::start(scratch, NAME, &command);
    let proxied = format!("/api/v1/namespaces/{NAMESPACE}/services/http:{NAME}:/proxy/v1/cert.pem");
    let answers = async || {
        let got = cluster.admin().kubectl(&["get", "--raw", &proxied]).await;
        (got.code == Some(0)).then_some(()).ok_or(got.stderr)
    };
    process.until_up(PATIENCE, answers).await;
    process
}

/// What a cluster has when the original is installed, and its Pod, which nobody runs.
async fn apply(cluster: &Cluster) {
    let admin = cluster.admin();
    wait::until("a ServiceAccount for Pods", PATIENCE, async || {
        let account = ["get", "serviceaccount", "default", "-n", NAMESPACE];
        let found = admin.kubectl(&account).await;
        (found.code == Some(0)).then_some(()).ok_or(found.stderr)
    })
    .await;
    for object in objects() {
        let object = object.to_string();
        let applied = admin.kubectl_with_input(&["apply", "-f", "-"], &object);
        let _ = applied.await.succeeded();
    }
    let status = json!({"status": {
        "phase": "Running", "podIP": ADDRESS, "podIPs": [{"ip": ADDRESS}],
        "conditions": [{"type": "Ready", "status": "True"}],
    }});
    let status = status.to_string();
    let words = [
        "patch",
        "pod",
        NAME,
        "-n",
        NAMESPACE,
        "--subresource=status",
        "-p",
        &status,
    ];
    let _ = admin.kubectl(&words).await.succeeded();
}

fn objects() -> [Value; 6] {
    let metadata = json!({"name": NAME, "namespace": NAMESPACE});
    [
        definition(),
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}),
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
            "metadata": {"name": NAME},
            "roleRef": {
                "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin",
            },
            "subjects": [{"kind": "ServiceAccount", "name": NAME, "namespace": NAMESPACE}],
        }),
        json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": metadata,
            "spec": {"containers": [{"name": "controller", "image": "none"}]},
        }),
        json!({
            "apiVersion": "v1", "kind": "Service", "metadata": metadata,
            "spec": {"ports": [{"port": PORT}]},
        }),
        json!({
            "apiVersion": "v1", "kind": "Endpoints", "metadata": metadata,
            "subsets": [{
                "addresses": [{
                    "ip": ADDRESS,
                    "targetRef": {"kind": "Pod", "name": NAME, "namespace": NAMESPACE},
                }],
                "ports": [{"port": PORT}],
            }],
        }),
    ]
}

/// The original's SealedSecrets, as far as its controller needs them to be served.
fn definition() -> Value {
    let any = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "sealedsecrets.bitnami.com"},
        "spec": {
            "group": "bitnami.com", "scope": "Namespaced",
            "names": {"kind": "SealedSecret", "plural": "sealedsecrets", "singular": "sealedsecret"},
            "versions": [{
                "name": "v1alpha1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": any}, "subresources": {"status": {}},
            }],
        },
    })
}
