//! The cluster, as far as a person's program needs it: the public side of an environment, and
//! seals that the controller wraps for the active sealing key.
//!
//! With the modules below it, it is the only place that names a Kubernetes client and the only one
//! that waits for the network; a runtime of its own hides both.

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

/// Which cluster is asked, and with whose credentials.
#[derive(Debug, Clone, Default)]
pub(crate) struct Target {
    /// A kubeconfig file, instead of `KUBECONFIG` or `~/.kube/config`.
    pub(crate) kubeconfig: Option<PathBuf>,
    /// A context in it, instead of the current one.
    pub(crate) context: Option<String>,
}

/// A question that the cluster did not answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClusterError {
    #[error("the cluster refuses: {0}")]
    KeySecretsRefused(String),
    #[error("the kubeconfig cannot be used: {0}")]
    Kubeconfig(String),
    #[error("the cluster has no Environment `{0}`, or sceau is not installed there")]
    NoEnvironment(EnvironmentName),
    #[error("Environment `{0}` has no certificate yet")]
    NoCertificate(EnvironmentName),
    #[error("the cluster has no namespace `{0}`")]
    NoNamespace(Namespace),
    #[error("the controller made no new sealing key within {} s", .0.as_secs())]
    NoNewKey(Duration),
    #[error("Environment `{0}` was changed meanwhile")]
    Changed(EnvironmentName),
    #[error("the cluster does not know ValueReviews: sceau is not installed there, or older")]
    NoValueReviews,
    #[error("the cluster does not know ResealRequests: sceau is not installed there, or older")]
    NoResealRequests,
    #[error("the cluster refuses: {0}")]
    Refused(String),
    #[error("the controller refuses the {0}: {1}")]
    RequestRefused(Cow<'static, str>, String),
    #[error("there is a Secret `{0}`")]
    SecretExists(String),
    #[error("the {kind} was not answered within {} s", .deadline.as_secs())]
    Unanswered {
        kind: Cow<'static, str>,
        deadline: Duration,
    },
    #[error("the cluster cannot be reached: {0}")]
    Unreachable(String),
}

/// Nobody waits longer than this for one answer.
const PATIENCE: Duration = Duration::from_secs(15);

/// A cluster under one login.
pub(crate) struct Cluster {
    runtime: Runtime,
    client: Client,
}

impl Cluster {
    /// Reads the kubeconfig; nothing is asked of the cluster yet.
    pub(crate) fn connect(target: &Target) -> Result<Self, ClusterError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| ClusterError::Unreachable(error.to_string()))?;
        let client = runtime.block_on(within_patience(async {
            Client::try_from(config(target).await?)
                .map_err(|error| ClusterError::Kubeconfig(with_causes(&error)))
        }))?;
        Ok(Self { runtime, client })
    }

    /// Reads an environment.
    pub(crate) fn environment(&self, name: &EnvironmentName) -> Result<Environment, ClusterError> {
        self.runtime
            .block_on(within_patience(read_environment(&self.client, name)))
    }

    /// Reads the active certificate of an environment, in PEM, from its status.
    pub(crate) fn certificate(&self, name: &EnvironmentName) -> Result<String, ClusterError> {
        self.runtime
            .block_on(within_patience(read_certificate(&self.client, name)))
    }

    /// Reads a SealedSecret; nothing when there is none of that name.
    pub(crate) fn sealed_secret(
        &self,
        namespace: &str,
        name: &str,
    ) -> Result<Option<SealedSecret>, ClusterError> {
        let api = Api::<SealedSecret>::namespaced(self.client.clone(), namespace);
        let nowhere = || ClusterError::Refused("it knows no SealedSecrets".to_owned());
        self.runtime.block_on(within_patience(async {
            let read = api.get_opt(name).await;
            read.map_err(|error| explain(&error, nowhere))
        }))
    }

    /// Asks for a sealing key that is made after this instant.
    pub(crate) fn renew(
        &self,
        name: &EnvironmentName,
        before: Timestamp,
    ) -> Result<(), ClusterError> {
        let before = before.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let order = serde_json::json!({"spec": {"sealingKeys": {"cutoffTime": before}}});
        self.patch(name, order)
    }

    /// Revokes sealing keys of an environment besides those that are revoked, if it is as it was
    /// read. [`ClusterError::Changed`] says that it is not, and that nothing was revoked.
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

    fn patch(&self, name: &EnvironmentName, order: serde_json::Value) -> Result<(), ClusterError> {
        let api = Api::<Environment>::all(self.client.clone());
        self.runtime.block_on(within_patience(async {
            let patched = api
                .patch(name.as_str(), &PatchParams::default(), &Patch::Merge(order))
                .await;
            patched.map(|_| ()).map_err(|error| match &error {
                kube::Error::Api(status) if status.code == 409 => {
                    ClusterError::Changed(name.clone())
                }
                _ => explain(&error, || ClusterError::NoEnvironment(name.clone())),
            })
        }))
    }

    /// Waits until an environment has an active certificate, and another one than `old`.
    pub(crate) fn next_certificate(
        &self,
        name: &EnvironmentName,
        old: Option<&str>,
        deadline: Duration,
    ) -> Result<String, ClusterError> {
        self.runtime.block_on(async {
            let renewed = async {
                loop {
                    match within_patience(read_certificate(&self.client, name)).await {
                        Ok(read) if Some(read.as_str()) != old => return Ok(read),
                        // While a key is made in place of a revoked one, there is none.
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

async fn within_patience<T>(
    answer: impl Future<Output = Result<T, ClusterError>>,
) -> Result<T, ClusterError> {
    tokio::time::timeout(PATIENCE, answer)
        .await
        .unwrap_or_else(|_| {
            let seconds = PATIENCE.as_secs();
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

/// How long to wait before something is looked at again.
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
    config.connect_timeout = Some(PATIENCE);
    config.read_timeout = Some(PATIENCE);
    Ok(config)
}

/// The client quotes paths twice and says little where the fault is the user's.
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

/// What an error of the client means; `absent` is what it means that the thing is not there.
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
                "you need the role `sceau-key-keeper` in the controller's namespace"
            }
            ClusterError::Kubeconfig(_) => {
                "name a kubeconfig with `--kubeconfig` and a context of it with `--context`"
            }
            ClusterError::NoEnvironment(_) => "is this the right cluster? see `--context`",
            ClusterError::NoCertificate(_) => {
                "see why with `kubectl describe environments.sceau.dev`"
            }
            ClusterError::NoNamespace(_) => {
                "is this the right cluster? see `--context`, and `--controller-namespace`"
            }
            ClusterError::NoNewKey(_) => {
                "is the controller running? see its log, and run this again to go on waiting"
            }
            ClusterError::Changed(_) => "nothing was done: run this again",
            ClusterError::NoValueReviews => "is this the right cluster? if so, update sceau in it",
            ClusterError::NoResealRequests => {
                "update sceau in the cluster, or give the private keys with `--keys`"
            }
            ClusterError::Refused(_) => "you need `get` on environments.sceau.dev",
            ClusterError::RequestRefused(..) => "see the log of the controller",
            ClusterError::SecretExists(_) => "see what it is, and move it out of the way",
            ClusterError::Unanswered { .. } => {
                "is the controller running? see its log, or `--timeout`"
            }
            ClusterError::Unreachable(_) => {
                "the certificate can also be sent to you by somebody who can: it is public"
            }
        };
        Self::cluster(error).hint(hint)
    }
}
