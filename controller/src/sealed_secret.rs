//! A SealedSecret becomes a Secret: observe, plan, apply, report.

pub(crate) mod apply;
pub(crate) mod observe;
pub(crate) mod outcome;
pub(crate) mod plan;
pub(crate) mod recent_statuses;
pub(crate) mod reconcile;
pub(crate) mod report;
