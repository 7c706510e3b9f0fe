//! What an operator may set, by flag or by environment variable.
//!
//! How Environments and their keys live is not set here: that is the Environments' own business.

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
    /// Keep sealing keys and the Lease in this namespace
    #[arg(long, env = "SCEAU_NAMESPACE", default_value = "sceau-system")]
    pub namespace: String,

    /// Serve /healthz, /readyz and /metrics on this address
    #[arg(long, env = "SCEAU_LISTEN", default_value = "0.0.0.0:8080")]
    pub listen: SocketAddr,

    /// Log this and what is more severe: error, warn, info, debug or trace
    #[arg(long, env = "SCEAU_LOG_LEVEL", default_value = "info")]
    pub log_level: Level,

    /// Delete a request so long after it was answered, or made if it was not
    #[arg(long, env = "SCEAU_REQUEST_TTL", default_value = "10m", value_parser = duration::parse)]
    pub request_ttl: Duration,

    #[command(flatten)]
    pub lease: LeaseSettings,
}

/// How one replica is made the leader.
#[derive(Debug, Clone, clap::Args)]
pub struct LeaseSettings {
    /// Elect the leader by the Lease of this name
    #[arg(long, env = "SCEAU_LEASE_NAME", default_value = "sceau-controller")]
    pub lease_name: String,

    /// Hold the Lease under this name, which no other replica has
    #[arg(long, env = "SCEAU_IDENTITY", default_value_t = own_name())]
    pub identity: String,

    /// Let others take the Lease over when it has not been renewed for this long
    #[arg(long, env = "SCEAU_LEASE_DURATION", default_value = "30s", value_parser = duration::parse)]
    pub lease_duration: Duration,

    /// Stop leading when the Lease could not be renewed for this long
    // Longer than an API server takes to restart, which should not cost a restart of ours.
    #[arg(long, env = "SCEAU_LEASE_RENEW_DEADLINE", default_value = "20s", value_parser = duration::parse)]
    pub lease_renew_deadline: Duration,

    /// Renew the Lease, or look whether it is free, this often
    #[arg(long, env = "SCEAU_LEASE_RETRY_PERIOD", default_value = "2s", value_parser = duration::parse)]
    pub lease_retry_period: Duration,
}

/// The host's name, which in a cluster is the Pod's, and the process: unique on any host.
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
