//! What a re-keying has come to, and what is to be done next: decided from the Environment and the
//! pinned certificates alone.

use jiff::Timestamp;
use sealing::KeyId;

use super::observed::Observed;
use crate::error::{CommandError, Result};

/// What is to be done next; `pinned` is the index of the certificate that will be replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// A new key is to be asked for.
    Ask { pinned: usize },
    /// The new key is there and not pinned yet.
    GoOn { pinned: usize },
    /// The new key was asked for, or the old one revoked, and it is not there yet.
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
    let active = observed.active()?.id();
    if let Some(pinned) = pinned.iter().position(|id| *id == active) {
        return Ok(if observed.is_due(now) || observed.revokes(active) {
            Next::Wait { pinned }
        } else {
            Next::Ask { pinned }
        });
    }
    let pinned = own(observed, pinned)?;
    Ok(if observed.revokes(active) {
        Next::Wait { pinned }
    } else {
        Next::GoOn { pinned }
    })
}

/// The index of the one pinned certificate whose key is of this cluster.
pub(super) fn own(observed: &Observed, pinned: &[KeyId]) -> Result<usize> {
    let own: Vec<usize> = (0..pinned.len())
        .filter(|index| observed.holds(pinned[*index]))
        .collect();
    match own.as_slice() {
        [only] => Ok(*only),
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
        resource::{Environment, EnvironmentSpec, EnvironmentStatus},
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
    fn observed(cutoff_time: Option<&str>) -> Observed {
        let spec: EnvironmentSpec =
            serde_json::from_value(json!({"sealingKeys": {"cutoffTime": cutoff_time}})).unwrap();
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
    fn check(cutoff_time: Option<&str>, pinned: &[KeyId], expected: Option<Next>) {
        let now = "2026-01-03T12:00:00Z".parse().unwrap();
        assert_eq!(next(&observed(cutoff_time), pinned, now).ok(), expected);
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
    fn in_place_of_a_revoked_key_none_is_asked_for() {
        use crate::rekey::fixtures::{id, observed, status};
        let check = |keys: &str, revoked: &str, pinned: char, expected: Next| {
            let observed = observed(&status(keys), revoked);
            let now = "2026-01-03T12:00:00Z".parse().unwrap();
            assert_eq!(next(&observed, &[id(pinned)], now).ok(), Some(expected));
        };
        let pinned = 0;
        // The controller makes one by itself.
        check("A:Active:0", "A", 'A', Next::Wait { pinned });
        check("A:Active:0 c:Retired:0", "Ac", 'c', Next::Wait { pinned });
        // The Secret of the revoked key was deleted.
        check("A:Active:0", "c", 'c', Next::GoOn { pinned });
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
