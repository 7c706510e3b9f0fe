//! With which login a cluster is reached.

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

/// How the cluster of an environment is reached.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct ClusterArguments {
    /// The kubeconfig context, instead of the one that sceau.yaml names
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

    /// The same for whatever environment it will be.
    pub(crate) fn login(&self, deadline: Duration, directory: &Path) -> Login {
        Login {
            context: self.context.clone(),
            kubeconfig: self.kubeconfig.as_ref().map(|file| directory.join(file)),
            deadline,
        }
    }
}

/// How the clusters are reached.
#[derive(Debug, Clone)]
pub(crate) struct Login {
    /// A context instead of those that the project file names.
    pub(crate) context: Option<String>,
    /// A kubeconfig file, instead of `KUBECONFIG` or `~/.kube/config`.
    pub(crate) kubeconfig: Option<PathBuf>,
    /// How long a request may take.
    pub(crate) deadline: Duration,
}

impl Login {
    /// The cluster of an environment: the context is the one that was named, else the project's.
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
