//! Errors that end the program, and descriptions of failed requests.
//!
//! A SealedSecret that cannot be unsealed is not an error: see `sealed_secret::outcome`.

use std::net::SocketAddr;

use kube::runtime::watcher;

/// Why the program ended without a signal.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No Kubernetes configuration was found, or it is not valid.
    #[error("no usable Kubernetes configuration: {0}")]
    Client(#[source] Box<kube::Error>),
    /// The address for probes and metrics is not available.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address of the settings.
        address: SocketAddr,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// Another replica may lead now.
    #[error("the Lease could not be renewed in time: another replica may lead now")]
    LeaseLost,
    /// The signal handlers could not be installed.
    #[error("cannot wait for signals: {0}")]
    Signals(#[source] std::io::Error),
    /// Reconciles in progress did not end in time after a signal.
    #[error("reconciles in progress did not end in time after the signal")]
    Drain,
    /// A task ended that runs as long as the program.
    #[error("task `{0}` ended unexpectedly")]
    TaskEnded(&'static str),
}

/// Describes a failed request in our own words. A response of the API server, or a parser's message
/// about one, may contain values.
pub(crate) fn describe(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) => format!("the API server returned status {}", status.code),
        kube::Error::SerdeError(_) => {
            "the response of the API server could not be parsed".to_owned()
        }
        kube::Error::Auth(_) => "authentication with the API server failed".to_owned(),
        _ => "the API server is unreachable".to_owned(),
    }
}

/// Describes a failed watch in our own words.
pub(crate) fn describe_watch(error: &watcher::Error) -> String {
    match error {
        watcher::Error::InitialListFailed(source)
        | watcher::Error::WatchStartFailed(source)
        | watcher::Error::WatchFailed(source) => describe(source),
        watcher::Error::WatchError(status) => {
            format!("the API server returned status {}", status.code)
        }
        watcher::Error::NoResourceVersion => {
            "the response of the API server has no resource version".to_owned()
        }
    }
}
