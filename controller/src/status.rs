//! What the status of an object can say: conditions, and the reasons in them.

pub(crate) mod conditions;
pub(crate) mod reason;
