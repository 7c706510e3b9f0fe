//! Tests against a real API server.

mod environments;
mod fingerprints;
mod harness;
mod key_deletion;
mod limits;
mod operations;
mod outage;
mod ownership;
mod refusals;
mod replicas;
mod resealing;
mod reuse;
mod sealed;
mod unsealing;
