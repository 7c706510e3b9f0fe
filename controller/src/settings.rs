//! The settings of an operator, as flags or environment variables.
//!
//! Settings of Environments and their keys are not here: they are fields of Environments.

use std::{net::SocketAddr, time::Duration};

use clap::{Parser, Subcommand};
use tracing::Level;

use crate::duration;

/// Unseal SealedSecrets into Kubernetes Secrets
///
/// Without a command, this is the controller.
#[derive(Debug, Parser)]
#[command(
    name = "sceau-controller",
    version,
    args_conflicts_with_subcommands = true
)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Option<Command>,

    #[command(flatten)]
    pub settings: Settings,
}

/// What the program does instead of running the controller.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum Command {
    /// Print the custom resource definitions, for `kubectl apply -f -`
    ///
    /// They are those of this version. No cluster is asked.
    Crd,
}

/// How the controller runs.
#[derive(Debug, Clone, clap::Args)]
pub struct Settings {
    /// Namespace of the sealing keys and the Lease
    #[arg(long, env = "SCEAU_NAMESPACE", default_value = "sceau-system")]
    pub namespace: String,

    /// Address for /healthz, /readyz and /metrics
    #[arg(long, env = "SCEAU_LISTEN", default_value = "0.0.0.0:8080")]
    pub listen: SocketAddr,

    /// Lowest severity to log: error, warn, info, debug or trace
    #[arg(long, env = "SCEAU_LOG_LEVEL", default_value = "info")]
    pub log_level: Level,

    /// Delete requests this long after their answer, or after their creation without one
    #[arg(long, env = "SCEAU_REQUEST_TTL", default_value = "10m", value_parser = duration::parse)]
    pub request_ttl: Duration,

    #[command(flatten)]
    pub lease: LeaseSettings,
}

/// Settings of the leader election.
#[derive(Debug, Clone, clap::Args)]
pub struct LeaseSettings {
    /// Name of the Lease for leader election
    #[arg(long, env = "SCEAU_LEASE_NAME", default_value = "sceau-controller")]
    pub lease_name: String,

    /// Identity of this replica in the Lease; must be unique
    #[arg(long, env = "SCEAU_IDENTITY", default_value_t = own_name())]
    pub identity: String,

    /// Time without a renewal after which other replicas take the Lease
    #[arg(long, env = "SCEAU_LEASE_DURATION", default_value = "30s", value_parser = duration::parse)]
    pub lease_duration: Duration,

    /// Time without a renewal after which this replica stops leading
    // Longer than a restart of the API server, which should not restart this program too.
    #[arg(long, env = "SCEAU_LEASE_RENEW_DEADLINE", default_value = "20s", value_parser = duration::parse)]
    pub lease_renew_deadline: Duration,

    /// Interval at which the Lease is renewed, or tried by a standby
    #[arg(long, env = "SCEAU_LEASE_RETRY_PERIOD", default_value = "2s", value_parser = duration::parse)]
    pub lease_retry_period: Duration,
}

/// Host name and process id. In a cluster, the host name is that of the Pod.
fn own_name() -> String {
    let host = hostname::get().unwrap_or_default();
    format!("{}-{}", host.to_string_lossy(), std::process::id())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn flags_are_consistent_and_all_have_defaults() {
        Arguments::command().debug_assert();
        let settings = Arguments::parse_from(["sceau-controller"]).settings;
        assert!(settings.lease.lease_renew_deadline < settings.lease.lease_duration);
        assert!(settings.lease.lease_retry_period < settings.lease.lease_renew_deadline);
    }
}
