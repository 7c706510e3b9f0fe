//! The cluster: Environments, SealedSecrets, key Secrets and requests to the controller.
//!
//! Only this module and those below it name a Kubernetes client and wait for the network. Their own
//! runtime hides both.

mod keys;
pub(crate) mod login;
mod requests;
mod reseal_requests;
mod value_reviews;

use std::{borrow::Cow, path::PathBuf, time::Duration};

use jiff::Timestamp;
use kube::{
    Api, Client, Config,
    api::{Patch, PatchParams},
    config::{KubeConfigOptions, Kubeconfig, KubeconfigError},
};
use sealing::{
    EnvironmentName, Namespace,
    resource::{Environment, SealedSecret},
};
use tokio::runtime::Runtime;

use crate::error::{CommandError, plain, with_causes};

pub(crate) use keys::Mode;

/// The cluster to connect to, and the credentials.
#[derive(Debug, Clone, Default)]
pub(crate) struct Target {
    /// A kubeconfig file, instead of `KUBECONFIG` or `~/.kube/config`.
    pub(crate) kubeconfig: Option<PathBuf>,
    /// A context in it, instead of the current one.
    pub(crate) context: Option<String>,
}

/// A request to the cluster that failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClusterError {
    #[error("the API server rejected the request: {0}")]
    KeySecretsRefused(String),
    #[error("the kubeconfig cannot be used: {0}")]
    Kubeconfig(String),
    #[error("the cluster has no Environment `{0}`, or sceau is not installed there")]
    NoEnvironment(EnvironmentName),
    #[error("Environment `{0}` has no certificate yet")]
    NoCertificate(EnvironmentName),
    #[error("the cluster has no namespace `{0}`")]
    NoNamespace(Namespace),
    #[error("the controller generated no new sealing key within {} s", .0.as_secs())]
    NoNewKey(Duration),
    #[error("Environment `{0}` changed during the operation")]
    Changed(EnvironmentName),
    #[error("the cluster has no ValueReviews: sceau is not installed there, or is older")]
    NoValueReviews,
    #[error("the cluster has no ResealRequests: sceau is not installed there, or is older")]
    NoResealRequests,
    #[error("the API server rejected the request: {0}")]
    Refused(String),
    #[error("the controller rejected the {0}: {1}")]
    RequestRefused(Cow<'static, str>, String),
    #[error("a Secret `{0}` already exists")]
    SecretExists(String),
    #[error("the controller did not answer the {kind} within {} s", .deadline.as_secs())]
    Unanswered {
        kind: Cow<'static, str>,
        deadline: Duration,
    },
    #[error("the cluster is unreachable: {0}")]
    Unreachable(String),
}

/// The timeout of one request.
const TIMEOUT: Duration = Duration::from_secs(15);

/// A cluster under one login.
pub(crate) struct Cluster {
    runtime: Runtime,
    client: Client,
}

