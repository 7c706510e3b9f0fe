//! The cluster, as far as a person's program needs it: the public side of an environment, and
//! seals that the controller wraps for the active sealing key.
//!
//! It is the only file that names a Kubernetes client and the only one that waits for the
//! network; a runtime of its own hides both.

use std::{path::PathBuf, time::Duration};

use jiff::Timestamp;
use kube::{
    Api, Client, Config,
    api::{DeleteParams, Patch, PatchParams, PostParams},
    config::{KubeConfigOptions, Kubeconfig, KubeconfigError},
};
use sealing::{
    EnvironmentName,
    resource::{Environment, ResealOutcome, ResealRequest, ResealRequestSpec, ResealRequestStatus},
};
use tokio::runtime::Runtime;

use crate::error::{CommandError, plain, with_causes};

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
    #[error("the controller made no new sealing key within {} s", .0.as_secs())]
    NoNewKey(Duration),
    #[error("Environment `{0}` was changed meanwhile")]
    Changed(EnvironmentName),
    #[error("the cluster does not know ResealRequests: sceau is not installed there, or older")]
    NoResealRequests,
    #[error("the cluster refuses: {0}")]
    Refused(String),
    #[error("the controller refuses the ResealRequest: {0}")]
    RequestRefused(String),
    #[error("the ResealRequest was not answered within {} s", .0.as_secs())]
    Unanswered(Duration),
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

    /// Asks for a sealing key that is made after this instant.
    pub(crate) fn renew(
        &self,
        name: &EnvironmentName,
        before: Timestamp,
    ) -> Result<(), ClusterError> {
        let before = before.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let order = serde_json::json!({"spec": {"sealingKeys": {"renewBefore": before}}});
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
        let mut revoked = read.spec.sealing_keys.revoked.clone();
        revoked.extend_from_slice(ids);
        self.patch(
            name,
            serde_json::json!({
                "metadata": {"resourceVersion": read.metadata.resource_version},
                "spec": {"sealingKeys": {"revoked": revoked}},
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

    /// Has seals wrapped for the active sealing key of their environment: one outcome for each, in
    /// their order. The request is deleted afterwards, whatever came of it.
    pub(crate) fn reseal(
        &self,
        seals: ResealRequestSpec,
        deadline: Duration,
    ) -> Result<Vec<ResealOutcome>, ClusterError> {
        self.runtime.block_on(async {
            let api = Api::all(self.client.clone());
            let expected = seals.seals.len();
            let name = within_patience(create(&api, seals)).await?;
            let status = tokio::time::timeout(deadline, answer(&api, &name)).await;
            // A request that stays is deleted by the controller after ten minutes.
            let _ = within_patience(delete(&api, &name)).await;
            let outcomes = status
                .map_err(|_| ClusterError::Unanswered(deadline))
                .flatten()?;
            if outcomes.len() == expected {
                return Ok(outcomes);
            }
            let answered = outcomes.len();
            Err(ClusterError::RequestRefused(format!(
                "it has {expected} seals and was answered with {answered} outcomes"
            )))
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

/// Creates the request under a name that the API server chooses, and returns that name.
async fn create(
    api: &Api<ResealRequest>,
    seals: ResealRequestSpec,
) -> Result<String, ClusterError> {
    let mut request = ResealRequest::new("", seals);
    request.metadata.name = None;
    request.metadata.generate_name = Some("sceau-reseal-".to_owned());
    let created = api.create(&PostParams::default(), &request).await;
    created
        .map_err(|error| explain(&error, || ClusterError::NoResealRequests))?
        .metadata
        .name
        .ok_or_else(|| ClusterError::RequestRefused("it was given no name".to_owned()))
}

/// How long to wait before something is looked at again.
const PAUSE: Duration = Duration::from_millis(200);

async fn answer(api: &Api<ResealRequest>, name: &str) -> Result<Vec<ResealOutcome>, ClusterError> {
    loop {
        let request = within_patience(async {
            let request = api.get(name).await;
            request.map_err(|error| explain(&error, || gone(name)))
        });
        if let Some(answer) = request.await?.status.and_then(complete) {
            return answer;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn gone(name: &str) -> ClusterError {
    ClusterError::RequestRefused(format!("{name} was deleted before it was answered"))
}

/// What the controller answered, once it has.
fn complete(status: ResealRequestStatus) -> Option<Result<Vec<ResealOutcome>, ClusterError>> {
    let condition = status.conditions.iter().find(|it| it.type_ == "Complete")?;
    match condition.status.as_str() {
        "True" => Some(Ok(status.seals)),
        "False" => Some(Err(ClusterError::RequestRefused(condition.message.clone()))),
        _ => None,
    }
}

async fn delete(api: &Api<ResealRequest>, name: &str) -> Result<(), ClusterError> {
    let deleted = api.delete(name, &DeleteParams::default()).await;
    deleted
        .map(|_| ())
        .map_err(|error| explain(&error, || gone(name)))
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
            ClusterError::Kubeconfig(_) => {
                "name a kubeconfig with `--kubeconfig` and a context of it with `--context`"
            }
            ClusterError::NoEnvironment(_) => "is this the right cluster? see `--context`",
            ClusterError::NoCertificate(_) => {
                "see why with `kubectl describe environments.sceau.dev`"
            }
            ClusterError::NoNewKey(_) => {
                "is the controller running? see its log, and run this again to go on waiting"
            }
            ClusterError::Changed(_) => "nothing was done: run this again",
            ClusterError::NoResealRequests => {
                "update sceau in the cluster, or give the private keys with `--keys`"
            }
            ClusterError::Refused(_) => "you need `get` on environments.sceau.dev",
            ClusterError::RequestRefused(_) => "see the log of the controller",
            ClusterError::Unanswered(_) => "is the controller running? see its log, or `--timeout`",
            ClusterError::Unreachable(_) => {
                "the certificate can also be sent to you by somebody who can: it is public"
            }
        };
        Self::cluster(error).hint(hint)
    }
}
