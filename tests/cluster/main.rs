//! Tests against a real API server.

mod environments;
mod harness;
mod key_deletion;
mod limits;
mod offboarding;
mod operations;
mod outage;
mod ownership;
mod refusals;
mod rekeying;
mod replicas;
mod resealing;
mod revoking;
mod sealed;
mod unsealing;
