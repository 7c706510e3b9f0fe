//! Putting what was wrapped into its file: whole, or not at all.

use std::path::{Path, PathBuf};

use sealing::resource::WrappedFileKey;

use super::{
    WrappedGroup,
    plan::{self, Fresh, NativeTask, PlannedFile, Problem, State, Task},
    report::{Finding, Row},
};
use crate::{
    manifest::{self, Located, Part, Replacement},
    output::{self, Audience, NewFile},
    sealed_files::SealedFile,
    sources,
};

/// What writes files, or only says what it would write.
pub(super) struct Writer {
    pub(super) directory: PathBuf,
    pub(super) dry_run: bool,
}

impl Writer {
    /// Writes the files of a group, one after the other.
    pub(super) fn write_group(&self, (files, wrapped): WrappedGroup<'_>) -> Vec<Row> {
        let mut wrapped = wrapped.into_iter();
        let write = |file: PlannedFile<'_>| {
            let own = wrapped.by_ref().take(file.tasks()).collect();
            self.write(file, own)
        };
        files.into_iter().flat_map(write).collect()
    }

    /// Writes a file in which something was wrapped anew, and reports on each of its seals.
    /// `wrapped` has one result for each open task, in their order.
    fn write(&self, file: PlannedFile<'_>, wrapped: Vec<Result<Fresh, Problem>>) -> Vec<Row> {
        let mut wrapped = wrapped.into_iter();
        let mut rows = Vec::new();
        let mut replacements = Vec::new();
        for subject in file.subjects {
            let outcome = match subject.state {
                State::Current => Outcome::plain(Finding::Current),
                State::Hopeless(problem) => Outcome::of(problem),
                State::Open(task) => match wrapped.next() {
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

    fn outcome<'a>(&self, task: &Task<'a>, fresh: Fresh) -> Outcome<'a> {
        match (task, fresh) {
            (_, Fresh::Untried) => Outcome::plain(Finding::Stale),
            (Task::Original(task), Fresh::Items(items)) => {
                let parts = items.into_iter().map(|(name, text)| match name {
                    Some(name) => Part::Item(name.to_string(), text),
                    None => Part::WholeSecret(text),
                });
                self.replaced(task.object, parts.collect())
            }
            (Task::Native(task), Fresh::Recipients(fresh)) => self.recipients(task, fresh),
            (Task::Native(_), Fresh::Items(_)) | (Task::Original(_), Fresh::Recipients(_)) => {
                Outcome::plain(Finding::Stale)
            }
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
        let present = sources::read_text(&self.directory, label);
        if *present.map_err(|error| not_written(error.message))? != *file.text {
            return Err(not_written(
                "the file was changed meanwhile: run this again".to_owned(),
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

/// What came of a seal, and what it changes in the file.
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
            "not wrapped for {certificates} yet: run `sceau reseal --environment {} --context CONTEXT` against that cluster; until then its old recipients stay",
            task.environment
        ),
    )
}
