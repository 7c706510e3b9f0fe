//! `sceau rekey`: a new sealing key for an environment, and its manifests resealed for it.
//!
//! The new certificate is pinned last. Until then, an active key that is not pinned says that a
//! run before this one was interrupted, and where to go on.

mod next;

use std::{path::PathBuf, time::Duration};

use sealing::{Certificate, EnvironmentName};

use self::next::{Next, Observed};
use crate::{
    args::ReportFormat,
    cluster::{Cluster, ClusterError},
    error::{CommandError, Result},
    output::{self, Audience, NewFile},
    project::{self, Project},
    reseal::{self, Login, Means, Pin, Resealing},
    resolve,
    ui::{self, Io},
};

/// Give an environment a new sealing key, and reseal its manifests for it
///
/// Has the controller make a new sealing key, by setting `spec.sealingKeys.renewBefore` of the
/// Environment to the next second, waits for its certificate, reseals every manifest of the environment as
/// `sceau reseal` does, and pins the new certificate in place of the old one. That needs a login
/// with the cluster role `sceau-operator`. The old key goes on opening what was sealed to it.
///
/// Interrupted at any step, it is continued by running it again. An environment with several
/// clusters takes one run against each.
///
/// Re-keying does not make a value safe again that somebody has read: that takes a new value.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct RekeyArguments {
    /// The environment, which is the name of the Environment in the cluster too
    #[arg(long, value_name = "NAME")]
    environment: EnvironmentName,

    /// The kubeconfig context, instead of the one that sceau.yaml names
    #[arg(long, value_name = "NAME")]
    context: Option<String>,

    /// The kubeconfig file, instead of KUBECONFIG or ~/.kube/config
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,

    /// How many seconds to wait for the new key, and for the answer to each 512 seals
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    timeout: u64,

    /// How to write the report; a table leaves out what is current
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    output: ReportFormat,
}

const EXAMPLES: &str = "\
Examples:
  sceau rekey --environment prod

  An environment of two clusters:
    sceau rekey --environment prod --context prod-eu
    sceau rekey --environment prod --context prod-us";

pub(super) fn run(arguments: &RekeyArguments, io: &mut Io<'_>) -> Result<()> {
    let project = Project::load(&io.directory)?;
    let (name, settings) = resolve::named(&project, &arguments.environment)?;
    let recipients = project::recipients(&project, name, settings, io.now)?;
    let pinned: Vec<_> = recipients.iter().map(sealing::Recipient::id).collect();
    let login = arguments.login(io);
    let cluster = login.cluster(name, &project)?;
    let observed = Observed::of(&cluster.environment(name)?)?;
    let next = next::next(&observed, &pinned, io.now)?;
    let pem = arguments.certificate(&cluster, &observed, next, io)?;
    let pin = Pin {
        certificate: settings.certificates[next.pinned()].clone(),
        recipient: Certificate::parse_pem(&pem)
            .map_err(|error| CommandError::cluster(format!("the cluster's certificate: {error}")))?
            .recipient,
    };
    let resealing = Resealing {
        project: &project,
        paths: &[],
        environment: Some(name),
        namespace: None,
        replacement: Some(pin.clone()),
        dry_run: false,
        output: arguments.output,
    };
    let rows = reseal::run(&resealing, Means::Clusters(login), io)?;
    output::write(&NewFile {
        directory: &project.root,
        name: &pin.certificate,
        bytes: pem.as_bytes(),
        audience: Audience::Everyone,
    })?;
    tell(name, &pin, io);
    reseal::verdict(&rows)
}

impl RekeyArguments {
    fn login(&self, io: &Io<'_>) -> Login {
        Login {
            context: self.context.clone(),
            kubeconfig: self.kubeconfig.as_ref().map(|it| io.directory.join(it)),
            deadline: Duration::from_secs(self.timeout),
        }
    }

    /// The certificate of the new key, which is asked for and waited for unless it is there.
    fn certificate(
        &self,
        cluster: &Cluster,
        observed: &Observed,
        next: Next,
        io: &mut Io<'_>,
    ) -> Result<String> {
        let name = &self.environment;
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
        let deadline = Duration::from_secs(self.timeout);
        Ok(cluster.next_certificate(name, &observed.certificate, deadline)?)
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
