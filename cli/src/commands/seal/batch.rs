//! Sealing many Secrets at once: certificates are read once, and all cores are used.

use std::{collections::BTreeMap, num::NonZero, ops::Range, thread};

use jiff::Timestamp;
use sealing::{EnvironmentName, Recipient, Scope, SealRequest, resource::SealedSecret};
use zeroize::Zeroizing;

use super::manifests::PlainFile;
use crate::{
    error::{CommandError, Result},
    manifest::{SourceSpan, Syntax},
    project::{self, Project, resolve},
    ui::{self, Io},
};

/// A file whose Secrets are sealed.
pub(super) struct SealedFile {
    /// The file as the user named it.
    pub(super) label: String,
    pub(super) text: Zeroizing<String>,
    pub(super) documents: Vec<SealedDocument>,
}

/// The SealedSecrets that replace a document.
pub(super) struct SealedDocument {
    pub(super) range: Range<usize>,
    pub(super) syntax: Syntax,
    pub(super) objects: Vec<SealedSecret>,
}

impl SealedFile {
    /// Its SealedSecrets, in the file's order.
    pub(super) fn objects(&self) -> impl Iterator<Item = &SealedSecret> {
        self.documents.iter().flat_map(|document| &document.objects)
    }

    /// Reports what was written to `place`.
    pub(super) fn report(&self, place: &str, io: &mut Io<'_>) {
        if self.documents.is_empty() {
            ui::note(
                io,
                format_args!("{place} has no Secret and stays unchanged"),
            );
        }
        for object in self.objects() {
            let items: usize = object.spec.seals.iter().map(|seal| seal.items.len()).sum();
            ui::note(
                io,
                format_args!(
                    "sealed {}/{} for {} ({}, {items} {}) in {place}",
                    object.metadata.namespace.as_deref().unwrap_or_default(),
                    object.metadata.name.as_deref().unwrap_or_default(),
                    object.spec.environment,
                    object.spec.scope,
                    if items == 1 { "item" } else { "items" },
                ),
            );
        }
    }
}

/// Seals every Secret of every file.
pub(super) fn seal(
    files: Vec<PlainFile>,
    project: &Project,
    scope: Scope,
    now: Timestamp,
) -> Result<Vec<SealedFile>> {
    reject_duplicates(&files)?;
    let recipients = recipients(&files, project, now)?;
    let jobs: Vec<Job<'_>> = files
        .iter()
        .flat_map(|file| {
            file.secrets()
                .map(move |(origin, secret)| (file, origin, secret))
        })
        .map(|(file, origin, secret)| Job {
            origin: origin.as_ref(),
            request: SealRequest {
                secret,
                environment: &file.environment,
                scope,
                recipients: recipients.get(&file.environment).map_or(&[], Vec::as_slice),
                sealed_at: now,
            },
        })
        .collect();
    let mut sealed = run_on_all_cores(&jobs)?.into_iter();
    drop(jobs);
    Ok(files
        .into_iter()
        .map(|file| regroup(file, &mut sealed))
        .collect())
}

fn reject_duplicates(files: &[PlainFile]) -> Result<()> {
    let places = files.iter().flat_map(|file| {
        let secrets = file.secrets();
        secrets.filter_map(|(origin, secret)| {
            Some((&file.environment, &secret.place, origin.as_ref()?))
        })
    });
    match resolve::first_duplicate(places) {
        None => Ok(()),
        Some((first, second)) => Err(second.error(format_args!(
            "this Secret has the same name and namespace as the one at {first}"
        ))),
    }
}

fn recipients(
    files: &[PlainFile],
    project: &Project,
    now: Timestamp,
) -> Result<BTreeMap<EnvironmentName, Vec<Recipient>>> {
    let mut recipients = BTreeMap::new();
    for PlainFile { environment, .. } in files {
        if !recipients.contains_key(environment) {
            let (name, settings) = resolve::named(project, environment)?;
            let found = project::recipients(project, name, settings, now)?;
            recipients.insert(name.clone(), found);
        }
    }
    Ok(recipients)
}

/// One Secret to seal.
struct Job<'a> {
    origin: Option<&'a SourceSpan>,
    request: SealRequest<'a>,
}

impl Job<'_> {
    fn run(&self) -> Result<SealedSecret> {
        sealing::seal(&self.request).map_err(|error| match self.origin {
            Some(origin) => origin.error(error),
            None => CommandError::user(error),
        })
    }
}

/// Runs all jobs. Results have the order of the jobs.
fn run_on_all_cores(jobs: &[Job<'_>]) -> Result<Vec<SealedSecret>> {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let share = jobs.len().div_ceil(cores).max(1);
    if cores == 1 || jobs.len() < 2 * cores {
        return jobs.iter().map(Job::run).collect();
    }
    thread::scope(|scope| {
        let workers: Vec<_> = jobs
            .chunks(share)
            .map(|share| scope.spawn(|| share.iter().map(Job::run).collect::<Result<Vec<_>>>()))
            .collect();
        let mut sealed = Vec::with_capacity(jobs.len());
        for worker in workers {
            let share = worker.join();
            sealed.extend(share.map_err(|_| CommandError::bug("sealing stopped"))??);
        }
        Ok(sealed)
    })
}

fn regroup(file: PlainFile, sealed: &mut impl Iterator<Item = SealedSecret>) -> SealedFile {
    let documents = file.documents.into_iter().map(|document| SealedDocument {
        range: document.range,
        syntax: document.syntax,
        objects: sealed.take(document.secrets.len()).collect(),
    });
    SealedFile {
        documents: documents.collect(),
        label: file.label,
        text: file.text,
    }
}
