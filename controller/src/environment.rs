//! An Environment: its sealing keys are generated and renewed, and its status is written.

mod apply;
mod error;
mod plan;
pub(crate) mod reconcile;
mod renewal;
mod revocation;
