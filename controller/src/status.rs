//! The status of objects: conditions and their reasons.

pub(crate) mod conditions;
pub(crate) mod reason;
