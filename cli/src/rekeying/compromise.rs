//! What is to be done about keys that are in wrong hands, and what breaks: decided from the
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

/// What is to be done next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// These keys are to be revoked.
    Revoke(Vec<String>),
    /// They are; the certificate of this index is to be replaced with that of the next key.
    Replace(usize),
}

/// Decides. Who has one key may have all that were kept in the same place: the active one and the
/// retired ones. When the pinned key is revoked already, an active one was made after that, and
/// only the others are left to revoke.
///
/// Refuses a cluster that has the key of no pinned certificate, or of several.
pub(super) fn step(observed: &Observed, pinned: &[KeyId]) -> Result<Step> {
    let active = observed.active.as_ref().map(Active::id);
    let active_pin = pinned.iter().position(|id| Some(*id) == active);
    let index = active_pin.map_or_else(|| own(observed, pinned), Ok)?;
    let has_begun = observed.revokes(pinned[index]);
    let is_exposed = |status: &SealingKeyStatus| match status.state {
        SealingKeyState::Active => !has_begun,
        SealingKeyState::Retired => true,
        SealingKeyState::Revoked => false,
    };
    let exposed = observed.unrevoked().filter(|status| is_exposed(status));
    let ids: Vec<String> = exposed.map(|status| status.key_id.clone()).collect();
    Ok(if ids.is_empty() {
        Step::Replace(index)
    } else {
        Step::Revoke(ids)
    })
}

/// A seal that does not open in this cluster any more, or may not.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Broken {
    #[serde(flatten)]
    seal: FoundSeal,
    opens: Opens,
    /// Why that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

/// Where a seal still opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) enum Opens {
    /// With the key of another cluster of the environment, there.
    Elsewhere,
    /// Nowhere.
    Nowhere,
    /// It does not say which key it is sealed to, or cannot be read.
    Unknown,
}

/// What opens seals after a revocation.
#[derive(Debug)]
pub(super) struct Opening<'a> {
    /// The ids of the revoked keys.
    pub(super) revoked: BTreeSet<String>,
    /// The active key of this cluster, if there is one.
    pub(super) active: Option<KeyId>,
    /// The pinned keys, of this cluster and of others.
    pub(super) pinned: &'a [KeyId],
}

impl Opening<'_> {
    /// The seals that revoked keys opened in this cluster, and no other does.
    pub(super) fn broken(&self, seals: &[FoundSeal]) -> Vec<Broken> {
        let broken = seals.iter().filter_map(|seal| {
            Some(Broken {
                opens: self.opens(seal)?,
                message: seal.recipients.as_ref().err().cloned(),
                seal: seal.clone(),
            })
        });
        broken.collect()
    }

    fn opens(&self, seal: &FoundSeal) -> Option<Opens> {
        let Ok(ids) = &seal.recipients else {
            return Some(Opens::Unknown);
        };
        let stays = |id: &KeyId| !self.revoked.contains(&id.to_string());
        let mut active = self.active.iter().filter(|id| stays(id));
        let opens_here = active.any(|id| seal.is_wrapped_for(*id));
        if opens_here || !ids.iter().any(|id| self.revoked.contains(id)) {
            return None;
        }
        let mut others = self.pinned.iter().filter(|id| stays(id));
        Some(if others.any(|id| seal.is_wrapped_for(*id)) {
            Opens::Elsewhere
        } else {
            Opens::Nowhere
        })
    }
}

impl Broken {
    /// Broken seals as a table, with the reasons below it.
    pub(super) fn table(broken: &[Self]) -> String {
        if broken.is_empty() {
            return String::new();
        }
        let reasons = broken.iter().filter_map(|it| {
            let message = it.message.as_ref()?;
            Some(format!("\n{}: {message}\n", it.seal.location.place()))
        });
        ui::table(
            &["OPENS", "SECRET", "SEAL", "ITEMS", "WHERE"],
            broken.iter().map(Self::cells),
        ) + &reasons.collect::<String>()
    }

    fn cells(&self) -> Vec<String> {
        let seal = &self.seal;
        let opens = match self.opens {
            Opens::Elsewhere => "in other clusters",
            Opens::Nowhere => "nowhere",
            Opens::Unknown => "?",
        };
        vec![
            opens.to_owned(),
            seal.location.secret(),
            seal.seal.map_or_else(String::new, |seal| seal.to_string()),
            seal.items.join(", "),
            seal.location.place(),
        ]
    }
}

#[cfg(test)]
mod tests;
