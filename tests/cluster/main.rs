//! Tests against a real API server.

mod environments;
mod fingerprints;
mod harness;
mod key_backups;
mod key_deletion;
mod leaver;
mod limits;
mod offboarding;
mod operations;
mod outage;
mod ownership;
mod refusals;
mod rekeying;
mod renewal;
mod replicas;
mod repository;
mod requests;
mod resealing;
mod reuse;
mod revoking;
mod sealed;
mod secrecy;
mod unsealing;
mod usage;
mod value_reviews;
