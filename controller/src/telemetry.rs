//! Metrics, audit, events, logs and probes.

pub(crate) mod audit;
pub(crate) mod events;
pub(crate) mod logging;
pub(crate) mod metrics;
pub(crate) mod probes;
