//! Whose turn it is, and what a Lease then says. Pure.
//!
//! Nobody's clock is compared with anybody else's: a rival is gone when its Lease has not changed
//! for as long as it said, by our own clock.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use k8s_openapi::{
    api::coordination::v1::{Lease, LeaseSpec},
    apimachinery::pkg::apis::meta::v1::MicroTime,
};
use kube::core::ObjectMeta;

/// Who holds a Lease, and for how long without renewing it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Holder<'a> {
    pub(super) identity: &'a str,
    pub(super) duration: Duration,
}

/// Somebody else who holds the Lease.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct OtherHolder {
    lease: LeaseSpec,
    /// When the Lease was first seen as it is.
    since: Instant,
}

impl OtherHolder {
    /// The rival that a Lease speaks of; `known` is the one it spoke of before.
    pub(super) fn of(
        lease: &Lease,
        identity: &str,
        known: Option<Self>,
        now: Instant,
    ) -> Option<Self> {
        let spec = lease.spec.as_ref()?;
        let holder = spec.holder_identity.as_deref().unwrap_or_default();
        if holder.is_empty() || holder == identity {
            return None;
        }
        let unchanged = known.filter(|known| known.lease == *spec);
        Some(unchanged.unwrap_or_else(|| Self {
            lease: spec.clone(),
            since: now,
        }))
    }

    /// Whether it let its Lease run out.
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

/// The Lease with a new holder. Its resource version stays, so it can only replace what was read.
pub(super) fn take(lease: Lease, holder: Holder<'_>, now: Timestamp) -> Lease {
    let transitions = lease.spec.as_ref().and_then(|spec| spec.lease_transitions);
    let seconds = holder.duration.as_secs().max(1);
    Lease {
        metadata: lease.metadata,
        spec: Some(LeaseSpec {
            acquire_time: Some(MicroTime(now)),
            holder_identity: Some(holder.identity.to_owned()),
            lease_duration_seconds: Some(i32::try_from(seconds).unwrap_or(i32::MAX)),
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

/// The Lease, free for anybody.
pub(super) fn release(mut lease: Lease, now: Timestamp) -> Lease {
    if let Some(spec) = &mut lease.spec {
        spec.holder_identity = None;
        spec.lease_duration_seconds = Some(1);
        spec.renew_time = Some(MicroTime(now));
    }
    lease
}

#[cfg(test)]
mod tests;
