//! The original's controller and its `kubeseal --re-encrypt`, through the service proxy of a real API
//! server.
//!
//! The API server proxies to no loopback address, so all of it runs in a network namespace whose
//! loopback device has a further address; the controller reads its login where a Pod has it, so the
//! namespace of mounts is one of its own too.

use std::{
    env, fs,
    path::Path,
    process::Command as StdCommand,
    time::{Duration, Instant},
};

use cluster::{
    Cluster, Identity,
    commands::{self, Finished},
    processes::Process,
    scratch::Scratch,
    tools::Tool,
    wait,
};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::{MANIFESTS, PATIENCE, secrets, text_of};

const INSIDE: &str = "SCEAU_BENCH_INSIDE";
const NAMESPACE: &str = "kube-system";
const CONTROLLER: &str = "sealed-secrets-controller";
/// An address for documentation (RFC 5737), which is nobody's.
const ADDRESS: &str = "192.0.2.1";
const LOGIN: &str = "/run/secrets/kubernetes.io/serviceaccount";

/// Whether this process is the one in namespaces of its own.
pub(crate) fn is_inside() -> bool {
    env::var_os(INSIDE).is_some()
}

/// Runs this program again in namespaces of its own; an error says why that cannot be.
pub(crate) fn run_inside() -> Result<(), String> {
    let enter = format!(
        "ip link set lo up && ip addr add {ADDRESS}/32 dev lo && mount -t tmpfs tmpfs /run && exec \"$0\""
    );
    let in_namespaces = |words: &[&str]| {
        let mut command = StdCommand::new("unshare");
        command.args(["--net", "--mount", "sh", "-c"]).args(words);
        command
    };
    let probe = in_namespaces(&[&enter, "true"]).output();
    let probe = probe.map_err(|error| format!("`unshare` cannot be run: {error}"))?;
    if !probe.status.success() {
        let said = String::from_utf8_lossy(&probe.stderr).trim().to_owned();
        return Err(format!("no network namespace can be made here: {said}"));
    }
    let program = env::current_exe().map_err(|error| error.to_string())?;
    let status = in_namespaces(&[&enter, text_of(&program)])
        .env(INSIDE, "yes")
        .status()
        .map_err(|error| error.to_string())?;
    assert!(status.success(), "the original's part ended: {status}");
    Ok(())
}

/// Its programs with their default settings, and as with ours a key that was replaced since.
pub(crate) async fn measure() {
    let cluster = Cluster::start().await;
    let admin = cluster.admin();
    prepare(&cluster).await;
    let controller = start(&cluster, &[]);
    let place = Scratch::create();
    let certificate = until_certificate(&place, admin, "").await;
    place.write("certificate.pem", &certificate);
    let sealed = kubeseal(&place, admin, "--cert certificate.pem", &secrets()).await;
    let manifests = documents(&sealed.succeeded());
    for (number, manifest) in manifests.iter().enumerate() {
        place.write(&format!("{number}.json"), manifest);
    }
    drop(controller);
    // It replaces a key that is older than this when it starts.
    let now = Timestamp::now().strftime("%a, %d %b %Y %H:%M:%S +0000");
    let _controller = start(&cluster, &["--key-cutoff-time", &now.to_string()]);
    until_certificate(&place, admin, &certificate).await;
    let began = Instant::now();
    for number in 0..MANIFESTS {
        let file = format!("{number}.json");
        let words = format!("--re-encrypt --secret-file {file} --sealed-secret-file {file}");
        let _ = kubeseal(&place, admin, &words, "").await.succeeded();
    }
    let took = began.elapsed();
    for (number, manifest) in manifests.iter().enumerate() {
        let now = fs::read_to_string(place.file(&format!("{number}.json")));
        assert_ne!(
            &now.expect("it is there"),
            manifest,
            "it was encrypted anew"
        );
    }
    println!("kubeseal --re-encrypt, file by file           {took:.2?}");
}

async fn kubeseal(place: &Scratch, login: &Identity, words: &str, input: &str) -> Finished {
    let mut command = Command::new(Tool::Kubeseal.path());
    command
        .args(words.split_whitespace())
        .current_dir(place.directory())
        .env("KUBECONFIG", login.kubeconfig());
    commands::run(command, input.as_bytes(), PATIENCE).await
}

/// kubeseal writes one JSON object after the other.
fn documents(text: &str) -> Vec<String> {
    let objects = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    let texts: Vec<_> = objects
        .map(|object| object.expect("it writes JSON").to_string())
        .collect();
    assert_eq!(texts.len(), MANIFESTS);
    texts
}

