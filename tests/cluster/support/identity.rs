//! Identities for the API server: a kubeconfig file, a client, and kubectl.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::api_server::ApiServer;
use crate::commands::{self, Finished};
use crate::tools::Tool;

/// How long a command or a request may take when the API server answers at all.
const PATIENCE: Duration = Duration::from_mins(1);

/// An identity that the API server knows.
#[derive(Clone)]
pub struct Identity {
    kubeconfig: PathBuf,
    kubectl_cache: PathBuf,
}

impl Identity {
    pub(crate) fn person(api_server: &ApiServer, name: &str, group: &str) -> Self {
        let credential = api_server.authority().client(name, group);
        let scratch = api_server.scratch();
        let certificate = scratch.unused_file("person", "pem");
        let content = credential.certificate + &credential.private_key;
        std::fs::write(&certificate, content).expect("the scratch directory is writable");
        // The PEM blocks have different types, so one file serves as both.
        let user = json!({"client-certificate": certificate, "client-key": certificate});
        Self::write(api_server, &user)
    }

    pub(crate) async fn service_account(
        api_server: &ApiServer,
        admin: &Self,
        namespace: &str,
        name: &str,
    ) -> Self {
        let accounts: Api<ServiceAccount> = Api::namespaced(admin.client().await, namespace);
        let request = TokenRequest {
            spec: TokenRequestSpec {
                expiration_seconds: Some(24 * 60 * 60),
                ..TokenRequestSpec::default()
            },
            ..TokenRequest::default()
        };
        let token = accounts
            .create_token_request(name, &kube::api::PostParams::default(), &request)
            .await
            .unwrap_or_else(|error| panic!("no token for {namespace}/{name}: {error}"))
            .status
            .expect("the API server fills in the token")
            .token;
        Self::write(api_server, &json!({"token": token}))
    }

    fn write(api_server: &ApiServer, user: &Value) -> Self {
        let scratch = api_server.scratch();
        let cluster = json!({
            "server": api_server.url(),
            "certificate-authority": scratch.file("authority.pem"),
        });
        let content = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "test", "cluster": cluster}],
            "users": [{"name": "test", "user": user}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
            "current-context": "test",
        });
        let kubeconfig = scratch.unused_file("kubeconfig", "json");
        std::fs::write(&kubeconfig, content.to_string())
            .expect("the scratch directory is writable");
        Self {
            kubeconfig,
            kubectl_cache: scratch.file("kubectl-cache"),
        }
    }

    /// A kubeconfig file with this identity and no other.
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// A client with this identity. Every call makes one with connections of its own.
    pub async fn client(&self) -> Client {
        let kubeconfig = Kubeconfig::read_from(&self.kubeconfig).expect("the file is a kubeconfig");
        let mut config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
            .await
            .expect("the kubeconfig is complete");
        config.read_timeout = Some(PATIENCE);
        Client::try_from(config).expect("the certificates are valid")
    }

    /// Runs kubectl.
    pub async fn kubectl(&self, arguments: &[&str]) -> Finished {
        self.kubectl_with_input(arguments, "").await
    }

    /// Runs kubectl with this standard input, for `kubectl apply -f -`.
    pub async fn kubectl_with_input(&self, arguments: &[&str], input: &str) -> Finished {
        commands::run(self.kubectl_command(arguments), input.as_bytes(), PATIENCE).await
    }

    pub(crate) fn kubectl_command(&self, arguments: &[impl AsRef<OsStr>]) -> Command {
        let mut command = Command::new(Tool::Kubectl.path());
        command
            .args(arguments)
            .env("KUBECONFIG", &self.kubeconfig)
            .env("KUBECACHEDIR", &self.kubectl_cache);
        command
    }
}
