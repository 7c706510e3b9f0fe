//! `sceau reseal`: the same values under a new wrapping.
//!
//! What is stale, who wraps it and how it is written is for [`crate::reseal`].

use std::{path::PathBuf, time::Duration};

use sealing::{EnvironmentName, Namespace};

use crate::{
    cluster::login::Login,
    error::Result,
    flags::ReportFormat,
    keys::files,
    project::{Project, resolve},
    reseal::{self, Backend, Resealing},
    ui::Io,
};

/// Bring seals to their environment's current recipients: same values, new wrapping
///
/// Reads the manifests below the paths: the files that end with yaml, yml or json, in any case,
/// and that git tracks, whatever an ignore rule says, or does not ignore. A symbolic link counts as
/// the file that it leads to, once. A link that leads out of the repository, to a directory or
/// nowhere is not followed. A submodule or nested repository is not entered: run sceau there. A
/// file that is named itself counts, whatever it is called.
///
/// A seal is stale when the keys it is wrapped for are not exactly those of the certificates that
/// sceau.yaml pins for its environment. Of a stale seal, the lines of its recipients change and
/// nothing else in the file; a second run changes nothing.
///
/// Through the cluster, which is the default, the controller wraps for its own active key:
/// no private key is needed but a login with the cluster role `sceau-resealer`. An environment with
/// several clusters takes one run against each. With `--keys`, seals are
/// wrapped here, for all certificates at once; the original's SealedSecrets can be resealed in
/// this way only. An item of theirs does not name its key: one is current when the current key is
/// among `--keys` and opens it.
///
/// Resealing does not make a value safe again that somebody has read: that takes a new value.
///
/// Templates and damaged files that speak of SealedSecrets are skipped and told, and count as what
/// could not be resealed.
///
/// Exit codes: 0 when every seal is current now; 1 when some could not be resealed, of which the
/// report tells the reasons; 3 with `--dry-run` when seals are stale; 4 when the cluster cannot be
/// reached or refuses. What was resealed before a failure stays: run it again.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct ResealArguments {
    /// Files and directories; none is the directory of sceau.yaml
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// Reseal what is sealed for this environment, and nothing else
    #[arg(long, value_name = "NAME")]
    environment: Option<EnvironmentName>,

    /// Reseal here, with the private keys of a file; may be given several times
    ///
    /// Either PEM, with as many keys as there are, or key Secrets as `kubectl get secret -o yaml`
    /// exports them, sceau's own or the original's, single, in several documents or in a List.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["context", "kubeconfig", "timeout"])]
    keys: Vec<PathBuf>,

    /// The namespace, for SealedSecrets that name none
    #[arg(short, long, value_name = "NAME")]
    namespace: Option<Namespace>,

    /// The kubeconfig context, instead of the one that sceau.yaml names
    #[arg(long, value_name = "NAME", requires = "environment")]
    context: Option<String>,

    /// The kubeconfig file, instead of KUBECONFIG or ~/.kube/config
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,

    /// How many seconds to wait for the controller's answer to each 512 seals
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    timeout: u64,

    /// Say what would change, and change nothing
    ///
    /// The cluster is not asked. With `--keys`, seals that these keys do not open are found too.
    #[arg(long)]
    dry_run: bool,

    /// How to write the report; a table leaves out what is current
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    output: ReportFormat,
}

const EXAMPLES: &str = "\
Examples:
  After a new certificate was pinned:
    sceau certificate fetch --environment prod
    sceau reseal
    git commit --all --message 'Reseal for the new key of prod'

  Ask in CI whether anything is stale:
    sceau reseal --dry-run

  Without the cluster, from a backup of its keys:
    sceau reseal --keys backup.yaml --environment prod

  An environment of two clusters:
    sceau reseal --environment prod --context prod-eu
    sceau reseal --environment prod --context prod-us";

pub(super) fn run(arguments: &ResealArguments, io: &mut Io<'_>) -> Result<()> {
    let project = Project::load(&io.directory)?;
    let environment = arguments.environment.as_ref();
    let named = environment.map(|name| resolve::named(&project, name));
    let resealing = Resealing {
        project: &project,
        paths: &arguments.paths,
        environment: named.transpose()?.map(|(name, _)| name),
        namespace: arguments.namespace.as_ref(),
        replacement: None,
        dry_run: arguments.dry_run,
        output: arguments.output,
    };
    let means = arguments.means(io)?;
    let rows = reseal::run(&resealing, means, io)?;
    reseal::verdict(&rows)
}

impl ResealArguments {
    fn means(&self, io: &mut Io<'_>) -> Result<Backend> {
        if !self.keys.is_empty() {
            return files::read_key_ring(&self.keys, io).map(Backend::Keys);
        }
        if self.dry_run {
            return Ok(Backend::Nothing);
        }
        Ok(Backend::Clusters(Login {
            context: self.context.clone(),
            kubeconfig: self.kubeconfig.as_ref().map(|file| io.directory.join(file)),
            deadline: Duration::from_secs(self.timeout),
        }))
    }
}