/// Waits for a certificate that is another one than `old`.
async fn until_certificate(place: &Scratch, admin: &Identity, old: &str) -> String {
    wait::until("it has a new key", Duration::from_mins(1), async || {
        let fetched = kubeseal(place, admin, "--fetch-cert", "").await;
        let is_new = fetched.code == Some(0) && fetched.stdout != old;
        if is_new {
            Ok(fetched.stdout)
        } else {
            Err(fetched.stderr)
        }
    })
    .await
}

/// Makes a Service for its controller, and a login with the rights of an administrator.
async fn prepare(cluster: &Cluster) {
    let admin = cluster.admin();
    apply(admin, &definition()).await;
    apply(admin, &account()).await;
    apply(admin, &service()).await;
    let status = json!({"status": {
        "phase": "Running", "podIP": ADDRESS, "podIPs": [{"ip": ADDRESS}],
        "conditions": [{"type": "Ready", "status": "True"}],
    }});
    let status = status.to_string();
    let patch = ["patch", "pod", CONTROLLER, "-n", NAMESPACE, "-p", &status];
    let patch = [&patch[..], &["--subresource=status"]].concat();
    let _ = admin.kubectl(&patch).await.succeeded();
    write_login(cluster).await;
}

fn start(cluster: &Cluster, arguments: &[&str]) -> Process {
    let url = cluster.api_server.url();
    let (_, port) = url.rsplit_once(':').expect("it has a port");
    let mut command = StdCommand::new(Tool::SealedSecretsController.path());
    command
        .args(arguments)
        .env("KUBERNETES_SERVICE_HOST", "127.0.0.1")
        .env("KUBERNETES_SERVICE_PORT", port);
    Process::start(cluster.api_server.scratch(), "original", &command)
}

fn account() -> Value {
    let group = "rbac.authorization.k8s.io";
    json!({"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata()},
        {
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
            "metadata": {"name": CONTROLLER},
            "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": "cluster-admin"},
            "subjects": [{"kind": "ServiceAccount", "name": CONTROLLER, "namespace": NAMESPACE}],
        },
    ]})
}

/// What the API server wants to see before it proxies to an address.
fn service() -> Value {
    let pod = json!({"kind": "Pod", "name": CONTROLLER, "namespace": NAMESPACE});
    json!({"apiVersion": "v1", "kind": "List", "items": [
        {
            "apiVersion": "v1", "kind": "Service", "metadata": metadata(),
            "spec": {"ports": [{"port": 8080, "targetPort": 8080}]},
        },
        {
            "apiVersion": "v1", "kind": "Pod", "metadata": metadata(),
            "spec": {
                "nodeName": "here",
                "serviceAccountName": CONTROLLER,
                "containers": [{"name": "controller", "image": "none"}],
            },
        },
        {
            "apiVersion": "v1", "kind": "Endpoints", "metadata": metadata(),
            "subsets": [{
                "addresses": [{"ip": ADDRESS, "targetRef": pod}],
                "ports": [{"port": 8080}],
            }],
        },
    ]})
}

fn metadata() -> Value {
    json!({"name": CONTROLLER, "namespace": NAMESPACE})
}

/// The files that a Pod finds its ServiceAccount in.
async fn write_login(cluster: &Cluster) {
    let account = cluster.service_account(NAMESPACE, CONTROLLER).await;
    let kubeconfig = fs::read_to_string(account.kubeconfig()).expect("it was just written");
    let kubeconfig: Value = serde_json::from_str(&kubeconfig).expect("it is JSON");
    let token = &kubeconfig["users"][0]["user"]["token"];
    let authority = fs::read(cluster.api_server.scratch().file("authority.pem"));
    let place = Path::new(LOGIN);
    fs::create_dir_all(place).expect("/run is ours");
    let write = |name: &str, content: &[u8]| {
        fs::write(place.join(name), content).expect("/run is ours");
    };
    write("token", token.as_str().expect("it is text").as_bytes());
    write("ca.crt", &authority.expect("it was written"));
    write("namespace", NAMESPACE.as_bytes());
}

/// Its resource, as far as its controller needs it here.
fn definition() -> Value {
    let anything = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "sealedsecrets.bitnami.com"},
        "spec": {
            "group": "bitnami.com", "scope": "Namespaced",
            "names": {"kind": "SealedSecret", "plural": "sealedsecrets"},
            "versions": [{
                "name": "v1alpha1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": anything},
                "subresources": {"status": {}},
            }],
        },
    })
}

async fn apply(admin: &Identity, objects: &Value) {
    let applied = admin
        .kubectl_with_input(&["apply", "-f", "-"], &objects.to_string())
        .await;
    let _ = applied.succeeded();
}
