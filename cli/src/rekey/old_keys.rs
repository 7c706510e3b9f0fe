//! The old keys of a re-keyed environment, and what still needs them: decided from the Environment,
//! the pinned certificates and the seals of the repository.

use sealing::KeyId;
use serde::Serialize;

use super::{next::own, observed::Observed};
use crate::{
    error::{CommandError, Result},
    reseal::{FoundSeal, Pin},
    ui,
};

/// The keys that can be revoked once nothing needs them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct OldKeys {
    /// Their ids.
    pub(super) ids: Vec<String>,
    /// What needs one of them.
    pub(super) needs: Vec<Need>,
    /// What may need one of them: it does not name its key, or cannot be read.
    pub(super) unjudged: Vec<Need>,
}

/// A SealedSecret or seal that needs an old key, or may.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(
    tag = "needed",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub(super) enum Need {
    /// SealedSecrets in the cluster need it, as the controller counts them.
    ByCluster { key_id: String, sealed_secrets: u32 },
    /// A seal in the repository needs it.
    ByManifest {
        key_id: String,
        #[serde(flatten)]
        seal: FoundSeal,
    },
    /// Unknown, with the reason.
    Unknown {
        #[serde(flatten)]
        seal: FoundSeal,
        message: String,
    },
}

/// Finds the old keys. Fails if no key of the cluster is pinned, if its re-keying is unfinished, or
/// if the controller has not counted yet what the old keys decrypt.
pub(super) fn old_keys(observed: &Observed, pins: &[Pin], seals: &[FoundSeal]) -> Result<OldKeys> {
    let active = check_finished(observed, pins)?;
    let ids: Vec<String> = observed
        .retired()
        .map(|status| status.key_id.clone())
        .collect();
    if ids.is_empty() {
        return Ok(OldKeys::default());
    }
    if let Some(conflict) = &observed.conflict {
        return Err(CommandError::cluster(format!(
            "cannot tell what the old keys decrypt: {conflict}"
        ))
        .hint("run this again in a moment, or check `kubectl describe environments.sceau.dev`"));
    }
    Ok(OldKeys {
        needs: needs(observed, active, seals),
        unjudged: unjudged(seals),
        ids,
    })
}

/// The id of the active key, which must be pinned, and no old key beside it.
fn check_finished(observed: &Observed, pins: &[Pin]) -> Result<KeyId> {
    let active = observed.active()?.id();
    let pinned: Vec<KeyId> = pins.iter().map(|pin| pin.recipient.id()).collect();
    if !pinned.contains(&active) || observed.revokes(active) {
        own(observed, &pinned)?;
        return Err(CommandError::user(
            "the re-keying is unfinished: the active key of the cluster is not pinned",
        )
        .hint("finish it first: run `sceau rekey` without `--finish`"));
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
        .hint("remove it from sceau.yaml, and reseal with `sceau reseal`")),
    }
}

/// A seal needs an old key of this cluster if the active key does not decrypt it. The key of
/// another cluster does not help here.
fn needs(observed: &Observed, active: KeyId, seals: &[FoundSeal]) -> Vec<Need> {
    // The count of the controller also covers manifests of other repositories and branches.
    let in_cluster = observed
        .retired()
        .filter(|status| status.sealed_secrets > 0);
    let in_cluster = in_cluster.map(|status| Need::ByCluster {
        key_id: status.key_id.clone(),
        sealed_secrets: status.sealed_secrets,
    });
    let stale = seals.iter().filter(|seal| !seal.is_wrapped_for(active));
    let in_manifests = stale.flat_map(|seal| {
        let named = seal.recipients.iter().flatten();
        let old = named.filter(|id| observed.retired().any(|status| status.key_id == **id));
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
    /// Everything that prevents a revocation, or may.
    pub(super) fn report(&self) -> Vec<&Need> {
        self.needs.iter().chain(&self.unjudged).collect()
    }

    /// The same as a table, with the reasons below.
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
    /// The key, what needs it, and its place.
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

    /// Why the key is unknown.
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
