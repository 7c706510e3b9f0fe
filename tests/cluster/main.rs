//! Tests against a real API server.

mod environments;
mod harness;
mod limits;
mod operations;
mod outage;
mod ownership;
mod refusals;
mod replicas;
mod sealed;
mod unsealing;
