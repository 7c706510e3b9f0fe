//! Leader election by a Lease, with the rules of client-go: every write is conditional on the Lease
//! being as it was last read, so two replicas can never both take it.
//!
//! Whose turn it is, `leader/claim.rs` decides; this file reads and writes.

use std::time::Instant;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;
use kube::{Api, Client, api::PostParams};
use tokio::time::{sleep, timeout};

use crate::{error::describe, settings::LeaseSettings};

mod claim;

use claim::OtherHolder;

/// Tries to become the leader.
pub(crate) struct Election {
    leases: Api<Lease>,
    settings: LeaseSettings,
}

/// The time for which this replica leads.
pub(crate) struct Term {
    election: Election,
    /// As it was written last.
    lease: Lease,
    /// When that write was sent. A rival's patience begins after it at the earliest, however late
    /// the answer came.
    renewed: Instant,
}

impl Election {
    pub(crate) fn new(client: Client, namespace: &str, settings: LeaseSettings) -> Self {
        Self {
            leases: Api::namespaced(client, namespace),
            settings,
        }
    }

    /// Waits until this replica leads.
    pub(crate) async fn acquire(self) -> Term {
        let mut rival = None;
        let patience = self.settings.lease_renew_deadline;
        loop {
            let sent = Instant::now();
            match timeout(patience, self.attempt(&mut rival)).await {
                Ok(Ok(Some(lease))) => {
                    tracing::info!(identity = self.settings.identity, "leading");
                    return Term {
                        election: self,
                        lease,
                        renewed: sent,
                    };
                }
                Ok(Ok(None)) => {}
                Ok(Err(error)) => {
                    tracing::warn!(error = describe(&error), "the Lease is out of reach");
                }
                Err(_) => tracing::warn!("nobody answers about the Lease"),
            }
            sleep(self.settings.lease_retry_period).await;
        }
    }

    /// Takes the Lease when it is free.
    async fn attempt(&self, rival: &mut Option<OtherHolder>) -> Result<Option<Lease>, kube::Error> {
        let LeaseSettings {
            lease_name,
            identity,
            ..
        } = &self.settings;
        let found = self.leases.get_opt(lease_name).await?;
        let Some(lease) = found else {
            let lease = claim::new(lease_name, self.holder(), Timestamp::now());
            return unless_conflict(self.leases.create(&PostParams::default(), &lease).await);
        };
        *rival = OtherHolder::of(&lease, identity, rival.take(), Instant::now());
        if rival
            .as_ref()
            .is_some_and(|rival| !rival.is_gone(Instant::now()))
        {
            return Ok(None);
        }
        let lease = claim::take(lease, self.holder(), Timestamp::now());
        unless_conflict(self.replace(&lease).await)
    }

    fn holder(&self) -> claim::Holder<'_> {
        claim::Holder {
            identity: &self.settings.identity,
            duration: self.settings.lease_duration,
        }
    }

    async fn replace(&self, lease: &Lease) -> Result<Lease, kube::Error> {
        self.leases
            .replace(&self.settings.lease_name, &PostParams::default(), lease)
            .await
    }
}

/// Somebody else was faster, which is no error.
fn unless_conflict(answer: Result<Lease, kube::Error>) -> Result<Option<Lease>, kube::Error> {
    match answer {
        Err(kube::Error::Api(status)) if status.code == 409 => Ok(None),
        answer => answer.map(Some),
    }
}

impl Term {
    /// Renews the Lease until it is lost.
    pub(crate) async fn renew(&mut self) {
        let LeaseSettings {
            lease_renew_deadline,
            lease_retry_period,
            ..
        } = self.election.settings;
        while self.renewed.elapsed() < lease_renew_deadline {
            sleep(lease_retry_period).await;
            let left = lease_renew_deadline.saturating_sub(self.renewed.elapsed());
            let sent = Instant::now();
            match timeout(left, self.try_renew()).await {
                Ok(Ok(Renewed::Yes)) => self.renewed = sent,
                Ok(Ok(Renewed::NotYet)) => {}
                Ok(Ok(Renewed::Lost)) => return,
                Ok(Err(error)) => {
                    tracing::warn!(error = describe(&error), "the Lease was not renewed");
                }
                Err(_) => tracing::warn!("the Lease was not renewed in time"),
            }
        }
    }

    async fn try_renew(&mut self) -> Result<Renewed, kube::Error> {
        let renewed = claim::renew(self.lease.clone(), Timestamp::now());
        match unless_conflict(self.election.replace(&renewed).await)? {
            Some(lease) => {
                self.lease = lease;
                Ok(Renewed::Yes)
            }
            None => self.reread().await,
        }
    }

    /// Looks who holds the Lease after it was found changed: it may be us, when the answer to a
    /// renewal was lost.
    async fn reread(&mut self) -> Result<Renewed, kube::Error> {
        let settings = &self.election.settings;
        self.lease = self.election.leases.get(&settings.lease_name).await?;
        let rival = OtherHolder::of(&self.lease, &settings.identity, None, Instant::now());
        Ok(rival.map_or(Renewed::NotYet, |_| Renewed::Lost))
    }

    /// Lets another replica lead at once.
    pub(crate) async fn release(self) {
        let released = claim::release(self.lease, Timestamp::now());
        match self.election.replace(&released).await {
            Ok(_) => tracing::info!("the Lease is released"),
            Err(error) => tracing::warn!(error = describe(&error), "the Lease was not released"),
        }
    }
}

/// What came of a renewal.
enum Renewed {
    /// Somebody else has the Lease.
    Lost,
    /// It is still ours, and has to be tried again.
    NotYet,
    Yes,
}

#[cfg(test)]
mod tests;
