//! Resealing the manifests of a repository: same values, new wrapping.
//!
//! Each file is written as soon as its seals are wrapped, whole or not at all. A second run
//! continues an interrupted one.

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
    report::{ResealRow, seals},
};

/// The manifests to reseal.
pub(crate) struct Resealing<'a> {
    pub(crate) project: &'a Project,
    /// Files and directories; none means the root of the project.
    pub(crate) paths: &'a [PathBuf],
    /// The environment, if only one is resealed.
    pub(crate) environment: Option<&'a EnvironmentName>,
    /// The namespace of SealedSecrets that name none.
    pub(crate) namespace: Option<&'a Namespace>,
    /// A certificate of the environment that replaces the pinned one.
    pub(crate) replacement: Option<Pin>,
    /// Whether changes are only reported.
    pub(crate) dry_run: bool,
    /// The format of the report.
    pub(crate) output: ReportFormat,
}

/// What wraps file keys.
pub(crate) enum Backend {
    /// The controllers of the environments.
    Clusters(Login),
    /// This program, with private keys.
    Keys(KeyRing),
    /// Nothing: stale seals are only reported.
    Nothing,
}

/// Reseals what is stale, and reports on every seal. Errors concern the cluster, the project file
/// or the pinned certificates. Files that were written before an error stay.
pub(crate) fn run(
    resealing: &Resealing<'_>,
    backend: Backend,
    io: &mut Io<'_>,
) -> CommandResult<Vec<ResealRow>> {
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
        wrapper: Wrapper::new(backend, project),
        writer: Writer {
            directory: io.directory.clone(),
            dry_run: resealing.dry_run,
        },
    };
    let (rows, outcome) = resealer.reseal_all(planned, io);
    if outcome.is_ok() || !rows.is_empty() {
        report_rows(&rows, resealing.output, io)?;
    }
    outcome.map(|()| rows)
}

/// Every seal of an environment in the project's files, with its recipients.
pub(crate) fn survey(
    project: &Project,
    environment: &EnvironmentName,
    io: &Io<'_>,
) -> CommandResult<Vec<FoundSeal>> {
    let files = read(project, &[], io)?;
    Ok(plan::survey(&files, environment, project))
}

/// Reads the files with SealedSecrets below the paths; no paths mean the root of the project.
fn read(project: &Project, paths: &[PathBuf], io: &Io<'_>) -> CommandResult<Vec<SealedFile>> {
    let root = [project.root.clone()];
    let paths = if paths.is_empty() { &root[..] } else { paths };
    sealed_files::read(paths, &io.directory)
}

fn report_rows(rows: &[ResealRow], output: ReportFormat, io: &mut Io<'_>) -> CommandResult<()> {
    ui::print(io, report::render(rows, output)?)?;
    ui::note(io, report::summary(rows));
    let is_about_wrapping = |row: &ResealRow| {
        matches!(
            row.result,
            Finding::Resealed | Finding::Stale | Finding::Incomplete
        )
    };
    if rows.iter().any(is_about_wrapping) {
        ui::note(
            io,
            "resealing does not protect values that were already read: rotate them with `sceau set`",
        );
    }
    Ok(())
}

/// The outcome of a run: success, stale seals, or seals that could not be resealed.
pub(crate) fn verdict(rows: &[ResealRow]) -> CommandResult<()> {
    let count = |is: fn(Finding) -> bool| rows.iter().filter(|row| is(row.result)).count();
    match (
        count(Finding::is_failure),
        count(|finding| finding == Finding::Stale),
    ) {
        (0, 0) => Ok(()),
        (0, stale) => Err(CommandError::check(format!("stale: {}", seals(stale)))
            .hint("reseal them: `sceau reseal`")),
        (failed, _) => Err(
            CommandError::user(format!("could not be resealed: {}", seals(failed)))
                .hint("fix the reasons in the report, and run this again: resealed seals stay"),
        ),
    }
}

/// A backend that wraps seals, and a writer for the files.
struct Resealer<'a> {
    wrapper: Wrapper<'a>,
    writer: Writer,
}

enum Wrapper<'a> {
    Clusters(Clusters<'a>),
    Keys(KeyRing),
    Nothing,
}

/// The number of seals that are wrapped while the files of the group before are written.
const GROUP: usize = 256;

impl Resealer<'_> {
    /// Runs until the cluster fails, and returns the rows of everything before. Files are written
    /// while the seals of the next group are wrapped.
    fn reseal_all(
        &mut self,
        files: Vec<PlannedFile<'_>>,
        io: &Io<'_>,
    ) -> (Vec<ResealRow>, CommandResult<()>) {
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
    fn new(backend: Backend, project: &'a Project) -> Self {
        match backend {
            Backend::Clusters(login) => Self::Clusters(Clusters::new(login, project)),
            Backend::Keys(ring) => Self::Keys(ring),
            Backend::Nothing => Self::Nothing,
        }
    }

    /// Sends what is wrapped, group by group, until the receiver is closed.
    fn wrap_all<'f>(
        &mut self,
        files: Vec<PlannedFile<'f>>,
        wrapped: &SyncSender<WrappedGroup<'f>>,
        progress: &Progress,
    ) -> CommandResult<()> {
        for group in groups(files) {
            let tasks: Vec<&Task<'_>> = group.iter().flat_map(PlannedFile::stale).collect();
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

/// Groups files until a group has the tasks of one request.
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
