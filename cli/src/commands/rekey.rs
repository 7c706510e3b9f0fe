//! `sceau rekey`: a new sealing key for an environment, and its manifests resealed for it.

use std::{path::PathBuf, time::Duration};

use sealing::EnvironmentName;

use crate::{
    args::ReportFormat,
    error::Result,
    project::Project,
    rekeying::{self, Rekeying},
    reseal::{self, Login},
    resolve,
    ui::Io,
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
    let (environment, _) = resolve::named(&project, &arguments.environment)?;
    let rows = rekeying::run(
        &Rekeying {
            project: &project,
            environment,
            login: arguments.login(io),
            output: arguments.output,
        },
        io,
    )?;
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
}