impl Cluster {
    /// Reads the kubeconfig. No request is sent yet.
    pub(crate) fn connect(target: &Target) -> Result<Self, ClusterError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| ClusterError::Unreachable(error.to_string()))?;
        let client = runtime.block_on(with_timeout(async {
            Client::try_from(config(target).await?)
                .map_err(|error| ClusterError::Kubeconfig(with_causes(&error)))
        }))?;
        Ok(Self { runtime, client })
    }

    /// Reads an environment.
    pub(crate) fn environment(&self, name: &EnvironmentName) -> Result<Environment, ClusterError> {
        self.runtime
            .block_on(with_timeout(read_environment(&self.client, name)))
    }

    /// Reads the active certificate of an environment, in PEM, from its status.
    pub(crate) fn certificate(&self, name: &EnvironmentName) -> Result<String, ClusterError> {
        self.runtime
            .block_on(with_timeout(read_certificate(&self.client, name)))
    }

    /// Reads a SealedSecret; nothing if it does not exist.
    pub(crate) fn sealed_secret(
        &self,
        namespace: &str,
        name: &str,
    ) -> Result<Option<SealedSecret>, ClusterError> {
        let api = Api::<SealedSecret>::namespaced(self.client.clone(), namespace);
        let nowhere =
            || ClusterError::Refused("the cluster has no SealedSecrets of sceau".to_owned());
        self.runtime.block_on(with_timeout(async {
            let read = api.get_opt(name).await;
            read.map_err(|error| explain(&error, nowhere))
        }))
    }

    /// Requests a new sealing key: sets the cutoff before which keys are replaced.
    pub(crate) fn renew(
        &self,
        name: &EnvironmentName,
        cutoff: Timestamp,
    ) -> Result<(), ClusterError> {
        let cutoff = cutoff.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let patch = serde_json::json!({"spec": {"sealingKeys": {"cutoffTime": cutoff}}});
        self.patch(name, patch)
    }

    /// Revokes further sealing keys of an environment, if it has not changed since it was read.
    /// [`ClusterError::Changed`] means that it has, and that nothing was revoked.
    pub(crate) fn revoke(
        &self,
        name: &EnvironmentName,
        read: &Environment,
        ids: &[String],
    ) -> Result<(), ClusterError> {
        let mut revoked = read.spec.sealing_keys.revoked_key_ids.clone();
        revoked.extend_from_slice(ids);
        self.patch(
            name,
            serde_json::json!({
                "metadata": {"resourceVersion": read.metadata.resource_version},
                "spec": {"sealingKeys": {"revokedKeyIds": revoked}},
            }),
        )
    }

    fn patch(&self, name: &EnvironmentName, patch: serde_json::Value) -> Result<(), ClusterError> {
        let api = Api::<Environment>::all(self.client.clone());
        self.runtime.block_on(with_timeout(async {
            let patched = api
                .patch(name.as_str(), &PatchParams::default(), &Patch::Merge(patch))
                .await;
            patched.map(|_| ()).map_err(|error| match &error {
                kube::Error::Api(status) if status.code == 409 => {
                    ClusterError::Changed(name.clone())
                }
                _ => explain(&error, || ClusterError::NoEnvironment(name.clone())),
            })
        }))
    }

    /// Waits until an environment has an active certificate other than `old`.
    pub(crate) fn next_certificate(
        &self,
        name: &EnvironmentName,
        old: Option<&str>,
        deadline: Duration,
    ) -> Result<String, ClusterError> {
        self.runtime.block_on(async {
            let renewed = async {
                loop {
                    match with_timeout(read_certificate(&self.client, name)).await {
                        Ok(read) if Some(read.as_str()) != old => return Ok(read),
                        // Until a key replaces a revoked one, there is no certificate.
                        Ok(_) | Err(ClusterError::NoCertificate(_)) => {}
                        Err(error) => return Err(error),
                    }
                    tokio::time::sleep(PAUSE).await;
                }
            };
            tokio::time::timeout(deadline, renewed)
                .await
                .unwrap_or(Err(ClusterError::NoNewKey(deadline)))
        })
    }
}

/// Reads the active certificate of an environment, in PEM, from its status.
pub(crate) fn fetch_certificate(
    target: &Target,
    name: &EnvironmentName,
) -> Result<String, ClusterError> {
    Cluster::connect(target)?.certificate(name)
}

async fn with_timeout<T>(
    answer: impl Future<Output = Result<T, ClusterError>>,
) -> Result<T, ClusterError> {
    tokio::time::timeout(TIMEOUT, answer)
        .await
        .unwrap_or_else(|_| {
            let seconds = TIMEOUT.as_secs();
            Err(ClusterError::Unreachable(format!(
                "no answer within {seconds} s"
            )))
        })
}

async fn read_environment(
    client: &Client,
    name: &EnvironmentName,
) -> Result<Environment, ClusterError> {
    Api::<Environment>::all(client.clone())
        .get(name.as_str())
        .await
        .map_err(|error| explain(&error, || ClusterError::NoEnvironment(name.clone())))
}

