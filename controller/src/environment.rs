//! An Environment: its sealing keys are generated and renewed, and its status is written.

pub(crate) mod apply;
pub(crate) mod plan;
pub(crate) mod reconcile;
pub(crate) mod renewal;
pub(crate) mod revocation;
