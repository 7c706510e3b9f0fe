//! The controller on a real API server, beside the bare loop of as many server-side applies:
//! `cargo bench -p bench --bench controller`.
//!
//! 300 SealedSecrets of 5 items are there when the controller starts. It prints the time until the
//! last Secret stands, CPU seconds, peak memory and requests; then the same for a restart at which
//! nothing has changed. Both with 1 and with 12 sealing keys of 4096 bits.
#![expect(clippy::print_stdout, reason = "it is there to be read")]

use std::time::{Duration, Instant};

use bench::{place, ring, secret};
use cluster::{Cluster, Controller, Namespace, wait};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::Secret;
use kube::{
    Api, Client,
    api::{ListParams, Patch, PatchParams, PostParams, WatchEvent, WatchParams},
    core::PartialObjectMeta,
};
use sealing::{
    Certificate, EnvironmentName, Issue, Scope, SealRequest, SecretRef, issue_certificate,
    resource::{Environment, SealedSecret},
};
use serde_json::{Value, json};

const SEALED_SECRETS: usize = 300;
const ITEMS: usize = 5;
const PATIENCE: Duration = Duration::from_mins(5);

fn main() {
    cluster::run(async {
        println!("{SEALED_SECRETS} SealedSecrets of {ITEMS} items, RSA-4096, on a real API server");
        for keys in [1, 12] {
            measure(keys).await;
        }
        bare_loop().await;
    });
}

async fn measure(keys: usize) {
    let cluster = Cluster::start().await;
    let namespace = Namespace::create(&cluster).await;
    let certificate = environment_with_keys(&cluster, &namespace, keys).await;
    apply_sealed_secrets(&namespace, &certificate).await;

    let mut run = Run::begin(&cluster, &namespace, "first").await;
    run.until_secrets_stand(&namespace).await;
    let last_secret = run.began.elapsed();
    run.until_quiet().await;
    run.report(
        &format!("{keys} keys, first start"),
        &format!("last Secret after {last_secret:.2?}"),
    )
    .await;

    let mut run = Run::begin(&cluster, &namespace, "again").await;
    let synced = run.began.elapsed();
    run.until_quiet().await;
    run.report(
        &format!("{keys} keys, restart"),
        &format!("watches synced after {synced:.2?}"),
    )
    .await;
}

/// An Environment of this namespace whose ring has so many keys; gives the active certificate.
async fn environment_with_keys(
    cluster: &Cluster,
    namespace: &Namespace,
    keys: usize,
) -> Certificate {
    let environments: Api<Environment> = Api::all(namespace.client());
    add_older_keys(namespace, keys - 1).await;
    let environment = serde_json::from_value(json!({
        "apiVersion": "sceau.dev/v1alpha1", "kind": "Environment",
        "metadata": {"name": namespace.name()},
        "spec": {"namespaces": [namespace.name()]},
    }));
    let environment = environment.expect("it is an Environment");
    let created = environments
        .create(&PostParams::default(), &environment)
        .await;
    created.expect("the API server takes it");

    let mut controller = Controller::named("prepare").start(cluster).await;
    let certificate = wait::until("a certificate", PATIENCE, async || {
        let environment = environments
            .get(namespace.name())
            .await
            .map_err(|e| e.to_string())?;
        let status = environment.status.unwrap_or_default();
        let found = status
            .certificate
            .filter(|_| status.sealing_keys.len() == keys);
        found.ok_or_else(|| format!("{} keys", status.sealing_keys.len()))
    });
    let certificate = certificate.await;
    let _ = controller.terminate().await;
    Certificate::parse_pem(&certificate).expect("the controller issues good ones")
}