async fn read_certificate(client: &Client, name: &EnvironmentName) -> Result<String, ClusterError> {
    read_environment(client, name)
        .await?
        .status
        .and_then(|status| status.certificate)
        .ok_or_else(|| ClusterError::NoCertificate(name.clone()))
}

/// The pause between two reads.
const PAUSE: Duration = Duration::from_millis(200);

async fn config(target: &Target) -> Result<Config, ClusterError> {
    let unusable = |error: KubeconfigError| ClusterError::Kubeconfig(explain_kubeconfig(&error));
    let kubeconfig = match &target.kubeconfig {
        Some(path) => Kubeconfig::read_from(path),
        None => Kubeconfig::read(),
    };
    let options = KubeConfigOptions {
        context: target.context.clone(),
        ..KubeConfigOptions::default()
    };
    let mut config = Config::from_custom_kubeconfig(kubeconfig.map_err(unusable)?, &options)
        .await
        .map_err(unusable)?;
    config.connect_timeout = Some(TIMEOUT);
    config.read_timeout = Some(TIMEOUT);
    Ok(config)
}

/// Messages for the common errors of a kubeconfig: those of the client quote paths twice.
fn explain_kubeconfig(error: &KubeconfigError) -> String {
    match error {
        KubeconfigError::CurrentContextNotSet => "it has no current context".to_owned(),
        KubeconfigError::LoadContext(name) => format!("it has no context `{name}`"),
        KubeconfigError::LoadClusterOfContext(name) => format!("it has no cluster `{name}`"),
        KubeconfigError::ReadConfig(error, path) => {
            format!("cannot read {}: {}", path.display(), plain(error))
        }
        other => with_causes(other),
    }
}

/// Converts an error of the client; `absent` is the error for an object that does not exist.
fn explain(error: &kube::Error, absent: impl FnOnce() -> ClusterError) -> ClusterError {
    match error {
        kube::Error::Api(status) if status.code == 404 => absent(),
        kube::Error::Api(status) => ClusterError::Refused(status.message.clone()),
        kube::Error::Auth(error) => ClusterError::Refused(with_causes(error)),
        other => ClusterError::Unreachable(with_causes(other)),
    }
}

impl From<ClusterError> for CommandError {
    fn from(error: ClusterError) -> Self {
        let hint = match &error {
            ClusterError::KeySecretsRefused(_) => {
                "bind the Role `sceau-key-keeper` to your user in the controller's namespace"
            }
            ClusterError::Kubeconfig(_) => {
                "choose a kubeconfig with `--kubeconfig`, and a context with `--context`"
            }
            ClusterError::NoEnvironment(_) => "check `--context`, or install sceau in the cluster",
            ClusterError::NoCertificate(_) => {
                "find the reason with `kubectl describe environments.sceau.dev`"
            }
            ClusterError::NoNamespace(_) => "check `--context` and `--controller-namespace`",
            ClusterError::NoNewKey(_) => {
                "check that the controller runs, and run this again to continue"
            }
            ClusterError::Changed(_) => "run this again: nothing was done",
            ClusterError::NoValueReviews => "check `--context`, or update sceau in the cluster",
            ClusterError::NoResealRequests => {
                "update sceau in the cluster, or pass the private keys with `--keys`"
            }
            ClusterError::Refused(_) => "grant your user `get` on environments.sceau.dev",
            ClusterError::RequestRefused(..) => "check the log of the controller",
            ClusterError::SecretExists(_) => "check what it holds, and move it away",
            ClusterError::Unanswered { .. } => {
                "check that the controller runs, or raise `--timeout`"
            }
            ClusterError::Unreachable(_) => {
                "check the network and `--context`; for `certificate fetch`, a colleague can send the public certificate"
            }
        };
        Self::cluster(error).hint(hint)
    }
}
