//! Reconciles Environments: generates and renews their sealing keys, and writes their status.

mod apply;
mod error;
mod plan;
pub(crate) mod reconcile;
mod renewal;
mod revocation;
