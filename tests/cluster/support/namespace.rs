//! A namespace for each test.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use k8s_openapi::api::core::v1::Namespace as NamespaceObject;
use kube::api::PostParams;
use kube::{Api, Client};
use serde_json::json;

use crate::{Cluster, Identity, controller};

/// A namespace that is deleted when this is dropped, with an Environment of the same name if the
/// test created one. If the test panics, its content is printed first.
pub struct Namespace {
    name: String,
    client: Client,
    admin: Identity,
    scratch: PathBuf,
}

impl Namespace {
    /// Creates a namespace that is named after the running test.
    pub async fn create(cluster: &Cluster) -> Self {
        let admin = cluster.admin().clone();
        let client = admin.client().await;
        let name = unused_name();
        let object = serde_json::from_value(json!({"metadata": {"name": name}}))
            .expect("this is a Namespace");
        Api::<NamespaceObject>::all(client.clone())
            .create(&PostParams::default(), &object)
            .await
            .unwrap_or_else(|error| panic!("namespace {name} cannot be created: {error}"));
        Self {
            name,
            client,
            admin,
            scratch: cluster.api_server.scratch().directory().to_owned(),
        }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// A client with all permissions.
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// Objects of one kind in this namespace.
    pub fn api<K>(&self) -> Api<K>
    where
        K: kube::Resource<Scope = k8s_openapi::NamespaceResourceScope>,
        K::DynamicType: Default,
    {
        Api::namespaced(self.client(), &self.name)
    }

    /// What a person would look at: `SealedSecrets` with their status, the Secrets' names, events,
    /// and the controllers' log lines about it.
    pub fn describe(&self) -> String {
        let questions: [&[&str]; 3] = [
            &["get", "sealedsecrets", "--output=yaml"],
            &["get", "secrets", "--output=wide"],
            &["get", "events", "--output=wide"],
        ];
        let answers: String = questions
            .iter()
            .map(|question| self.ask(question))
            .collect();
        answers + &controller::logged_about(&self.name, &self.scratch)
    }

    /// Runs kubectl in this namespace and blocks: destructors cannot await. Returns its output with
    /// errors.
    fn ask(&self, question: &[&str]) -> String {
        let here = [
            question,
            &["--namespace", &self.name, "--request-timeout=10s"],
        ]
        .concat();
        match self.admin.kubectl_command(&here).as_std_mut().output() {
            Ok(answer) => {
                let stdout = String::from_utf8_lossy(&answer.stdout);
                let stderr = String::from_utf8_lossy(&answer.stderr);
                format!("$ kubectl {}\n{stdout}{stderr}\n", here.join(" "))
            }
            Err(error) => format!("kubectl does not start: {error}\n"),
        }
    }
}

impl Drop for Namespace {
    #[expect(
        clippy::print_stderr,
        reason = "the test is failing, and this says why"
    )]
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("{}", self.describe());
        }
        let gone = ["--ignore-not-found", "--wait=false"];
        self.ask(&[&["delete", "environment", &self.name], &gone[..]].concat());
        self.ask(&[&["delete", "namespace", &self.name], &gone[..]].concat());
    }
}

/// The name of the running test, which the standard harness gives to its thread, and a number.
fn unused_name() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(1);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let thread = thread::current();
    let name: String = thread
        .name()
        .unwrap_or("unnamed")
        .to_ascii_lowercase()
        .replace(|c: char| !c.is_ascii_alphanumeric(), "-");
    let words: Vec<&str> = name.split('-').filter(|word| !word.is_empty()).collect();
    let name: String = words.join("-").chars().take(50).collect();
    format!("{}-{number}", name.trim_end_matches('-'))
}
