//! Keys that were revoked since the Environment's status was written, and what they open no more.
//! Pure.

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
    /// The SealedSecrets that do not open any more, as namespace and name.
    pub(crate) closed: Vec<String>,
}

/// The keys that are revoked, and that the status told of as something else.
pub(super) fn revocations(
    told: Option<&EnvironmentStatus>,
    environment: &ResolvedEnvironment,
    keys: &[KeyWithState<'_>],
    recipients: &[Recipients],
) -> Vec<Revocation> {
    let opened_before = |id: &str| {
        let mut keys = told.iter().flat_map(|status| &status.sealing_keys);
        keys.any(|told| told.key_id == id && told.state != SealingKeyState::Revoked)
    };
    keys.iter()
        .filter(|fact| fact.state == SealingKeyState::Revoked)
        .map(|fact| fact.known.id())
        .filter(|id| opened_before(&id.to_string()))
        .map(|id| Revocation {
            key_id: id.to_string(),
            closed: needing(id, environment, recipients)
                .map(|closed| closed.sealed_secret.clone())
                .collect(),
        })
        .collect()
}

const REASON: &str = "SealingKeyRevoked";

/// More names would not fit into an event.
const NAMED: usize = 3;

impl Revocation {
    /// What is said about it: how many SealedSecrets it closes, and the first few.
    pub(super) fn event_message(&self) -> EventMessage {
        let id = &self.key_id;
        let closed = match self.closed.len() {
            0 => {
                let note = format!("sealing key {id} was revoked; no SealedSecret needs it");
                return EventMessage::normal(REASON, note);
            }
            1 => "1 SealedSecret opens".to_owned(),
            several => format!("{several} SealedSecrets open"),
        };
        let first = self.first_closed();
        EventMessage::warning(
            REASON,
            format!("sealing key {id} was revoked and {closed} no more: {first}"),
        )
    }

    /// The names of the first few SealedSecrets, and how many there are besides.
    pub(crate) fn first_closed(&self) -> String {
        let named = &self.closed[..self.closed.len().min(NAMED)];
        match self.closed.len() - named.len() {
            0 => named.join(", "),
            others => format!("{} and {others} more", named.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn announced(closed: usize) -> EventMessage {
        let closed = (1..=closed).map(|number| format!("shop/api-{number}"));
        Revocation {
            key_id: "sha256:1".to_owned(),
            closed: closed.collect(),
        }
        .event_message()
    }

    #[test]
    fn it_says_how_many_it_closes_and_names_the_first_few() {
        let reason = "SealingKeyRevoked";
        assert_eq!(
            announced(0),
            EventMessage::normal(
                reason,
                "sealing key sha256:1 was revoked; no SealedSecret needs it"
            )
        );
        assert_eq!(
            announced(1),
            EventMessage::warning(
                reason,
                "sealing key sha256:1 was revoked and 1 SealedSecret opens no more: shop/api-1"
            )
        );
        assert_eq!(
            announced(2),
            EventMessage::warning(
                reason,
                "sealing key sha256:1 was revoked and 2 SealedSecrets open no more: shop/api-1, shop/api-2"
            )
        );
        assert_eq!(
            announced(5),
            EventMessage::warning(
                reason,
                "sealing key sha256:1 was revoked and 5 SealedSecrets open no more: shop/api-1, shop/api-2, shop/api-3 and 2 more"
            )
        );
    }
}
