//! Leader election by a Lease, with the rules of client-go. Each write is conditional on the
//! version that was read, so two replicas can never both take the Lease.
//!
//! `claim` decides who may take it. This file reads and writes.

use std::time::Instant;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;
use kube::{Api, Client, api::PostParams};
use tokio::time::{sleep, timeout};

use crate::{error::describe, settings::LeaseSettings};

mod claim;

use claim::OtherHolder;

/// A candidate for leader.
pub(crate) struct Election {
    leases: Api<Lease>,
    settings: LeaseSettings,
}

/// The time in which this replica leads.
pub(crate) struct Term {
    election: Election,
    /// The Lease as it was last written.
    lease: Lease,
    /// When that write was sent. The response may be late. Other candidates count their wait from a
    /// later instant, so this one is safe.
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
        let mut holder = None;
        let deadline = self.settings.lease_renew_deadline;
        loop {
            // Before the request: the Lease counts from when it was sent, not from a late response.
            let sent = Instant::now();
            match timeout(deadline, self.attempt(&mut holder)).await {
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
                    tracing::warn!(
                        error = describe(&error),
                        "the Lease could not be read or written"
                    );
                }
                Err(_) => tracing::warn!("reading or writing the Lease timed out"),
            }
            sleep(self.settings.lease_retry_period).await;
        }
    }

    /// Takes the Lease if it is free.
    async fn attempt(
        &self,
        holder: &mut Option<OtherHolder>,
    ) -> Result<Option<Lease>, kube::Error> {
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
        *holder = OtherHolder::of(&lease, identity, holder.take(), Instant::now());
        if holder
            .as_ref()
            .is_some_and(|holder| !holder.is_gone(Instant::now()))
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

/// A conflict is not an error: another replica was faster.
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
                Err(_) => tracing::warn!("renewing the Lease timed out"),
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

    /// Reads the holder after a conflict. It may be this replica, if the response to a renewal was
    /// lost.
    async fn reread(&mut self) -> Result<Renewed, kube::Error> {
        let settings = &self.election.settings;
        self.lease = self.election.leases.get(&settings.lease_name).await?;
        let holder = OtherHolder::of(&self.lease, &settings.identity, None, Instant::now());
        Ok(holder.map_or(Renewed::NotYet, |_| Renewed::Lost))
    }

    /// Releases the Lease, so that another replica can lead at once.
    pub(crate) async fn release(self) {
        let released = claim::release(self.lease, Timestamp::now());
        match self.election.replace(&released).await {
            Ok(_) => tracing::info!("the Lease was released"),
            Err(error) => tracing::warn!(error = describe(&error), "the Lease was not released"),
        }
    }
}

/// The result of a renewal.
enum Renewed {
    /// Another replica holds the Lease.
    Lost,
    /// This replica still holds the Lease and has to retry.
    NotYet,
    Yes,
}

#[cfg(test)]
mod tests;
