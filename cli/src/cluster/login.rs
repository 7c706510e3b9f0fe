//! The login to clusters.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use sealing::EnvironmentName;

use crate::{
    cluster::{Cluster, Target},
    error::Result,
    project::{Environment, Project},
};

/// The flags for the login to an environment's cluster.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct ClusterArguments {
    /// The kubeconfig context, instead of the one in sceau.yaml
    #[arg(long, value_name = "NAME")]
    context: Option<String>,

    /// The kubeconfig file, instead of KUBECONFIG or ~/.kube/config
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
}

impl ClusterArguments {
    /// The cluster of this environment.
    pub(crate) fn target(&self, environment: &Environment, directory: &Path) -> Target {
        let own = || environment.context.clone();
        Target {
            kubeconfig: self.kubeconfig.as_ref().map(|file| directory.join(file)),
            context: self.context.clone().or_else(own),
        }
    }

    /// The login to the clusters of any environments.
    pub(crate) fn login(&self, deadline: Duration, directory: &Path) -> Login {
        Login {
            context: self.context.clone(),
            kubeconfig: self.kubeconfig.as_ref().map(|file| directory.join(file)),
            deadline,
        }
    }
}

/// A login to the clusters of environments.
#[derive(Debug, Clone)]
pub(crate) struct Login {
    /// A context, instead of those in the project file.
    pub(crate) context: Option<String>,
    /// A kubeconfig file, instead of `KUBECONFIG` or `~/.kube/config`.
    pub(crate) kubeconfig: Option<PathBuf>,
    /// The timeout of a request to the controller.
    pub(crate) deadline: Duration,
}

impl Login {
    /// The cluster of an environment, in the given context, else in the project's.
    pub(crate) fn cluster(
        &self,
        environment: &EnvironmentName,
        project: &Project,
    ) -> Result<Cluster> {
        let settings = project.environments.get(environment);
        let own = settings.and_then(|settings| settings.context.clone());
        let target = Target {
            kubeconfig: self.kubeconfig.clone(),
            context: self.context.clone().or(own),
        };
        Ok(Cluster::connect(&target)?)
    }
}
