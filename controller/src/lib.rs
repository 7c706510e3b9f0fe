//! The controller: unseals SealedSecrets into Kubernetes Secrets, and generates and renews the
//! sealing keys of Environments.
//!
//! ```text
//! main -> run -> leader_election            one replica leads, the others are standby
//!             -> store                      watches: Environments, Namespaces, key Secrets (all replicas)
//!             -> controllers (leader only)
//!                -> sealed_secret           observe [read], plan (pure), apply [write], report
//!                -> environment             plan (pure), apply [write], report
//!                -> request                 read, answer once, delete
//!                   -> reseal               ResealRequest: decide (pure), reseal
//!                   -> value_review         ValueReview: decide (pure), decrypt, search
//!                -> fingerprint             the fingerprint key, and reports of reused values
//!             -> telemetry                  probes, metrics, events, audit and logs
//! ```
//!
//! Formats, keys and their rules are in `sealing`. This crate decides when they are used in a
//! cluster. It lists only the Secrets of its own namespace. Of the Secrets that it wrote it reads
//! metadata only.

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
