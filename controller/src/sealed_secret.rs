//! Reconciles SealedSecrets into Secrets: observe, plan, apply, report.

mod apply;
pub(crate) mod context;
mod observe;
pub(crate) mod outcome;
pub(crate) mod plan;
pub(crate) mod recent_statuses;
pub(crate) mod reconcile;
mod report;
