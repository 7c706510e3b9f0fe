//! Keys that were revoked since the Environment's status was written, and the SealedSecrets that
//! need them. Pure.

use sealing::resource::{EnvironmentStatus, SealingKeyState};

use crate::{
    store::{
        KeyWithState, ResolvedEnvironment,
        usage::{Recipients, needing},
    },
    telemetry::events::EventMessage,
};

/// A key that was revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Revocation {
    /// The id of the key.
    pub(crate) key_id: String,
    /// The SealedSecrets that can no longer be decrypted, as `namespace/name`.
    pub(crate) affected: Vec<String>,
}

/// The revoked keys that the last status shows in another state.
pub(super) fn revocations(
    last_status: Option<&EnvironmentStatus>,
    environment: &ResolvedEnvironment,
    keys: &[KeyWithState<'_>],
    recipients: &[Recipients],
) -> Vec<Revocation> {
    let was_usable = |id: &str| {
        let mut keys = last_status.iter().flat_map(|status| &status.sealing_keys);
        keys.any(|key| key.key_id == id && key.state != SealingKeyState::Revoked)
    };
    keys.iter()
        .filter(|key| key.state == SealingKeyState::Revoked)
        .map(|key| key.stored.id())
        .filter(|id| was_usable(&id.to_string()))
        .map(|id| Revocation {
            key_id: id.to_string(),
            affected: needing(id, environment, recipients)
                .map(|affected| affected.sealed_secret.clone())
                .collect(),
        })
        .collect()
}

const REASON: &str = "SealingKeyRevoked";

/// Names in an event or audit line. A note has at most 1,024 bytes.
const NAMED: usize = 3;

impl Revocation {
    /// The event: how many SealedSecrets are affected, and the first few names.
    pub(super) fn event_message(&self) -> EventMessage {
        let id = &self.key_id;
        let affected = match self.affected.len() {
            0 => {
                let note = format!("sealing key {id} was revoked; no SealedSecret needs it");
                return EventMessage::normal(REASON, note);
            }
            1 => "1 SealedSecret".to_owned(),
            several => format!("{several} SealedSecrets"),
        };
        let first = self.first_affected();
        EventMessage::warning(
            REASON,
            format!("sealing key {id} was revoked; {affected} can no longer be decrypted: {first}"),
        )
    }

    /// The names of the first few SealedSecrets, and the number of others.
    pub(crate) fn first_affected(&self) -> String {
        let named = &self.affected[..self.affected.len().min(NAMED)];
        match self.affected.len() - named.len() {
            0 => named.join(", "),
            others => format!("{} and {others} more", named.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(affected: usize) -> EventMessage {
        let affected = (1..=affected).map(|number| format!("shop/api-{number}"));
        Revocation {
            key_id: "sha256:1".to_owned(),
            affected: affected.collect(),
        }
        .event_message()
    }

    #[test]
    fn an_event_has_the_number_of_sealed_secrets_and_the_first_names() {
        let reason = "SealingKeyRevoked";
        assert_eq!(
            event(0),
            EventMessage::normal(
                reason,
                "sealing key sha256:1 was revoked; no SealedSecret needs it"
            )
        );
        assert_eq!(
            event(1),
            EventMessage::warning(
                reason,
                "sealing key sha256:1 was revoked; 1 SealedSecret can no longer be decrypted: shop/api-1"
            )
        );
        assert_eq!(
            event(2),
            EventMessage::warning(
                reason,
                "sealing key sha256:1 was revoked; 2 SealedSecrets can no longer be decrypted: shop/api-1, shop/api-2"
            )
        );
        assert_eq!(
            event(5),
            EventMessage::warning(
                reason,
                "sealing key sha256:1 was revoked; 5 SealedSecrets can no longer be decrypted: shop/api-1, shop/api-2, shop/api-3 and 2 more"
            )
        );
    }
}
