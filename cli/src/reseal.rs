//! Resealing the manifests of a repository: same values, new wrapping.
//!
//! A file is written as soon as its seals are wrapped and each file whole or not at all, so that
//! an interrupted run is continued by running it again.

mod clusters;
mod finding;
mod offline;
mod plan;
mod report;
mod write;

use std::{
    path::PathBuf,
    sync::mpsc::{self, SyncSender},
    thread,
};

use sealing::{EnvironmentName, KeyRing, Namespace};

use self::{
    clusters::Clusters,
    finding::{Finding, Problem},
    plan::{Pins, PlannedFile, Request, Rewrapped, Task},
    write::Writer,
};
use crate::{
    cluster::login::Login,
    error::{CommandError, Result as CommandResult},
    flags::ReportFormat,
    project::Project,
    repository::sealed_files::{self, SealedFile},
    ui::{self, Io, Progress},
};

pub(crate) use self::{
    plan::{FoundSeal, Pin},
    report::{Row, seals},
};

/// What is to be resealed.
pub(crate) struct Resealing<'a> {
    pub(crate) project: &'a Project,
    /// Files and directories; none is the project's own.
    pub(crate) paths: &'a [PathBuf],
    /// The only environment that is meant.
    pub(crate) environment: Option<&'a EnvironmentName>,
    /// The namespace of SealedSecrets that name none.
    pub(crate) namespace: Option<&'a Namespace>,
    /// A certificate of the environment that takes the place of the pinned one.
    pub(crate) replacement: Option<Pin>,
    /// Whether it is only said what would change.
    pub(crate) dry_run: bool,
    /// How the report is written.
    pub(crate) output: ReportFormat,
}

/// Who wraps.
pub(crate) enum Backend {
    /// The controllers of the environments.
    Clusters(Login),
    /// This program, with private keys.
    Keys(KeyRing),
    /// Nobody: it is only said what is stale.
    Nothing,
}

/// Reseals what is stale, and reports on every seal; an error is one of the cluster, the project
/// file or the pinned certificates. Files that were written before it stay.
pub(crate) fn run(
    resealing: &Resealing<'_>,
    means: Backend,
    io: &mut Io<'_>,
) -> CommandResult<Vec<Row>> {
    let project = resealing.project;
    let request = Request {
        environment: resealing.environment,
        namespace: resealing.namespace,
    };
    let files = read(project, resealing.paths, io)?;
    let mut pins = Pins::read(&files, &request, project, io.now)?;
    if let (Some(environment), Some(pin)) = (request.environment, &resealing.replacement) {
        pins.replace(environment, pin);
    }
    let planned = files
        .iter()
        .map(|file| plan::plan(file, &request, project, &pins))
        .collect();
    let mut resealer = Resealer {
        wrapper: Wrapper::new(means, project),
        writer: Writer {
            directory: io.directory.clone(),
            dry_run: resealing.dry_run,
        },
    };
    let (rows, outcome) = resealer.reseal_all(planned, io);
    if outcome.is_ok() || !rows.is_empty() {
        tell(&rows, resealing.output, io)?;
    }
    outcome.map(|()| rows)
}

/// Every seal of an environment in the project's files, and whom it is wrapped for.
pub(crate) fn survey(
    project: &Project,
    environment: &EnvironmentName,
    io: &Io<'_>,
) -> CommandResult<Vec<FoundSeal>> {
    let files = read(project, &[], io)?;
    Ok(plan::survey(&files, environment, project))
}

/// Reads the files that hold SealedSecrets below the paths; none is the project's own directory.
fn read(project: &Project, paths: &[PathBuf], io: &Io<'_>) -> CommandResult<Vec<SealedFile>> {
    let root = [project.root.clone()];
    let paths = if paths.is_empty() { &root[..] } else { paths };
    sealed_files::read(paths, &io.directory)
}

fn tell(rows: &[Row], output: ReportFormat, io: &mut Io<'_>) -> CommandResult<()> {
    ui::print(io, report::render(rows, output)?)?;
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

/// How the whole ends: well, with something stale, or with something that could not be resealed.
pub(crate) fn verdict(rows: &[Row]) -> CommandResult<()> {
    let count = |is: fn(Finding) -> bool| rows.iter().filter(|row| is(row.result)).count();
    match (
        count(Finding::is_failure),
        count(|finding| finding == Finding::Stale),
    ) {
        (0, 0) => Ok(()),
        (0, stale) => Err(CommandError::check(format!("stale: {}", seals(stale)))
            .hint("reseal with `sceau reseal`")),
        (failed, _) => Err(
            CommandError::user(format!("could not be resealed: {}", seals(failed)))
                .hint("the report says why; what was resealed stays"),
        ),
    }
}

/// What wraps seals, and what writes them.
struct Resealer<'a> {
    wrapper: Wrapper<'a>,
    writer: Writer,
}

enum Wrapper<'a> {
    Clusters(Clusters<'a>),
    Keys(KeyRing),
    Nothing,
}

/// Seals that are wrapped while the files of as many before them are written.
const GROUP: usize = 256;

impl Resealer<'_> {
    /// Goes on until the cluster fails; the rows tell of everything before. Files are written while
    /// the seals of the next ones are wrapped.
    fn reseal_all(
        &mut self,
        files: Vec<PlannedFile<'_>>,
        io: &Io<'_>,
    ) -> (Vec<Row>, CommandResult<()>) {
        let total = files.iter().map(PlannedFile::tasks).sum();
        let progress = &Progress::start(io, total, "resealing");
        let Self { wrapper, writer } = self;
        let (wrapped, to_write) = mpsc::sync_channel(1);
        thread::scope(|scope| {
            let wrapping = scope.spawn(move || wrapper.wrap_all(files, &wrapped, progress));
            let rows = to_write
                .iter()
                .flat_map(|group| writer.write_group(group))
                .collect();
            let stopped = |_| Err(CommandError::bug("resealing stopped"));
            (rows, wrapping.join().unwrap_or_else(stopped))
        })
    }
}

/// Files whose seals are wrapped, with one result for each of their tasks.
type WrappedGroup<'a> = (Vec<PlannedFile<'a>>, Vec<Result<Rewrapped, Problem>>);

impl<'a> Wrapper<'a> {
    fn new(means: Backend, project: &'a Project) -> Self {
        match means {
            Backend::Clusters(login) => Self::Clusters(Clusters::new(login, project)),
            Backend::Keys(ring) => Self::Keys(ring),
            Backend::Nothing => Self::Nothing,
        }
    }

    /// Hands on what is wrapped, group by group, for as long as somebody takes it.
    fn wrap_all<'f>(
        &mut self,
        files: Vec<PlannedFile<'f>>,
        wrapped: &SyncSender<WrappedGroup<'f>>,
        progress: &Progress,
    ) -> CommandResult<()> {
        for group in groups(files) {
            let tasks: Vec<&Task<'_>> = group.iter().flat_map(PlannedFile::open).collect();
            let results = self.wrap(&tasks, progress)?;
            if wrapped.send((group, results)).is_err() {
                break;
            }
        }
        Ok(())
    }

    /// One result for each task, in their order.
    fn wrap(
        &mut self,
        tasks: &[&Task<'_>],
        progress: &Progress,
    ) -> CommandResult<Vec<Result<Rewrapped, Problem>>> {
        match self {
            Self::Clusters(clusters) => clusters.wrap(tasks, progress),
            Self::Keys(ring) => offline::wrap(tasks, ring, progress),
            Self::Nothing => Ok(tasks.iter().map(|task| task.untried()).collect()),
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
