//! Writing wrapped seals to their files, each file whole or not at all.

use std::path::{Path, PathBuf};

use sealing::resource::WrappedFileKey;

use super::{
    WrappedGroup,
    finding::{Finding, Problem},
    plan::{self, NativeTask, PlannedFile, Rewrapped, State, Task},
    report::ResealRow,
};
use crate::{
    input,
    manifest::{self, Located, Part, Replacement},
    output::{self, Audience, NewFile},
    repository::sealed_files::SealedFile,
};

/// Writes files, or only reports what it would write.
pub(super) struct Writer {
    pub(super) directory: PathBuf,
    pub(super) dry_run: bool,
}

impl Writer {
    /// Writes the files of a group, one after the other.
    pub(super) fn write_group(&self, (files, wrapped): WrappedGroup<'_>) -> Vec<ResealRow> {
        let mut wrapped = wrapped.into_iter();
        let write = |file: PlannedFile<'_>| {
            let own = wrapped.by_ref().take(file.tasks()).collect();
            self.write(file, own)
        };
        files.into_iter().flat_map(write).collect()
    }

    /// Writes a file with wrapped seals, and reports on each of its seals. `wrapped` has one result
    /// for each task, in their order.
    fn write(
        &self,
        file: PlannedFile<'_>,
        wrapped: Vec<Result<Rewrapped, Problem>>,
    ) -> Vec<ResealRow> {
        let mut wrapped = wrapped.into_iter();
        let mut rows = Vec::new();
        let mut replacements = Vec::new();
        for subject in file.subjects {
            let outcome = match subject.state {
                State::Current => Outcome::plain(Finding::Current),
                State::Blocked(problem) => Outcome::of(problem),
                State::Stale(task) => match wrapped.next() {
                    Some(Ok(fresh)) => self.outcome(&task, fresh),
                    Some(Err(problem)) => Outcome::of(problem),
                    None => Outcome::plain(Finding::Stale),
                },
            };
            rows.push((
                subject.row.with(outcome.problem),
                !outcome.replacements.is_empty(),
            ));
            replacements.extend(outcome.replacements);
        }
        let written = if self.dry_run || replacements.is_empty() {
            Ok(())
        } else {
            self.replace(file.file, &replacements)
        };
        rows.into_iter()
            .map(|(row, changes)| match &written {
                Err(problem) if changes => row.with(problem.clone()),
                _ => row,
            })
            .collect()
    }

    fn outcome<'a>(&self, task: &Task<'a>, fresh: Rewrapped) -> Outcome<'a> {
        match (task, fresh) {
            (Task::Bitnami(task), Rewrapped::Items(items)) => {
                let parts = items.into_iter().map(|(name, text)| match name {
                    Some(name) => Part::Item(name.to_string(), text),
                    None => Part::WholeSecret(text),
                });
                self.replaced(task.object, parts.collect())
            }
            (Task::Native(task), Rewrapped::Recipients(fresh)) => self.recipients(task, fresh),
            (_, Rewrapped::Untried)
            | (Task::Native(_), Rewrapped::Items(_))
            | (Task::Bitnami(_), Rewrapped::Recipients(_)) => Outcome::plain(Finding::Stale),
        }
    }

    fn replaced<'a>(&self, object: &'a Located, parts: Vec<Part>) -> Outcome<'a> {
        let finding = match (parts.is_empty(), self.dry_run) {
            (true, _) => Finding::Current,
            (false, true) => Finding::Stale,
            (false, false) => Finding::Resealed,
        };
        let parts = parts.into_iter();
        Outcome {
            replacements: parts.map(|part| Replacement { object, part }).collect(),
            ..Outcome::plain(finding)
        }
    }

    fn recipients<'a>(&self, task: &NativeTask<'a>, fresh: Vec<WrappedFileKey>) -> Outcome<'a> {
        let merged = plan::merged(&task.seal.recipients, task.pins, fresh);
        let lacking: Vec<String> = task
            .pins
            .iter()
            .filter(|pin| !pin.is_among(&merged))
            .map(|pin| pin.certificate.display().to_string())
            .collect();
        let parts = if merged == task.seal.recipients {
            Vec::new()
        } else {
            vec![Part::Recipients(task.index, merged)]
        };
        let mut outcome = self.replaced(task.object, parts);
        if !lacking.is_empty() {
            outcome.problem = incomplete(task, &lacking.join(", "));
        }
        outcome
    }

    fn replace(&self, file: &SealedFile, parts: &[Replacement<'_>]) -> Result<(), Problem> {
        let text = manifest::replaced(&file.text, parts)
            .map_err(|fault| Problem::new(Finding::NotEditable, fault.with_hint()))?;
        let label = Path::new(&file.label);
        let not_written = |message: String| Problem::new(Finding::NotWritten, message);
        let present = input::read_text(&self.directory, label);
        if *present.map_err(|error| not_written(error.message))? != *file.text {
            return Err(not_written(
                "the file changed during the run: run this again".to_owned(),
            ));
        }
        output::write(&NewFile {
            directory: &self.directory,
            name: label,
            bytes: text.as_bytes(),
            audience: Audience::Everyone,
        })
        .map_err(|error| not_written(error.message))
    }
}

/// The result of a seal, and its changes to the file.
struct Outcome<'a> {
    problem: Problem,
    replacements: Vec<Replacement<'a>>,
}

impl Outcome<'_> {
    fn plain(finding: Finding) -> Self {
        Self::of(Problem::new(finding, ""))
    }

    fn of(problem: Problem) -> Self {
        Self {
            problem,
            replacements: Vec::new(),
        }
    }
}

fn incomplete(task: &NativeTask<'_>, certificates: &str) -> Problem {
    Problem::new(
        Finding::Incomplete,
        format!(
            "not wrapped for {certificates}, so the old recipients stay: run `sceau reseal --environment {} --context CONTEXT` against that cluster",
            task.environment
        ),
    )
}
