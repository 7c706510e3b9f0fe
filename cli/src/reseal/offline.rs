//! Wrapping with private keys from files, on every core.

use std::{num::NonZero, thread};

use sealing::{
    ItemName, KeyRing, Recipient, ResealError, UnsealError,
    envelope::bitnami::{Item, Opener, seal_item},
};

use super::{
    finding::{Finding, Problem},
    plan::{BitnamiTask, NativeTask, Rewrapped, Task},
};
use crate::{
    error::{CommandError, Result as CommandResult, with_causes},
    ui::Progress,
};

/// Wraps each task for all recipients that it lacks. Results have the order of the tasks.
pub(super) fn wrap(
    tasks: &[&Task<'_>],
    ring: &KeyRing,
    progress: &Progress,
) -> CommandResult<Vec<Result<Rewrapped, Problem>>> {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let share = tasks.len().div_ceil(cores).max(1);
    let wrap_share = |share: &[&Task<'_>]| -> Vec<_> {
        let wrapped = share.iter().map(|task| {
            let wrapped = wrap_one(task, ring);
            progress.advance(1);
            wrapped
        });
        wrapped.collect()
    };
    thread::scope(|scope| {
        let workers: Vec<_> = tasks
            .chunks(share)
            .map(|share| scope.spawn(|| wrap_share(share)))
            .collect();
        let mut wrapped: Vec<Result<Rewrapped, Problem>> = Vec::with_capacity(tasks.len());
        for worker in workers {
            let share = worker
                .join()
                .map_err(|_| CommandError::bug("resealing stopped"));
            wrapped.extend(share?);
        }
        Ok(wrapped)
    })
}

fn wrap_one(task: &Task<'_>, ring: &KeyRing) -> Result<Rewrapped, Problem> {
    match task {
        Task::Native(task) => native(task, ring),
        Task::Bitnami(task) => bitnami(task, ring),
    }
}

fn native(task: &NativeTask<'_>, ring: &KeyRing) -> Result<Rewrapped, Problem> {
    let missing: Vec<Recipient> = task.missing().map(|pin| pin.recipient.clone()).collect();
    if missing.is_empty() {
        return Ok(Rewrapped::Recipients(Vec::new()));
    }
    sealing::reseal(&task.parsed, &task.context, ring, &missing)
        .map(Rewrapped::Recipients)
        .map_err(|error| Problem::new(finding(&error), with_causes(&error)))
}

fn finding(error: &ResealError) -> Finding {
    match error {
        ResealError::Unseal(UnsealError::UnknownSealingKey(_) | UnsealError::NoKeyOpens(_)) => {
            Finding::UnknownSealingKey
        }
        ResealError::Unseal(UnsealError::Refused) => Finding::Refused,
        ResealError::Unseal(UnsealError::Malformed(_)) | ResealError::Seal(_) => Finding::Malformed,
    }
}

/// Decrypts every item, and seals again those that an old key decrypted: all of them or none.
fn bitnami(task: &BitnamiTask<'_>, ring: &KeyRing) -> Result<Rewrapped, Problem> {
    let mut opener = Opener::new(ring, task.label.clone());
    let mut fresh = Vec::new();
    let mut undecrypted = Vec::new();
    for (name, text) in &task.texts {
        let malformed = |problem: String| Problem::new(Finding::Malformed, problem);
        let item = Item::parse(text)
            .map_err(|error| malformed(format!("{}: {error}", label(name.as_ref()))))?;
        match opener.open(&item) {
            None => undecrypted.push(label(name.as_ref())),
            Some((_, opened_by)) if opened_by.id() == task.recipient.id() => {}
            Some((plaintext, _)) => {
                let sealed = seal_item(task.recipient, &task.label, &plaintext);
                let sealed = sealed.map_err(|error| malformed(error.to_string()))?;
                fresh.push((name.clone(), sealed));
            }
        }
    }
    if undecrypted.is_empty() {
        Ok(Rewrapped::Items(fresh))
    } else {
        let undecrypted = undecrypted.join(", ");
        Err(Problem::new(
            Finding::UnknownSealingKey,
            format!("no given key decrypts {undecrypted}, so it may be current or stale"),
        ))
    }
}

fn label(name: Option<&ItemName>) -> String {
    match name {
        Some(name) => format!("item `{name}`"),
        None => "spec.data".to_owned(),
    }
}
