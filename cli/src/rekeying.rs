//! Re-keying an environment: a new sealing key, its manifests resealed for it, its certificate
//! pinned.
//!
//! The new certificate is pinned last. Until then, an active key that is not pinned says that a
//! run before this one was interrupted, and where to go on.

mod next;

use sealing::{Certificate, EnvironmentName, Recipient};

use self::next::{Next, Observed};
use crate::{
    args::ReportFormat,
    cluster::{Cluster, ClusterError},
    error::{CommandError, Result},
    output::{self, Audience, NewFile},
    project::{self, Project},
    reseal::{self, Login, Means, Pin, Resealing, Row},
    resolve,
    ui::{self, Io},
};

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

/// Re-keys an environment, or goes on where a run before was interrupted; one row for each seal.
pub(crate) fn run(rekeying: &Rekeying<'_>, io: &mut Io<'_>) -> Result<Vec<Row>> {
    let Rekeying {
        project,
        environment,
        login,
        ..
    } = rekeying;
    let (name, settings) = resolve::named(project, environment)?;
    let recipients = project::recipients(project, name, settings, io.now)?;
    let pinned: Vec<_> = recipients.iter().map(Recipient::id).collect();
    let cluster = login.cluster(name, project)?;
    let observed = Observed::of(&cluster.environment(name)?)?;
    let next = next::next(&observed, &pinned, io.now)?;
    let pem = rekeying.certificate(&cluster, &observed, next, io)?;
    let pin = Pin {
        certificate: settings.certificates[next.pinned()].clone(),
        recipient: Certificate::parse_pem(&pem)
            .map_err(|error| CommandError::cluster(format!("the cluster's certificate: {error}")))?
            .recipient,
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
    let rows = reseal::run(&resealing, Means::Clusters(login.clone()), io)?;
    output::write(&NewFile {
        directory: &project.root,
        name: &pin.certificate,
        bytes: pem.as_bytes(),
        audience: Audience::Everyone,
    })?;
    tell(name, &pin, io);
    Ok(rows)
}

impl Rekeying<'_> {
    /// The certificate of the new key, which is asked for and waited for unless it is there.
    fn certificate(
        &self,
        cluster: &Cluster,
        observed: &Observed,
        next: Next,
        io: &mut Io<'_>,
    ) -> Result<String> {
        let name = self.environment;
        match next {
            Next::GoOn { .. } => {
                ui::note(io, format_args!("{} is there already", observed.active));
                return Ok(observed.certificate.clone());
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
        Ok(cluster.next_certificate(name, &observed.certificate, self.login.deadline)?)
    }
}

fn tell(name: &EnvironmentName, pin: &Pin, io: &mut Io<'_>) {
    let certificate = pin.certificate.display();
    ui::note(
        io,
        format_args!("{certificate} pins {}", pin.recipient.id()),
    );
    ui::note(
        io,
        format_args!("commit it: git commit --all --message 'Re-key {name}'"),
    );
}

fn explain(error: ClusterError) -> CommandError {
    match error {
        ClusterError::Refused(_) => CommandError::cluster(error)
            .hint("re-keying needs what the ClusterRole `sceau-operator` grants"),
        other => other.into(),
    }
}
