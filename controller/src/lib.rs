//! The controller: unseals SealedSecrets into Kubernetes Secrets and keeps the sealing keys of
//! Environments.
//!
//! ```text
//! main -> run -> leader                      one replica leads, the others stand by
//!             -> store                Environments, Namespaces, sealing keys: watched by every replica
//!             -> reconcile                   a SealedSecret: observe [read], plan (pure), apply [write]
//!             -> environment                 an Environment: observe [read], plan (pure), apply [write]
//!             -> requests                    a request: read, answer, write the answer once, delete
//!                -> reseal_requests          a ResealRequest: decide (pure), reseal
//!                -> value_reviews                an ValueReview: decide (pure), open, search
//!             -> http                        probes and metrics
//! ```
//! Formats, keys and their rules are `sealing`'s; this crate only decides what to do with them in a
//! cluster. It never lists Secrets other than its own, and of those it wrote it reads metadata only.

mod api;
mod backoff;
mod definitions;
mod duration;
mod environment;
mod error;
mod fingerprint;
#[cfg(test)]
mod fixtures;
mod keys;
mod request;
mod run;
mod sealed_secret;
mod settings;
mod status;
mod store;
mod telemetry;

pub use definitions::custom_resource_definitions;
pub use error::Error;
pub use fingerprint::annotation::Fingerprints;
pub use run::run;
pub use sealed_secret::outcome::Failure;
pub use sealed_secret::plan::{
    DesiredSecret, FoundSecret, Observed, Opened, Permitted, Plan, Unsealing, plan,
};
pub use settings::{Arguments, Command, Settings};
pub use status::reason::Reason;
pub use store::objects::{InvalidSpec, Outline, ReceivedSealedSecret};
pub use store::{NamespaceMatch, ResolvedEnvironment};
pub use telemetry::logging::log_to_stderr;
