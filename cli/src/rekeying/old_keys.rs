//! The keys that a re-keying has left behind, and what still needs them: decided from the
//! Environment, the pinned certificates and the seals of the repository.

use sealing::KeyId;
use serde::Serialize;

use super::{next::own, observed::Observed};
use crate::{
    error::{CommandError, Result},
    reseal::{FoundSeal, Pin},
    ui,
};

/// The keys that may be revoked once nothing needs them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct OldKeys {
    /// Their ids.
    pub(super) ids: Vec<String>,
    /// What needs one of them.
    pub(super) needs: Vec<Need>,
    /// What may need one of them: it does not say, or cannot be read.
    pub(super) unjudged: Vec<Need>,
}

/// Something that needs an old key, or may.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(
    tag = "needed",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub(super) enum Need {
    /// By SealedSecrets in the cluster, as the controller counts them.
    ByCluster { key_id: String, sealed_secrets: u32 },
    /// By a seal in the repository.
    ByManifest {
        key_id: String,
        #[serde(flatten)]
        seal: FoundSeal,
    },
    /// Nobody knows, and why.
    Unknown {
        #[serde(flatten)]
        seal: FoundSeal,
        message: String,
    },
}

/// Finds the old keys. Refuses a cluster of which no key is pinned, or whose re-keying is
/// unfinished, and one that has not counted yet what the old keys open.
pub(super) fn old_keys(observed: &Observed, pins: &[Pin], seals: &[FoundSeal]) -> Result<OldKeys> {
    let active = check_finished(observed, pins)?;
    let ids: Vec<String> = observed.retired().map(|it| it.key_id.clone()).collect();
    if ids.is_empty() {
        return Ok(OldKeys::default());
    }
    if let Some(doubt) = &observed.doubt {
        return Err(CommandError::cluster(format!(
            "what the old keys open is not known: {doubt}"
        ))
        .hint("wait a moment and run this again, or see `kubectl describe environments.sceau.dev`"));
    }
    Ok(OldKeys {
        needs: needs(observed, active, seals),
        unjudged: unjudged(seals),
        ids,
    })
}

/// The id of the active key, when it is the one that is pinned.
fn check_finished(observed: &Observed, pins: &[Pin]) -> Result<KeyId> {
    let active = observed.active()?.id();
    let pinned: Vec<KeyId> = pins.iter().map(|pin| pin.recipient.id()).collect();
    if !pinned.contains(&active) || observed.revokes(active) {
        own(observed, &pinned)?;
        return Err(CommandError::user(
            "the re-keying is unfinished: the key that the cluster seals with now is not pinned",
        )
        .hint("go on with it first: `sceau rekey` without `--finish`"));
    }
    let old = pins.iter().find(|pin| {
        let id = pin.recipient.id();
        id != active && observed.holds(id)
    });
    match old {
        None => Ok(active),
        Some(pin) => Err(CommandError::user(format!(
            "{} pins an old key of this cluster: {}",
            pin.certificate.display(),
            pin.recipient.id()
        ))
        .hint("take it out of sceau.yaml, and reseal what was sealed to it with `sceau reseal`")),
    }
}

/// A seal needs an old key of this cluster when the active one does not open it here; that another
/// cluster's key opens it there is no help.
fn needs(observed: &Observed, active: KeyId, seals: &[FoundSeal]) -> Vec<Need> {
    let in_cluster = observed.retired().filter(|it| it.sealed_secrets > 0);
    let in_cluster = in_cluster.map(|status| Need::ByCluster {
        key_id: status.key_id.clone(),
        sealed_secrets: status.sealed_secrets,
    });
    let stale = seals.iter().filter(|seal| !seal.is_wrapped_for(active));
    let in_manifests = stale.flat_map(|seal| {
        let named = seal.recipients.iter().flatten();
        let old = named.filter(|id| observed.retired().any(|it| it.key_id == **id));
        old.map(|id| Need::ByManifest {
            key_id: id.clone(),
            seal: seal.clone(),
        })
    });
    in_cluster.chain(in_manifests).collect()
}

fn unjudged(seals: &[FoundSeal]) -> Vec<Need> {
    let unknown = |seal: &FoundSeal| {
        let message = seal.recipients.as_ref().err()?.clone();
        Some(Need::Unknown {
            seal: seal.clone(),
            message,
        })
    };
    seals.iter().filter_map(unknown).collect()
}

impl OldKeys {
    /// Everything that stands in the way, or may.
    pub(super) fn report(&self) -> Vec<&Need> {
        self.needs.iter().chain(&self.unjudged).collect()
    }

    /// The same as a table, with the reasons below it.
    pub(super) fn table(report: &[&Need]) -> String {
        if report.is_empty() {
            return String::new();
        }
        let rows = report.iter().map(|need| need.cells());
        let reasons = report.iter().filter_map(|need| need.reason());
        let reasons = reasons.map(|reason| format!("\n{reason}\n"));
        ui::table(&["KEY", "NEEDED BY", "WHERE"], rows) + &reasons.collect::<String>()
    }
}

impl Need {
    /// Key, what needs it and where that is.
    fn cells(&self) -> Vec<String> {
        match self {
            Self::ByCluster {
                key_id,
                sealed_secrets,
            } => vec![
                key_id.clone(),
                super::sealed_secrets(*sealed_secrets),
                "the cluster".to_owned(),
            ],
            Self::ByManifest { key_id, seal } => vec![
                key_id.clone(),
                seal.location.secret(),
                seal.location.place(),
            ],
            Self::Unknown { seal, .. } => vec![
                "?".to_owned(),
                seal.location.secret(),
                seal.location.place(),
            ],
        }
    }

    /// Why nobody knows.
    fn reason(&self) -> Option<String> {
        match self {
            Self::Unknown { seal, message } => {
                Some(format!("{}: {message}", seal.location.place()))
            }
            Self::ByCluster { .. } | Self::ByManifest { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests;
