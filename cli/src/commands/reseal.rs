//! `sceau reseal`: the same values under a new wrapping.
//!
//! A file is written as soon as its seals are wrapped and each file whole or not at all, so that
//! an interrupted run is continued by running it again.

mod clusters;
mod files;
mod offline;
mod plan;
mod report;
mod write;

use std::{path::PathBuf, time::Duration};

use sealing::{EnvironmentName, KeyRing, Namespace};

use self::{
    clusters::{Clusters, Login},
    files::SealedFile,
    plan::{Fresh, Pins, PlannedFile, Problem, Request, Task},
    report::{Finding, Row},
    write::Writer,
};
use crate::{
    args::ReportFormat,
    error::{CommandError, Result as CommandResult},
    project::Project,
    resolve, sources,
    ui::{self, Io, Progress},
};

/// Bring seals to their environment's current recipients: same values, new wrapping
///
/// Reads the YAML and JSON files below the paths, those that git ignores left out. A seal is stale
/// when the keys it is wrapped for are not exactly those of the certificates that sceau.yaml pins
/// for its environment. Of a stale seal, the lines of its recipients change and nothing else in
/// the file; a second run changes nothing.
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

/// What is wrapped between two writes: a request's worth of seals.
const GROUP: usize = 512;

pub(super) fn run(arguments: &ResealArguments, io: &mut Io<'_>) -> CommandResult<()> {
    let project = Project::load(&io.directory)?;
    let request = arguments.request(&project)?;
    let files = arguments.read(&project, io)?;
    let pins = Pins::read(&files, &request, &project, io.now)?;
    let planned: Vec<_> = files
        .iter()
        .map(|file| plan::plan(file, &request, &project, &pins))
        .collect();
    let ring = arguments.ring(io)?;
    let (rows, outcome) = arguments
        .resealer(ring.as_ref(), &project, io)
        .reseal_all(planned, io);
    if outcome.is_ok() || !rows.is_empty() {
        arguments.tell(&rows, io)?;
    }
    outcome.and_then(|()| verdict(&rows))
}

impl ResealArguments {
    fn read(&self, project: &Project, io: &Io<'_>) -> CommandResult<Vec<SealedFile>> {
        let root = [project.root.clone()];
        let paths = if self.paths.is_empty() {
            &root[..]
        } else {
            &self.paths
        };
        Ok(sources::manifest_files(paths, &io.directory)?
            .iter()
            .filter_map(|path| SealedFile::read(path, &io.directory))
            .collect())
    }

    fn request<'a>(&'a self, project: &'a Project) -> CommandResult<Request<'a>> {
        let environment = self.environment.as_ref();
        let named = environment.map(|name| resolve::named(project, name));
        Ok(Request {
            environment: named.transpose()?.map(|(name, _)| name),
            namespace: self.namespace.as_ref(),
        })
    }

    fn ring(&self, io: &mut Io<'_>) -> CommandResult<Option<KeyRing>> {
        if self.keys.is_empty() {
            return Ok(None);
        }
        sources::read_key_ring(&self.keys, io).map(Some)
    }

    fn resealer<'a>(
        &'a self,
        ring: Option<&'a KeyRing>,
        project: &'a Project,
        io: &Io<'_>,
    ) -> Resealer<'a> {
        let means = match (ring, self.dry_run) {
            (Some(ring), _) => Means::Keys(ring),
            (None, true) => Means::Nothing,
            (None, false) => Means::Clusters(Clusters::new(Login {
                project,
                context: self.context.as_deref(),
                kubeconfig: self.kubeconfig.as_ref().map(|it| io.directory.join(it)),
                deadline: Duration::from_secs(self.timeout),
            })),
        };
        Resealer {
            means,
            writer: Writer {
                directory: io.directory.clone(),
                dry_run: self.dry_run,
            },
        }
    }

    fn tell(&self, rows: &[Row], io: &mut Io<'_>) -> CommandResult<()> {
        ui::print(io, report::render(rows, self.output)?)?;
        ui::note(io, report::summary(rows));
        let is_about_wrapping = |row: &Row| {
            matches!(
                row.result,
                Finding::Resealed | Finding::Stale | Finding::Incomplete
            )
        };
        if rows.iter().any(is_about_wrapping) {
            ui::note(
                io,
                "a value that somebody has read stays read: only renewing it, with a new value, helps",
            );
        }
        Ok(())
    }
}

/// What wraps seals, and what writes them.
struct Resealer<'a> {
    means: Means<'a>,
    writer: Writer,
}

enum Means<'a> {
    Clusters(Clusters<'a>),
    Keys(&'a KeyRing),
    /// It is only said what is stale.
    Nothing,
}

impl Resealer<'_> {
    /// Goes on until the cluster fails; the rows tell of everything before.
    fn reseal_all(
        &mut self,
        files: Vec<PlannedFile<'_>>,
        io: &Io<'_>,
    ) -> (Vec<Row>, CommandResult<()>) {
        let total = files.iter().map(PlannedFile::tasks).sum();
        let progress = Progress::start(io, total, "resealing");
        let mut rows = Vec::new();
        for group in groups(files) {
            let tasks: Vec<&Task<'_>> = group.iter().flat_map(PlannedFile::open).collect();
            let wrapped = match self.wrap(&tasks) {
                Ok(wrapped) => wrapped,
                Err(error) => return (rows, Err(error)),
            };
            progress.advance(tasks.len());
            let mut wrapped = wrapped.into_iter();
            for file in group {
                let own = wrapped.by_ref().take(file.tasks()).collect();
                rows.extend(self.writer.write(file, own));
            }
        }
        (rows, Ok(()))
    }

    /// One result for each task, in their order.
    fn wrap(&mut self, tasks: &[&Task<'_>]) -> CommandResult<Vec<Result<Fresh, Problem>>> {
        match &mut self.means {
            Means::Clusters(clusters) => clusters.wrap(tasks),
            Means::Keys(ring) => offline::wrap(tasks, ring),
            Means::Nothing => Ok(tasks.iter().map(|task| task.untried()).collect()),
        }
    }
}

/// Files together, until they have as many tasks as one request takes.
fn groups(files: Vec<PlannedFile<'_>>) -> Vec<Vec<PlannedFile<'_>>> {
    let mut groups = Vec::new();
    let mut group = Vec::new();
    let mut tasks = 0;
    for file in files {
        if tasks + file.tasks() > GROUP && !group.is_empty() {
            groups.push(std::mem::take(&mut group));
            tasks = 0;
        }
        tasks += file.tasks();
        group.push(file);
    }
    groups.push(group);
    groups
}

fn verdict(rows: &[Row]) -> CommandResult<()> {
    let count = |is: fn(Finding) -> bool| rows.iter().filter(|row| is(row.result)).count();
    match (count(Finding::is_failure), count(|it| it == Finding::Stale)) {
        (0, 0) => Ok(()),
        (0, stale) => Err(
            CommandError::check(format!("stale: {}", report::seals(stale)))
                .hint("reseal with `sceau reseal`"),
        ),
        (failed, _) => Err(CommandError::user(format!(
            "could not be resealed: {}",
            report::seals(failed)
        ))
        .hint("the report says why; what was resealed stays")),
    }
}
