//! Why the program ends, and what is said about a failed request.
//!
//! What befalls one SealedSecret is no error but an outcome: see `outcome`.

use std::net::SocketAddr;

use kube::runtime::watcher;

/// Why the program ended, other than by being asked to.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no way to reach the API server.
    #[error("no usable Kubernetes configuration: {0}")]
    Client(#[source] Box<kube::Error>),
    /// The address for probes and metrics is not to be had.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address of the settings.
        address: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
    /// Another replica may lead now.
    #[error("the Lease could not be renewed in time")]
    LeaseLost,
    /// Signals cannot be received.
    #[error("cannot wait for signals: {0}")]
    Signals(#[source] std::io::Error),
    /// Work in flight did not end in time after a signal.
    #[error("work in flight did not end in time")]
    Drain,
    /// Something that should run as long as the program does has ended.
    #[error("`{0}` ended early")]
    TaskEnded(&'static str),
}

/// What a failed request came to, in words of our own: an answer of the API server, or the parser's
/// complaint about one, may hold values.
pub(crate) fn describe(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) => format!("the API server answered {}", status.code),
        kube::Error::SerdeError(_) => "the API server's answer is unreadable".to_owned(),
        kube::Error::Auth(_) => "the credentials are unusable".to_owned(),
        _ => "the API server cannot be reached".to_owned(),
    }
}

/// The same for a watch.
pub(crate) fn describe_watch(error: &watcher::Error) -> String {
    match error {
        watcher::Error::InitialListFailed(source)
        | watcher::Error::WatchStartFailed(source)
        | watcher::Error::WatchFailed(source) => describe(source),
        watcher::Error::WatchError(status) => format!("the API server answered {}", status.code),
        watcher::Error::NoResourceVersion => "the watch cannot go on".to_owned(),
    }
}
