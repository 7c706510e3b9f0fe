//! What a re-keying has come to, and what is to be done next: decided from the Environment and the
//! pinned certificates alone.

use jiff::Timestamp;
use sealing::{
    Certificate, KeyId,
    resource::{Environment, SealingKeyStatus},
};

use crate::error::{CommandError, Result};

/// The sealing keys of an environment, as its cluster shows them.
#[derive(Debug)]
pub(super) struct Observed {
    /// The active certificate, in PEM.
    pub(super) certificate: String,
    /// Its key.
    pub(super) active: KeyId,
    /// Every key.
    keys: Vec<SealingKeyStatus>,
    /// Keys made before this instant are to be replaced.
    renew_before: Option<Timestamp>,
}

impl Observed {
    pub(super) fn of(environment: &Environment) -> Result<Self> {
        let status = environment.status.clone().unwrap_or_default();
        let certificate = status.certificate.ok_or_else(|| {
            CommandError::cluster("the Environment has no certificate yet")
                .hint("see why with `kubectl describe environments.sceau.dev`")
        })?;
        let active = Certificate::parse_pem(&certificate)
            .map_err(|error| CommandError::cluster(format!("the cluster's certificate: {error}")))?
            .key_id();
        let settings = &environment.spec.sealing_keys;
        Ok(Self {
            certificate,
            active,
            keys: status.sealing_keys,
            renew_before: settings.renew_before.as_ref().map(|time| time.0),
        })
    }

    fn holds(&self, id: KeyId) -> bool {
        id == self.active || self.keys.iter().any(|key| key.key_id == id.to_string())
    }

    /// Whether the active key is to be replaced already, as this run would ask for.
    fn is_due(&self, now: Timestamp) -> bool {
        match (self.made_at(), self.renew_before) {
            (Some(made_at), Some(before)) => {
                made_at < before && before <= self.instant_of_renewal(now)
            }
            _ => false,
        }
    }

    /// The instant to have older keys replaced at: the first whole second after now, and after the
    /// active key was made. Keys are as old as the whole second in which they were made, so that one
    /// which was made a moment ago counts as older too.
    pub(super) fn instant_of_renewal(&self, now: Timestamp) -> Timestamp {
        let latest = self.made_at().map_or(now, |made_at| made_at.max(now));
        Timestamp::from_second(latest.as_second() + 1).unwrap_or(latest)
    }

    /// When the active key was made.
    fn made_at(&self) -> Option<Timestamp> {
        let active = self.active.to_string();
        let status = self.keys.iter().find(|status| status.key_id == active);
        status.map(|status| status.created_at.0)
    }
}

/// What is to be done next; `pinned` is the index of the certificate that will be replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// A new key is to be asked for.
    Ask { pinned: usize },
    /// The new key is there and not pinned yet.
    GoOn { pinned: usize },
    /// The new key was asked for and is not there yet.
    Wait { pinned: usize },
}

impl Next {
    /// The index of the certificate that will be replaced.
    pub(super) fn pinned(self) -> usize {
        match self {
            Self::Ask { pinned } | Self::GoOn { pinned } | Self::Wait { pinned } => pinned,
        }
    }
}

/// Decides; refuses a cluster that has the key of no pinned certificate, or of several.
pub(super) fn next(observed: &Observed, pinned: &[KeyId], now: Timestamp) -> Result<Next> {
    if let Some(pinned) = pinned.iter().position(|id| *id == observed.active) {
        return Ok(if observed.is_due(now) {
            Next::Wait { pinned }
        } else {
            Next::Ask { pinned }
        });
    }
    let own: Vec<usize> = (0..pinned.len())
        .filter(|index| observed.holds(pinned[*index]))
        .collect();
    match own.as_slice() {
        [only] => Ok(Next::GoOn { pinned: *only }),
        [] => Err(
            CommandError::user("none of the pinned certificates is of this cluster")
                .hint("is this the right cluster? see `--context`")
                .hint("if it is new, pin its certificate with `sceau certificate fetch`"),
        ),
        _ => Err(
            CommandError::user("several of the pinned certificates are of this cluster")
                .hint("leave one of them in sceau.yaml, and try again"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use sealing::{
        SealingKey,
        resource::{EnvironmentSpec, EnvironmentStatus},
    };
    use serde_json::json;

    use super::*;

    fn ids() -> [KeyId; 2] {
        let keys = [
            include_str!("../../../tests/vectors/test-2048.key"),
            include_str!("../../../tests/vectors/test-4096.key"),
        ];
        keys.map(|pem| SealingKey::parse_pem(pem).unwrap()[0].id())
    }

    /// An environment whose active key, the second one, was made at noon.
    fn observed(renew_before: Option<&str>) -> Observed {
        let spec: EnvironmentSpec =
            serde_json::from_value(json!({"sealingKeys": {"renewBefore": renew_before}})).unwrap();
        let [old, active] = ids();
        let key = |id: KeyId, at: &str| json!({"keyId": id, "state": "Active", "createdAt": at, "notAfter": at, "sealedSecrets": 0});
        let status: EnvironmentStatus = serde_json::from_value(json!({
            "certificate": include_str!("../../../tests/vectors/test-4096.crt"),
            "sealingKeys": [key(active, "2026-01-02T12:00:00Z"), key(old, "2026-01-01T12:00:00Z")],
        }))
        .unwrap();
        let mut environment = Environment::new("prod", spec);
        environment.status = Some(status);
        Observed::of(&environment).unwrap()
    }

    #[track_caller]
    fn check(renew_before: Option<&str>, pinned: &[KeyId], expected: Option<Next>) {
        let now = "2026-01-03T12:00:00Z".parse().unwrap();
        assert_eq!(next(&observed(renew_before), pinned, now).ok(), expected);
    }

    #[test]
    fn each_step_looks_at_what_is_done() {
        let [old, active] = ids();
        let pinned = 0;
        check(None, &[active], Some(Next::Ask { pinned }));
        check(
            Some("2026-01-02T11:00:00Z"),
            &[active],
            Some(Next::Ask { pinned }),
        );
        check(
            Some("2026-01-02T13:00:00Z"),
            &[active],
            Some(Next::Wait { pinned }),
        );
        check(
            Some("2026-01-04T13:00:00Z"),
            &[active],
            Some(Next::Ask { pinned }),
        );
        check(None, &[old], Some(Next::GoOn { pinned }));
        check(
            Some("2026-01-02T11:00:00Z"),
            &[old],
            Some(Next::GoOn { pinned }),
        );
    }

    #[test]
    fn a_key_that_was_made_a_moment_ago_is_replaced_too() {
        let instant = |now: &str| {
            observed(None)
                .instant_of_renewal(now.parse().unwrap())
                .to_string()
        };
        assert_eq!(instant("2026-01-02T12:00:00.7Z"), "2026-01-02T12:00:01Z");
        assert_eq!(instant("2026-01-03T12:00:00Z"), "2026-01-03T12:00:01Z");
        // A clock that is behind the one by which the key was made.
        assert_eq!(instant("2026-01-02T11:59:00Z"), "2026-01-02T12:00:01Z");
    }

    #[test]
    fn a_cluster_that_has_no_pinned_key_is_refused() {
        let [old, _] = ids();
        check(None, &[], None);
        check(None, &[old, old], None);
    }
}
