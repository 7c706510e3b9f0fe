//! Re-keying an environment: a new sealing key, its manifests resealed for it, its certificate
//! pinned; and later the old keys revoked. When they are in wrong hands, they are revoked first.
//!
//! The new certificate is pinned last. Until then, an active key that is not pinned, or a pinned key
//! that is revoked, says that a run before this one was interrupted, and where to go on.

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
    next::Next,
    observed::{Active, Observed},
};
use crate::{
    cluster::{Cluster, ClusterError, login::Login},
    error::{CommandError, Result},
    flags::ReportFormat,
    manifest::{self, Format},
    output::{self, Audience, NewFile},
    project::Project,
    reseal::{self, Backend, Pin, Resealing, Row},
    ui::{self, Io},
};

pub(crate) use self::{compromised::compromised, finish::finish};

/// What is to be re-keyed.
pub(crate) struct Rekeying<'a> {
    pub(crate) project: &'a Project,
    /// One of the project's.
    pub(crate) environment: &'a EnvironmentName,
    /// How its cluster is reached.
    pub(crate) login: Login,
    /// How the report on its seals is written.
    pub(crate) output: ReportFormat,
}

/// How often the Environment may change between a look and the revocation: its status does,
/// whenever something is counted.
const ATTEMPTS: usize = 10;

/// Whether somebody agreed to a revocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Consent {
    /// Who sits at the terminal is asked.
    Asked,
    /// The command line says so.
    Given,
}

/// Re-keys an environment, or goes on where a run before was interrupted; one row for each seal.
pub(crate) fn run(rekeying: &Rekeying<'_>, io: &mut Io<'_>) -> Result<Vec<Row>> {
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
    rekeying.order(&cluster, &observed, next, io)?;
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

    /// Has the new key asked for, unless it was.
    fn order(
        &self,
        cluster: &Cluster,
        observed: &Observed,
        next: Next,
        io: &mut Io<'_>,
    ) -> Result<()> {
        let name = self.environment;
        match next {
            Next::GoOn { .. } => {
                let id = observed.active()?.id();
                ui::note(io, format_args!("{id} is there already"));
            }
            Next::Ask { .. } => {
                cluster
                    .renew(name, observed.instant_of_renewal(io.now))
                    .map_err(explain)?;
                ui::note(io, format_args!("a new sealing key is asked for in {name}"));
            }
            Next::Wait { .. } => {
                ui::note(
                    io,
                    format_args!("a new sealing key was asked for in {name}"),
                );
            }
        }
        Ok(())
    }

    /// The active key, which is waited for unless it is there.
    fn new_key(&self, cluster: &Cluster, observed: Observed, next: Next) -> Result<Active> {
        match (next, observed.active) {
            (Next::GoOn { .. }, Some(active)) => Ok(active),
            (_, old) => self.wait(cluster, old.as_ref()),
        }
    }

    /// Waits for another active key than this one.
    fn wait(&self, cluster: &Cluster, old: Option<&Active>) -> Result<Active> {
        let old = old.map(|old| old.certificate.as_str());
        Active::parse(cluster.next_certificate(self.environment, old, self.login.deadline)?)
    }

    /// Pins the certificate of a key in this file.
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

    /// Prints a report in the format that was asked for.
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
    /// Whether somebody agrees; refused where nobody can be asked.
    fn to(self, question: &str, io: &mut Io<'_>) -> Result<bool> {
        if self == Self::Given {
            return Ok(true);
        }
        if !io.terminals.stdin {
            return Err(
                CommandError::user("nothing was revoked: nobody can be asked")
                    .hint("see above what it comes to, and say `--yes`"),
            );
        }
        let is_agreed = ui::confirm(io, question)?;
        if !is_agreed {
            ui::note(io, "nothing was changed");
        }
        Ok(is_agreed)
    }
}

/// So many SealedSecrets.
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
            format_args!("{id} is revoked and opens nothing any more"),
        );
    }
}

fn explain(error: ClusterError) -> CommandError {
    match error {
        ClusterError::Refused(_) => CommandError::cluster(error)
            .hint("re-keying needs what the ClusterRole `sceau-operator` grants"),
        other => other.into(),
    }
}
