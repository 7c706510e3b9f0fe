//! The controller: unseals SealedSecrets into Kubernetes Secrets and keeps the sealing keys of
//! Environments.
//!
//! ```text
//! main -> run -> leader                      one replica leads, the others stand by
//!             -> surroundings                Environments, Namespaces, sealing keys: watched by every replica
//!             -> reconcile                   a SealedSecret: observe [read], plan (pure), apply [write]
//!             -> environment                 an Environment: observe [read], plan (pure), apply [write]
//!             -> requests                    a request: read, answer, write the answer once, delete
//!                -> reseal_requests          a ResealRequest: decide (pure), reseal
//!                -> inquiries                an Inquiry: decide (pure), open, search
//!             -> http                        probes and metrics
//! ```
//! Formats, keys and their rules are `sealing`'s; this crate only decides what to do with them in a
//! cluster. It never lists Secrets other than its own, and of those it wrote it reads metadata only.

mod audit;
mod definitions;
mod duration;
mod environment;
mod error;
mod events;
mod fingerprint_key;
mod fingerprints;
#[cfg(test)]
mod fixtures;
mod heals;
mod http;
mod inquiries;
mod key_ring;
mod leader;
mod metrics;
mod outcome;
mod phase;
mod receipt;
mod received;
mod reconcile;
mod renewal;
mod requests;
mod reseal_requests;
mod retries;
mod run;
mod settings;
mod status;
mod surroundings;
mod telemetry;
mod values;
mod watching;

pub use definitions::custom_resource_definitions;
pub use error::Error;
pub use fingerprints::Fingerprints;
pub use outcome::{Obstacle, Reason};
pub use received::{Outline, ReceivedSealedSecret, Unreadable};
pub use reconcile::plan::{
    DesiredSecret, FoundSecret, Observed, Opened, Permitted, Plan, Unsealing, plan,
};
pub use run::run;
pub use settings::{Arguments, Command, Settings};
pub use surroundings::{Belonging, KnownEnvironment};
pub use telemetry::log_to_stderr;
