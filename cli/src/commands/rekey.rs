//! `sceau rekey`: a new sealing key for an environment, and its manifests resealed for it.

use std::time::Duration;

use sealing::EnvironmentName;

use crate::{
    cluster::login::ClusterArguments,
    error::Result,
    flags::ReportFormat,
    project::{Project, resolve},
    rekey::{self, Consent, Rekeying},
    reseal,
    ui::Io,
};

/// Give an environment a new sealing key, and reseal its manifests for it
///
/// Has the controller make a new sealing key, by setting `spec.sealingKeys.cutoffTime` of the
/// Environment to the next second, waits for its certificate, reseals every manifest of the environment as
/// `sceau reseal` does, and pins the new certificate in place of the old one. That needs a login
/// with the cluster role `sceau-operator`. The old key goes on opening what was sealed to it.
///
/// Interrupted at any step, it is continued by running it again. An environment with several
/// clusters takes one run against each, with `--finish` and `--compromised` too.
///
/// Re-keying does not make a value safe again that somebody has read: that takes a new value.
///
/// With `--finish`, once everything is resealed, committed and synced, the old keys are revoked: a
/// revoked key opens nothing. Nothing is revoked while a SealedSecret in the cluster is opened with
/// an old key, as the controller counts them, or a manifest below the directory of sceau.yaml that
/// `sceau reseal` reads is wrapped for an old key of this cluster and not for its active one. Other branches and commits
/// that were not synced are not seen. The original's SealedSecrets do not name their key, and some
/// files cannot be read: of those it asks, unless `--yes` is given. The private keys stay in their
/// Secrets until somebody deletes them.
///
/// With `--compromised`, somebody has the private keys. The active key and all retired ones are
/// revoked first, since who has one may have all; then the controller makes a new one, whose
/// certificate is pinned. Nothing can be resealed after that: the report names each seal that opens
/// no more, with the items to give anew by `sceau set`. The last Secrets in the cluster stay. Old
/// commits can be opened for good by whoever has the keys: every value in them must be renewed.
///
/// Exit codes: 0 when it is done; 1 when some seals could not be resealed, or nobody could be
/// asked; 3 when `--finish` finds that an old key is needed, or `--compromised` that seals open no
/// more; 4 when the cluster cannot be reached or refuses.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct RekeyArguments {
    /// The environment, which is the name of the Environment in the cluster too
    #[arg(long, value_name = "NAME")]
    environment: EnvironmentName,

    /// Revoke the old keys, if nothing needs them any more
    #[arg(long, group = "revoking")]
    finish: bool,

    /// Revoke all keys at once, make a new one, and say what opens no more
    #[arg(long, group = "revoking")]
    compromised: bool,

    /// Revoke without asking
    #[arg(long, requires = "revoking")]
    yes: bool,

    #[command(flatten)]
    cluster: ClusterArguments,

    /// How many seconds to wait for the new key, and for the answer to each 512 seals
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    timeout: u64,

    /// How to write the report; a table leaves out what is current
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    output: ReportFormat,
}

const EXAMPLES: &str = "\
Examples:
  A new key; and later, when all is committed and synced, the end of the old one:
    sceau rekey --environment prod
    sceau rekey --environment prod --finish

  Somebody has the private keys:
    sceau rekey --environment prod --compromised

  An environment of two clusters:
    sceau rekey --environment prod --context prod-eu
    sceau rekey --environment prod --context prod-us";

pub(super) fn run(arguments: &RekeyArguments, io: &mut Io<'_>) -> Result<()> {
    let project = Project::load(&io.directory)?;
    let (environment, _) = resolve::named(&project, &arguments.environment)?;
    let timeout = Duration::from_secs(arguments.timeout);
    let rekeying = Rekeying {
        project: &project,
        environment,
        login: arguments.cluster.login(timeout, &io.directory),
        output: arguments.output,
    };
    if arguments.finish {
        return rekey::finish(&rekeying, arguments.consent(), io);
    }
    if arguments.compromised {
        return rekey::compromised(&rekeying, arguments.consent(), io);
    }
    let rows = rekey::run(&rekeying, io)?;
    reseal::verdict(&rows)
}

impl RekeyArguments {
    fn consent(&self) -> Consent {
        if self.yes {
            Consent::Given
        } else {
            Consent::Asked
        }
    }
}
