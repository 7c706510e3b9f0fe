//! Tests against a real API server.

mod environments;
mod harness;
mod key_deletion;
mod leaver;
mod limits;
mod operations;
mod outage;
mod ownership;
mod refusals;
mod rekeying;
mod renewal;
mod replicas;
mod repository;
mod resealing;
mod revoking;
mod sealed;
mod secrecy;
mod unsealing;
mod usage;