/// Keys that are a day apart, the newest of them old enough to be replaced.
async fn add_older_keys(namespace: &Namespace, keys: usize) {
    let secrets: Api<Secret> = Api::namespaced(namespace.client(), cluster::manifests::NAMESPACE);
    for (age, key) in (40..).zip(ring(keys).keys()) {
        let not_before = Timestamp::now() - SignedDuration::from_hours(24 * age);
        let not_after = not_before + SignedDuration::from_hours(24 * 3650);
        let issue = Issue {
            subject: "older",
            not_before,
            not_after,
        };
        let certificate = issue_certificate(key, &issue).expect("it can be issued");
        let object = json!({
            "metadata": {
                "name": format!("older-{age}"),
                "labels": {"sceau.dev/environment": namespace.name(), "sceau.dev/sealing-key": "active"},
            },
            "type": "kubernetes.io/tls",
            "stringData": {"tls.crt": certificate, "tls.key": key.to_pem().expect("it encodes").as_str()},
        });
        let object = serde_json::from_value(object).expect("it is a Secret");
        secrets
            .create(&PostParams::default(), &object)
            .await
            .expect("the API server takes it");
    }
}

async fn apply_sealed_secrets(namespace: &Namespace, certificate: &Certificate) {
    let environment = EnvironmentName::parse(namespace.name()).expect("namespaces are labels");
    let api: Api<SealedSecret> = namespace.api();
    let sealed = (0..SEALED_SECRETS).map(|n| {
        let place = SecretRef::parse(namespace.name(), &name(n)).expect("both names are good");
        let request = SealRequest {
            secret: &sealing::Secret {
                place,
                ..secret(ITEMS)
            },
            environment: &environment,
            scope: Scope::Strict,
            recipients: std::slice::from_ref(&certificate.recipient),
            sealed_at: Timestamp::now(),
        };
        sealing::seal(&request).expect("it is within the bounds")
    });
    stream::iter(sealed)
        .for_each_concurrent(8, |object| {
            let api = api.clone();
            async move {
                api.create(&PostParams::default(), &object)
                    .await
                    .expect("the API server takes it");
            }
        })
        .await;
}

fn name(n: usize) -> String {
    format!("{}-{n}", place().name)
}

/// One run of the controller, and what the API server had counted before it.
struct Run {
    controller: Controller,
    client: Client,
    began: Instant,
    before: Requests,
}

impl Run {
    async fn begin(cluster: &Cluster, namespace: &Namespace, name: &str) -> Self {
        let before = Requests::counted(&namespace.client()).await;
        let began = Instant::now();
        let mut controller = Controller::named(name).start(cluster).await;
        controller.until_ready().await;
        Self {
            controller,
            client: namespace.client(),
            began,
            before,
        }
    }

    /// Watches metadata only, so that looking costs the API server little.
    async fn until_secrets_stand(&self, namespace: &Namespace) {
        let api: Api<PartialObjectMeta<Secret>> = namespace.api();
        let listed = api
            .list_metadata(&ListParams::default())
            .await
            .expect("Secrets can be listed");
        let mut standing = listed.items.len();
        let version = listed.metadata.resource_version.unwrap_or_default();
        let parameters = WatchParams::default().timeout(290);
        let mut events = api
            .watch_metadata(&parameters, &version)
            .await
            .expect("and watched")
            .boxed();
        while standing < SEALED_SECRETS {
            let event = events
                .try_next()
                .await
                .expect("the watch goes on")
                .expect("and does not end");
            standing += usize::from(matches!(event, WatchEvent::Added(_)));
        }
    }

