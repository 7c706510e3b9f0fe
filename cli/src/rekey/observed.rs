//! The sealing keys of an environment, as its Environment resource shows them.

use std::collections::BTreeSet;

use jiff::Timestamp;
use sealing::{
    Certificate, KeyId, Recipient,
    resource::{Environment, SealingKeyState, SealingKeyStatus},
};

use crate::error::{CommandError, Result};

/// The sealing keys of an environment.
#[derive(Debug)]
pub(super) struct Observed {
    /// The active one. The status may be older than a revocation.
    pub(super) active: Option<Active>,
    /// Every key, newest first.
    keys: Vec<SealingKeyStatus>,
    /// Why the status cannot be relied on, if it is outdated or not ready.
    pub(super) conflict: Option<String>,
    /// The ids of revoked keys, whether the controller has observed the revocation or not.
    pub(super) revoked: BTreeSet<String>,
    /// Keys generated before this instant are replaced.
    cutoff_time: Option<Timestamp>,
}

/// An active sealing key.
#[derive(Debug)]
pub(super) struct Active {
    pub(super) recipient: Recipient,
    /// Its certificate, in PEM.
    pub(super) certificate: String,
}

impl Observed {
    /// Reads an Environment. Fails if its certificate is malformed.
    pub(super) fn of(environment: &Environment) -> Result<Self> {
        let conflict = conflict(environment);
        let status = environment.status.clone().unwrap_or_default();
        let settings = &environment.spec.sealing_keys;
        Ok(Self {
            active: status.certificate.map(Active::parse).transpose()?,
            keys: status.sealing_keys,
            conflict,
            revoked: settings.revoked_key_ids.iter().cloned().collect(),
            cutoff_time: settings.cutoff_time.as_ref().map(|time| time.0),
        })
    }

    /// The active key, which must exist.
    pub(super) fn active(&self) -> Result<&Active> {
        self.active.as_ref().ok_or_else(|| {
            CommandError::cluster("the Environment has no certificate yet")
                .hint("find the reason with `kubectl describe environments.sceau.dev`")
        })
    }

    /// Whether a key is one of the environment's, revoked or not.
    pub(super) fn holds(&self, id: KeyId) -> bool {
        self.active.as_ref().is_some_and(|active| active.id() == id)
            || self.revokes(id)
            || self
                .keys
                .iter()
                .any(|status| status.key_id == id.to_string())
    }

    /// Whether a key is revoked.
    pub(super) fn revokes(&self, id: KeyId) -> bool {
        self.revoked.contains(&id.to_string())
    }

    /// The keys that are not revoked.
    pub(super) fn unrevoked(&self) -> impl Iterator<Item = &SealingKeyStatus> {
        let keys = self.keys.iter();
        keys.filter(|status| !self.revoked.contains(&status.key_id))
    }

    /// Those of them that are retired.
    pub(super) fn retired(&self) -> impl Iterator<Item = &SealingKeyStatus> {
        self.unrevoked()
            .filter(|status| status.state == SealingKeyState::Retired)
    }

    /// Whether an earlier run already requested that the active key is replaced.
    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        match (self.created_at(), self.cutoff_time) {
            (Some(created_at), Some(before)) => created_at < before && before <= self.cutoff(now),
            _ => false,
        }
    }

    /// The cutoff to request: the first whole second after now, and after the active key was
    /// generated. Kubernetes times have whole seconds, so a key from a moment ago is older too.
    pub(super) fn cutoff(&self, now: Timestamp) -> Timestamp {
        let latest = self
            .created_at()
            .map_or(now, |created_at| created_at.max(now));
        Timestamp::from_second(latest.as_second() + 1).unwrap_or(latest)
    }

    /// When the active key was generated.
    fn created_at(&self) -> Option<Timestamp> {
        let active = self.active.as_ref()?.id().to_string();
        let status = self.keys.iter().find(|status| status.key_id == active);
        status.map(|status| status.created_at.0)
    }
}

impl Active {
    /// Parses a certificate in PEM from the cluster.
    pub(super) fn parse(certificate: String) -> Result<Self> {
        let parsed = Certificate::parse_pem(&certificate).map_err(|error| {
            CommandError::cluster(format!("the cluster's certificate: {error}"))
        })?;
        Ok(Self {
            recipient: parsed.recipient,
            certificate,
        })
    }

    /// The id of its key.
    pub(super) fn id(&self) -> KeyId {
        self.recipient.id()
    }
}

/// Why the status of an Environment cannot be relied on.
fn conflict(environment: &Environment) -> Option<String> {
    let status = environment.status.as_ref();
    let observed = status.and_then(|status| status.observed_generation);
    let generation = environment.metadata.generation;
    if observed != generation {
        return Some(
            "the controller has not observed the latest change of the Environment".to_owned(),
        );
    }
    let mut conditions = status.into_iter().flat_map(|status| &status.conditions);
    match conditions.find(|condition| condition.type_ == "Ready") {
        Some(ready) if ready.status == "True" => None,
        Some(ready) => Some(format!("the Environment is not ready: {}", ready.message)),
        None => Some("the Environment is not ready".to_owned()),
    }
}
