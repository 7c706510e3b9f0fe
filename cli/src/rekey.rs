//! Re-keying an environment: sceau requests a new sealing key, reseals the manifests for it and
//! pins its certificate. Later it revokes the old keys; if they leaked, it revokes them first.
//!
//! The new certificate is pinned last. Until then, an active key that is not pinned, or a pinned
//! key that is revoked, shows that an earlier run was interrupted, and where.

mod compromise;
mod compromised;
mod finish;
#[cfg(test)]
mod fixtures;
mod next;
mod observed;
mod old_keys;

use std::path::Path;

use sealing::{EnvironmentName, KeyId};
use serde::Serialize;

use self::{
    next::NextStep,
    observed::{Active, Observed},
};
use crate::{
    cluster::{Cluster, ClusterError, login::Login},
    error::{CommandError, Result},
    flags::ReportFormat,
    manifest::{self, Format},
    output::{self, Audience, NewFile},
    project::Project,
    reseal::{self, Backend, Pin, ResealRow, Resealing},
    ui::{self, Io},
};

pub(crate) use self::{compromised::compromised, finish::finish};

/// An environment to re-key.
pub(crate) struct Rekeying<'a> {
    pub(crate) project: &'a Project,
    /// One of the project's.
    pub(crate) environment: &'a EnvironmentName,
    /// The login to its cluster.
    pub(crate) login: Login,
    /// The format of the report on its seals.
    pub(crate) output: ReportFormat,
}

/// How often the Environment may change between a read and the revocation. The controller updates
/// its status whenever a count changes.
const ATTEMPTS: usize = 10;

/// Whether a revocation is confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Consent {
    /// The user confirms at the terminal.
    Asked,
    /// The user passed `--yes`.
    Given,
}

/// Re-keys an environment, or continues an interrupted run. Returns one row for each seal.
pub(crate) fn run(rekeying: &Rekeying<'_>, io: &mut Io<'_>) -> Result<Vec<ResealRow>> {
    let Rekeying {
        project,
        environment: name,
        login,
        ..
    } = rekeying;
    let pins = rekeying.pins(io)?;
    let pinned: Vec<KeyId> = pins.iter().map(|pin| pin.recipient.id()).collect();
    let cluster = login.cluster(name, project)?;
    let observed = Observed::of(&cluster.environment(name)?)?;
    let next = next::next(&observed, &pinned, io.now)?;
    rekeying.request_key(&cluster, &observed, next, io)?;
    let active = rekeying.new_key(&cluster, observed, next)?;
    let pin = Pin {
        certificate: pins[next.pinned()].certificate.clone(),
        recipient: active.recipient.clone(),
    };
    let resealing = Resealing {
        project,
        paths: &[],
        environment: Some(name),
        namespace: None,
        replacement: Some(pin.clone()),
        dry_run: false,
        output: rekeying.output,
    };
    let rows = reseal::run(&resealing, Backend::Clusters(login.clone()), io)?;
    rekeying.pin(&pin.certificate, &active, io)?;
    Ok(rows)
}

impl Rekeying<'_> {
    fn pins(&self, io: &Io<'_>) -> Result<Vec<Pin>> {
        Pin::all(self.project, self.environment, io.now)
    }

    /// Requests the new key, unless an earlier run did.
    fn request_key(
        &self,
        cluster: &Cluster,
        observed: &Observed,
        next: NextStep,
        io: &mut Io<'_>,
    ) -> Result<()> {
        let name = self.environment;
        match next {
            NextStep::Continue { .. } => {
                let id = observed.active()?.id();
                ui::note(io, format_args!("the new sealing key {id} already exists"));
            }
            NextStep::Request { .. } => {
                cluster
                    .renew(name, observed.cutoff(io.now))
                    .map_err(explain)?;
                ui::note(io, format_args!("requested a new sealing key for {name}"));
            }
            NextStep::Wait { .. } => {
                ui::note(
                    io,
                    format_args!("an earlier run requested a new sealing key for {name}"),
                );
            }
        }
        Ok(())
    }

    /// The new active key. Waits for it unless it exists.
    fn new_key(&self, cluster: &Cluster, observed: Observed, next: NextStep) -> Result<Active> {
        match (next, observed.active) {
            (NextStep::Continue { .. }, Some(active)) => Ok(active),
            (_, old) => self.wait(cluster, old.as_ref()),
        }
    }

    /// Waits until the active key is another one than `old`.
    fn wait(&self, cluster: &Cluster, old: Option<&Active>) -> Result<Active> {
        let old = old.map(|old| old.certificate.as_str());
        Active::parse(cluster.next_certificate(self.environment, old, self.login.deadline)?)
    }

    /// Writes the certificate of a key to a pinned file.
    fn pin(&self, certificate: &Path, active: &Active, io: &mut Io<'_>) -> Result<()> {
        output::write(&NewFile {
            directory: &self.project.root,
            name: certificate,
            bytes: active.certificate.as_bytes(),
            audience: Audience::Everyone,
        })?;
        let (file, id) = (certificate.display(), active.id());
        ui::note(io, format_args!("{file} pins {id}"));
        let name = self.environment;
        ui::note(
            io,
            format_args!("commit it: git commit --all --message 'Re-key {name}'"),
        );
        Ok(())
    }

    /// Prints a report in the requested format.
    fn print<T: Serialize>(
        &self,
        rows: &[T],
        table: impl FnOnce(&[T]) -> String,
        io: &mut Io<'_>,
    ) -> Result<()> {
        match self.output {
            ReportFormat::Json => ui::print(io, manifest::to_text(&rows, Format::Json)?.as_bytes()),
            ReportFormat::Yaml => ui::print(io, manifest::to_text(&rows, Format::Yaml)?.as_bytes()),
            ReportFormat::Table => ui::print(io, table(rows)),
        }
    }
}

impl Consent {
    /// Asks for confirmation, unless it is given. Fails if there is no terminal.
    fn confirm(self, question: &str, io: &mut Io<'_>) -> Result<bool> {
        if self == Self::Given {
            return Ok(true);
        }
        if !io.terminals.stdin {
            return Err(
                CommandError::user("nothing was revoked: confirmation needs a terminal")
                    .hint("check the effects listed above, and pass `--yes`"),
            );
        }
        let is_agreed = ui::confirm(io, question)?;
        if !is_agreed {
            ui::note(io, "nothing was changed");
        }
        Ok(is_agreed)
    }
}

/// A count of SealedSecrets, in words.
fn sealed_secrets(count: u32) -> String {
    match count {
        1 => "1 SealedSecret".to_owned(),
        several => format!("{several} SealedSecrets"),
    }
}

fn report_revoked(ids: &[String], io: &mut Io<'_>) {
    for id in ids {
        ui::note(
            io,
            format_args!("revoked {id}: it no longer decrypts anything"),
        );
    }
}

fn explain(error: ClusterError) -> CommandError {
    match error {
        ClusterError::Refused(_) => CommandError::cluster(error)
            .hint("bind the ClusterRole `sceau-operator` to your user: re-keying needs it"),
        other => other.into(),
    }
}
