//! The next step after sealing keys leaked, and the seals that it breaks: decided from the
//! Environment, the pinned certificates and the seals of the repository.

use std::collections::BTreeSet;

use sealing::{
    KeyId,
    resource::{SealingKeyState, SealingKeyStatus},
};
use serde::Serialize;

use super::{
    next::own,
    observed::{Active, Observed},
};
use crate::{error::Result, reseal::FoundSeal, ui};

/// The next step.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum RevocationStep {
    /// Revoke these keys.
    Revoke(Vec<String>),
    /// All are revoked: replace the certificate of this index with that of the next key.
    Replace(usize),
}

/// Decides the next step. The active and the retired keys are stored in one place, so all of them
/// count as leaked. If the pinned key is already revoked, the active key is newer: only the others
/// are left to revoke.
///
/// Fails unless the cluster has the key of exactly one pinned certificate.
pub(super) fn revocation_step(observed: &Observed, pinned: &[KeyId]) -> Result<RevocationStep> {
    let active = observed.active.as_ref().map(Active::id);
    let active_pin = pinned.iter().position(|id| Some(*id) == active);
    let index = active_pin.map_or_else(|| own(observed, pinned), Ok)?;
    // An earlier run revoked the pinned key and was interrupted. Revoking the key that replaced it
    // would start over with each run.
    let has_begun = observed.revokes(pinned[index]);
    let is_exposed = |status: &SealingKeyStatus| match status.state {
        SealingKeyState::Active => !has_begun,
        SealingKeyState::Retired => true,
        SealingKeyState::Revoked => false,
    };
    let exposed = observed.unrevoked().filter(|status| is_exposed(status));
    let ids: Vec<String> = exposed.map(|status| status.key_id.clone()).collect();
    Ok(if ids.is_empty() {
        RevocationStep::Replace(index)
    } else {
        RevocationStep::Revoke(ids)
    })
}

/// A seal that this cluster no longer decrypts, or may not.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Broken {
    #[serde(flatten)]
    seal: FoundSeal,
    decryptable: Decryptable,
    /// Why that is unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

/// Where a seal is still decryptable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) enum Decryptable {
    /// In another cluster of the environment.
    Elsewhere,
    /// Nowhere.
    Nowhere,
    /// It does not name its key, or cannot be read.
    Unknown,
}

/// The keys that are left after a revocation.
#[derive(Debug)]
pub(super) struct RemainingKeys<'a> {
    /// The ids of the revoked keys.
    pub(super) revoked: BTreeSet<String>,
    /// The active key of this cluster, if it exists.
    pub(super) active: Option<KeyId>,
    /// The pinned keys, of this cluster and of others.
    pub(super) pinned: &'a [KeyId],
}

impl RemainingKeys<'_> {
    /// The seals that only revoked keys decrypted in this cluster.
    pub(super) fn broken(&self, seals: &[FoundSeal]) -> Vec<Broken> {
        let broken = seals.iter().filter_map(|seal| {
            Some(Broken {
                decryptable: self.decryptable(seal)?,
                message: seal.recipients.as_ref().err().cloned(),
                seal: seal.clone(),
            })
        });
        broken.collect()
    }

    /// Where a broken seal is decryptable; nothing if it is not broken.
    fn decryptable(&self, seal: &FoundSeal) -> Option<Decryptable> {
        let Ok(ids) = &seal.recipients else {
            return Some(Decryptable::Unknown);
        };
        let remains = |id: &KeyId| !self.revoked.contains(&id.to_string());
        let mut active = self.active.iter().filter(|id| remains(id));
        // A seal that no revoked key decrypts was broken before, or belongs to another cluster.
        let is_decrypted_here = active.any(|id| seal.is_wrapped_for(*id));
        if is_decrypted_here || !ids.iter().any(|id| self.revoked.contains(id)) {
            return None;
        }
        let mut others = self.pinned.iter().filter(|id| remains(id));
        Some(if others.any(|id| seal.is_wrapped_for(*id)) {
            Decryptable::Elsewhere
        } else {
            Decryptable::Nowhere
        })
    }
}

impl Broken {
    /// Broken seals as a table, with the reasons below.
    pub(super) fn table(broken: &[Self]) -> String {
        if broken.is_empty() {
            return String::new();
        }
        let reasons = broken.iter().filter_map(|broken| {
            let message = broken.message.as_ref()?;
            Some(format!("\n{}: {message}\n", broken.seal.location.place()))
        });
        ui::table(
            &["DECRYPTABLE", "SECRET", "SEAL", "ITEMS", "WHERE"],
            broken.iter().map(Self::cells),
        ) + &reasons.collect::<String>()
    }

    fn cells(&self) -> Vec<String> {
        let seal = &self.seal;
        let decryptable = match self.decryptable {
            Decryptable::Elsewhere => "in other clusters",
            Decryptable::Nowhere => "nowhere",
            Decryptable::Unknown => "?",
        };
        vec![
            decryptable.to_owned(),
            seal.location.secret(),
            seal.seal.map_or_else(String::new, |seal| seal.to_string()),
            seal.items.join(", "),
            seal.location.place(),
        ]
    }
}

#[cfg(test)]
mod tests;
