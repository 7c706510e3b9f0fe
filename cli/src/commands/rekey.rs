//! `sceau rekey`: a new sealing key for an environment, with its manifests resealed for it.

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

/// Renew the sealing key of an environment, and reseal its manifests
///
/// Requests a new sealing key by setting `spec.sealingKeys.cutoffTime` of the Environment to the
/// next second, and waits for its certificate. Then it reseals every manifest of the environment as
/// `sceau reseal` does, and pins the new certificate in place of the old one. Your login needs the
/// cluster role `sceau-operator`. The old key still decrypts what was sealed to it.
///
/// To continue an interrupted run, run it again. An environment with several clusters needs one run
/// for each, with `--finish` and `--compromised` too.
///
/// Re-keying does not protect values that were already read. Rotate them with `sceau set`.
///
/// With `--finish`, sceau revokes the old keys; a revoked key decrypts nothing. Run it once
/// everything is resealed, committed and synced. Nothing is revoked if the controller still
/// decrypts a SealedSecret in the cluster with an old key. Nothing is revoked either if a manifest
/// is wrapped for an old key of this cluster and not for its active one. sceau checks the manifests
/// below the directory of sceau.yaml, as `sceau reseal` does. It does not see other branches and
/// commits. SealedSecrets in the kubeseal format do not name their key, and some files may be
/// unreadable: for those, sceau asks for confirmation, unless you pass `--yes`. The private keys
/// stay in their Secrets until you delete them.
///
/// With `--compromised`, the private keys have leaked. sceau first revokes the active key and all
/// retired ones, because they are stored in one place. Then the controller generates a new key, and
/// sceau pins its certificate. Nothing can be resealed after that. The report lists each seal that
/// is no longer decryptable, with its items; set them again with `sceau set`. The last Secrets in
/// the cluster stay. The leaked keys decrypt old commits forever: rotate every value in them.
///
/// Exit codes: 0 on success; 1 if seals could not be resealed, or confirmation needs a terminal; 3
/// if `--finish` finds that an old key is needed, or `--compromised` finds seals that are no longer
/// decryptable; 4 if the cluster is unreachable or rejected the request.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct RekeyArguments {
    /// The environment; the Environment in the cluster has the same name
    #[arg(long, value_name = "NAME")]
    environment: EnvironmentName,

    /// Revoke the old keys, if nothing needs them
    #[arg(long, group = "revoking")]
    finish: bool,

    /// Revoke all keys at once, renew the key, and report what is no longer decryptable
    #[arg(long, group = "revoking")]
    compromised: bool,

    /// Revoke without confirmation
    #[arg(long, requires = "revoking")]
    yes: bool,

    #[command(flatten)]
    cluster: ClusterArguments,

    /// How many seconds to wait for the new key, and for every 512 seals
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    timeout: u64,

    /// The output format of the report; a table leaves out current seals
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    output: ReportFormat,
}

const EXAMPLES: &str = "\
Examples:
  Renew the key; later, when everything is committed and synced, revoke the old one:
    sceau rekey --environment prod
    sceau rekey --environment prod --finish

  The private keys leaked:
    sceau rekey --environment prod --compromised

  An environment with two clusters:
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
