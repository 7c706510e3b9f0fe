//! `sceau reseal`: the same values under a new wrapping.
//!
//! [`crate::reseal`] decides what is stale, wraps it and writes it.

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

/// Reseal for the current recipients of an environment: same values, new wrapping
///
/// Reads the manifests below the paths: files with the extension yaml, yml or json, in any case,
/// that git tracks or does not ignore. A symbolic link counts as its target file, once. A link to a
/// directory, to nothing or to the outside of the repository is not followed. Submodules and nested
/// repositories are not entered: run sceau there. A path that names a file counts under any name.
///
/// A seal is stale if it is not wrapped for exactly the certificates that sceau.yaml pins for its
/// environment. Of a stale seal, only the lines of its recipients change. A second run changes
/// nothing.
///
/// By default, the controller of the cluster wraps for its own active key. That needs no private
/// key, but a login with the cluster role `sceau-resealer`. An environment with several clusters
/// needs one run for each. With `--keys`, sceau wraps locally, for all certificates at once.
/// SealedSecrets in the kubeseal format need `--keys`. Their items do not name their key: an item
/// is current if the current key is among `--keys` and decrypts it.
///
/// Resealing does not protect values that were already read. Rotate them with `sceau set`.
///
/// The report lists templates and damaged files with SealedSecrets as seals that could not be
/// resealed.
///
/// Exit codes: 0 if every seal is current now; 1 if some could not be resealed, with the reasons in
/// the report; 3 if `--dry-run` finds stale seals; 4 if the cluster is unreachable or rejected the
/// request. Seals that were resealed before a failure stay: run it again.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct ResealArguments {
    /// Files and directories; no path means the directory of sceau.yaml
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// Reseal only what is sealed for this environment
    #[arg(long, value_name = "NAME")]
    environment: Option<EnvironmentName>,

    /// Reseal locally, with the private keys of a file; may be repeated
    ///
    /// Either PEM with any number of keys, or key Secrets as `kubectl get secret -o yaml` exports
    /// them, of sceau or of the Bitnami controller. Several documents and Lists are read too.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["context", "kubeconfig", "timeout"])]
    keys: Vec<PathBuf>,

    /// The namespace, for SealedSecrets that name none
    #[arg(short, long, value_name = "NAME")]
    namespace: Option<Namespace>,

    /// The kubeconfig context, instead of the one in sceau.yaml
    #[arg(long, value_name = "NAME", requires = "environment")]
    context: Option<String>,

    /// The kubeconfig file, instead of KUBECONFIG or ~/.kube/config
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,

    /// How many seconds to wait for the controller, for every 512 seals
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    timeout: u64,

    /// Report what would change, and change nothing
    ///
    /// Does not connect to the cluster. With `--keys`, it also finds seals that these keys do not
    /// decrypt.
    #[arg(long)]
    dry_run: bool,

    /// The output format of the report; a table leaves out current seals
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    output: ReportFormat,
}

const EXAMPLES: &str = "\
Examples:
  After a new certificate was pinned:
    sceau certificate fetch --environment prod
    sceau reseal
    git commit --all --message 'Reseal for the new key of prod'

  Check in CI for stale seals:
    sceau reseal --dry-run

  Without the cluster, with a backup of its keys:
    sceau reseal --keys backup.yaml --environment prod

  An environment with two clusters:
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
    let backend = arguments.backend(io)?;
    let rows = reseal::run(&resealing, backend, io)?;
    reseal::verdict(&rows)
}

impl ResealArguments {
    fn backend(&self, io: &mut Io<'_>) -> Result<Backend> {
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
