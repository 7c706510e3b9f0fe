//! Who may take the Lease, and its content. Pure.
//!
//! Clocks of replicas are never compared. A holder is gone when its Lease did not change for the
//! Lease's duration, measured with our own clock.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use k8s_openapi::{
    api::coordination::v1::{Lease, LeaseSpec},
    apimachinery::pkg::apis::meta::v1::MicroTime,
};
use kube::core::ObjectMeta;

/// The holder of a Lease, and how long it may hold it without a renewal.
#[derive(Debug, Clone, Copy)]
pub(super) struct Holder<'a> {
    pub(super) identity: &'a str,
    pub(super) duration: Duration,
}

/// Another replica that holds the Lease.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct OtherHolder {
    lease: LeaseSpec,
    /// When this version of the Lease was first observed.
    since: Instant,
}

impl OtherHolder {
    /// The other holder that a Lease names. `previous` is the one of the last observation.
    pub(super) fn of(
        lease: &Lease,
        identity: &str,
        previous: Option<Self>,
        now: Instant,
    ) -> Option<Self> {
        let spec = lease.spec.as_ref()?;
        let holder = spec.holder_identity.as_deref().unwrap_or_default();
        if holder.is_empty() || holder == identity {
            return None;
        }
        let unchanged = previous.filter(|previous| previous.lease == *spec);
        Some(unchanged.unwrap_or_else(|| Self {
            lease: spec.clone(),
            since: now,
        }))
    }

    /// Whether its Lease expired.
    pub(super) fn is_gone(&self, now: Instant) -> bool {
        let seconds = self.lease.lease_duration_seconds.unwrap_or_default();
        let duration = Duration::from_secs(u64::try_from(seconds).unwrap_or_default());
        now.saturating_duration_since(self.since) >= duration
    }
}

/// The first Lease of that name.
pub(super) fn new(name: &str, holder: Holder<'_>, now: Timestamp) -> Lease {
    let lease = Lease {
        metadata: ObjectMeta {
            name: Some(name.to_owned()),
            ..ObjectMeta::default()
        },
        spec: None,
    };
    take(lease, holder, now)
}

/// The Lease with a new holder. Its resource version stays, so the write replaces only what was
/// read.
pub(super) fn take(lease: Lease, holder: Holder<'_>, now: Timestamp) -> Lease {
    let transitions = lease.spec.as_ref().and_then(|spec| spec.lease_transitions);
    let seconds = holder.duration.as_secs().max(1);
    Lease {
        metadata: lease.metadata,
        spec: Some(LeaseSpec {
            acquire_time: Some(MicroTime(now)),
            holder_identity: Some(holder.identity.to_owned()),
            lease_duration_seconds: Some(i32::try_from(seconds).unwrap_or(i32::MAX)),
            // As client-go counts: the first holder is not a transition.
            lease_transitions: Some(transitions.map_or(0, |count| count.saturating_add(1))),
            renew_time: Some(MicroTime(now)),
            ..LeaseSpec::default()
        }),
    }
}

/// The Lease, renewed.
pub(super) fn renew(mut lease: Lease, now: Timestamp) -> Lease {
    if let Some(spec) = &mut lease.spec {
        spec.renew_time = Some(MicroTime(now));
    }
    lease
}

/// The Lease without a holder.
pub(super) fn release(mut lease: Lease, now: Timestamp) -> Lease {
    if let Some(spec) = &mut lease.spec {
        spec.holder_identity = None;
        // As client-go writes it: the API server rejects 0.
        spec.lease_duration_seconds = Some(1);
        spec.renew_time = Some(MicroTime(now));
    }
    lease
}

#[cfg(test)]
mod tests;
