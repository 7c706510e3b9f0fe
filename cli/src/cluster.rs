//! The cluster, as far as a developer's program needs it: the public side of an environment.
//!
//! It is the only file that names a Kubernetes client and the only one that waits for the
//! network; a runtime of its own hides both.

use std::{path::PathBuf, time::Duration};

use kube::{
    Api, Client, Config,
    config::{KubeConfigOptions, Kubeconfig, KubeconfigError},
};
use sealing::{EnvironmentName, resource::Environment};

use crate::error::{plain, with_causes};

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
    #[error("the kubeconfig cannot be used: {0}")]
    Kubeconfig(String),
    #[error("the cluster has no Environment `{0}`, or sceau is not installed there")]
    NoEnvironment(EnvironmentName),
    #[error("Environment `{0}` has no certificate yet")]
    NoCertificate(EnvironmentName),
    #[error("the cluster refuses: {0}")]
    Refused(String),
    #[error("the cluster cannot be reached: {0}")]
    Unreachable(String),
}

/// Nobody waits longer than this for one answer.
const PATIENCE: Duration = Duration::from_secs(15);

/// Reads the active certificate of an environment, in PEM, from its status.
pub(crate) fn fetch_certificate(
    target: &Target,
    name: &EnvironmentName,
) -> Result<String, ClusterError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| ClusterError::Unreachable(error.to_string()))?;
    runtime.block_on(async {
        tokio::time::timeout(PATIENCE, read_certificate(target, name))
            .await
            .unwrap_or_else(|_| {
                let seconds = PATIENCE.as_secs();
                Err(ClusterError::Unreachable(format!(
                    "no answer within {seconds} s"
                )))
            })
    })
}

async fn read_certificate(target: &Target, name: &EnvironmentName) -> Result<String, ClusterError> {
    let client = Client::try_from(config(target).await?)
        .map_err(|error| ClusterError::Kubeconfig(with_causes(&error)))?;
    let environment = Api::<Environment>::all(client)
        .get(name.as_str())
        .await
        .map_err(|error| explain(&error, name))?;
    environment
        .status
        .and_then(|status| status.certificate)
        .ok_or_else(|| ClusterError::NoCertificate(name.clone()))
}

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

fn explain(error: &kube::Error, name: &EnvironmentName) -> ClusterError {
    match error {
        kube::Error::Api(status) if status.code == 404 => ClusterError::NoEnvironment(name.clone()),
        kube::Error::Api(status) => ClusterError::Refused(status.message.clone()),
        kube::Error::Auth(error) => ClusterError::Refused(with_causes(error)),
        other => ClusterError::Unreachable(with_causes(other)),
    }
}