    /// Until two looks 300 ms apart find the same number of writes.
    async fn until_quiet(&mut self) {
        let mut last = f64::NAN;
        loop {
            let written = self.written().await;
            if written.to_bits() == last.to_bits() {
                return;
            }
            last = written;
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    }

    async fn written(&self) -> f64 {
        let metrics = self.controller.metrics().await;
        sum_of(&metrics, "sceau_writes_total{")
    }

    async fn report(mut self, what: &str, when: &str) {
        let id = self.controller.process().id();
        let (cpu, memory) = (cpu_seconds(id), peak_memory(id));
        let metrics = self.controller.metrics().await;
        let unseals = sum_of(&metrics, "sceau_unseals_total{");
        let requests = Requests::counted(&self.client).await.since(&self.before);
        println!(
            "{what:22} {when}; CPU {cpu:.2} s; peak {memory:.1} MB; {unseals} unseals; {requests}"
        );
        let _ = self.controller.terminate().await;
    }
}

/// Writes that the API server counted, by verb; leases and the harness's own are left out.
struct Requests(Vec<(&'static str, f64)>);

impl Requests {
    async fn counted(client: &Client) -> Self {
        let request = http::Request::get("/metrics")
            .body(Vec::new())
            .expect("the path is good");
        let text = client
            .request_text(request)
            .await
            .expect("the API server counts");
        let count = |verb: &'static str, resources: &[&str]| {
            let wanted = |line: &&str| {
                line.starts_with("apiserver_request_total{")
                    && line.contains(&format!("verb=\"{verb}\""))
                    && resources
                        .iter()
                        .any(|it| line.contains(&format!("resource=\"{it}\"")))
            };
            (verb, text.lines().filter(wanted).filter_map(value).sum())
        };
        let ours = ["secrets", "sealedsecrets", "environments", "events"];
        Self(
            [
                "GET", "LIST", "WATCH", "POST", "PUT", "PATCH", "APPLY", "DELETE",
            ]
            .map(|verb| count(verb, &ours))
            .into(),
        )
    }

    fn since(&self, before: &Self) -> String {
        let later = self
            .0
            .iter()
            .zip(&before.0)
            .map(|((verb, now), (_, then))| (verb, now - then));
        let some: Vec<_> = later
            .filter(|(_, n)| *n > 0.0)
            .map(|(verb, n)| format!("{verb} {n}"))
            .collect();
        some.join(", ")
    }
}

fn value(line: &str) -> Option<f64> {
    line.rsplit(' ').next()?.parse().ok()
}

/// Adding to zero keeps an empty sum from being printed as -0.
fn sum_of(metrics: &str, prefix: &str) -> f64 {
    let lines = metrics.lines().filter(|line| line.starts_with(prefix));
    lines.filter_map(value).fold(0.0, |sum, it| sum + it)
}

/// User and system time from `/proc/<pid>/stat`, in ticks of 10 ms (proc(5)).
fn cpu_seconds(id: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).expect("the controller runs");
    let behind_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks = |field: usize| {
        behind_name
            .split_whitespace()
            .nth(field)?
            .parse::<f64>()
            .ok()
    };
    (ticks(11).unwrap_or_default() + ticks(12).unwrap_or_default()) / 100.0
}

/// The largest resident size so far, in MB of 10^6 bytes.
fn peak_memory(id: u32) -> f64 {
    let status =
        std::fs::read_to_string(format!("/proc/{id}/status")).expect("the controller runs");
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .unwrap_or_default();
    let kibibytes = line
        .split_whitespace()
        .nth(1)
        .and_then(|it| it.parse::<f64>().ok());
    kibibytes.unwrap_or_default() * 1024.0 / 1e6
}

/// What the API server itself needs for as many Secrets, with nothing around it.
async fn bare_loop() {
    let cluster = Cluster::start().await;
    for at_once in [1, 4, 8] {
        let namespace = Namespace::create(&cluster).await;
        let api: Api<Secret> = namespace.api();
        let parameters = PatchParams::apply("bench").force();
        let began = Instant::now();
        stream::iter(0..SEALED_SECRETS)
            .for_each_concurrent(at_once, |n| {
                let (api, parameters) = (api.clone(), parameters.clone());
                async move {
                    let applied = api
                        .patch(&name(n), &parameters, &Patch::Apply(plain(n)))
                        .await;
                    applied.expect("the API server takes it");
                }
            })
            .await;
        println!(
            "bare loop of applies, {at_once} at once: {:.2?}",
            began.elapsed()
        );
    }
}

fn plain(n: usize) -> Value {
    let items = (0..ITEMS).map(|item| (format!("ITEM_{item}"), Value::from("x".repeat(40))));
    let items: serde_json::Map<String, Value> = items.collect();
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name(n)}, "stringData": items})
}
