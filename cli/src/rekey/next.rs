//! The state of a re-keying and its next step: decided from the Environment and the pinned
//! certificates alone.

use jiff::Timestamp;
use sealing::KeyId;

use super::observed::Observed;
use crate::error::{CommandError, Result};

/// The next step; `pinned` is the index of the certificate that will be replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NextStep {
    /// Request a new key.
    Request { pinned: usize },
    /// Continue with the new key, which is not pinned yet.
    Continue { pinned: usize },
    /// Wait for the new key: it was requested, or the old one was revoked.
    Wait { pinned: usize },
}

impl NextStep {
    /// The index of the certificate that will be replaced.
    pub(super) fn pinned(self) -> usize {
        match self {
            Self::Request { pinned } | Self::Continue { pinned } | Self::Wait { pinned } => pinned,
        }
    }
}

/// Decides the next step. Fails unless the cluster has the key of exactly one pinned certificate.
pub(super) fn next(observed: &Observed, pinned: &[KeyId], now: Timestamp) -> Result<NextStep> {
    let active = observed.active()?.id();
    // The certificate is pinned last, so a pinned active key means that no new one exists yet.
    if let Some(pinned) = pinned.iter().position(|id| *id == active) {
        return Ok(if observed.is_due(now) || observed.revokes(active) {
            NextStep::Wait { pinned }
        } else {
            NextStep::Request { pinned }
        });
    }
    // The active key is new. The controller replaces a revoked one by itself.
    let pinned = own(observed, pinned)?;
    Ok(if observed.revokes(active) {
        NextStep::Wait { pinned }
    } else {
        NextStep::Continue { pinned }
    })
}

/// The index of the one pinned certificate whose key belongs to this cluster.
pub(super) fn own(observed: &Observed, pinned: &[KeyId]) -> Result<usize> {
    let own: Vec<usize> = (0..pinned.len())
        .filter(|index| observed.holds(pinned[*index]))
        .collect();
    match own.as_slice() {
        [only] => Ok(*only),
        [] => Err(
            CommandError::user("no pinned certificate belongs to this cluster")
                .hint("check `--context`")
                .hint("pin the certificate of a new cluster with `sceau certificate fetch`"),
        ),
        _ => Err(
            CommandError::user("several pinned certificates belong to this cluster")
                .hint("keep one of them in sceau.yaml, and run this again"),
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

    /// An environment whose active key, the second one, was generated at noon.
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
    fn check(cutoff_time: Option<&str>, pinned: &[KeyId], expected: Option<NextStep>) {
        let now = "2026-01-03T12:00:00Z".parse().unwrap();
        assert_eq!(next(&observed(cutoff_time), pinned, now).ok(), expected);
    }

    #[test]
    fn each_step_follows_from_the_observed_state() {
        let [old, active] = ids();
        let pinned = 0;
        check(None, &[active], Some(NextStep::Request { pinned }));
        check(
            Some("2026-01-02T11:00:00Z"),
            &[active],
            Some(NextStep::Request { pinned }),
        );
        check(
            Some("2026-01-02T13:00:00Z"),
            &[active],
            Some(NextStep::Wait { pinned }),
        );
        check(
            Some("2026-01-04T13:00:00Z"),
            &[active],
            Some(NextStep::Request { pinned }),
        );
        check(None, &[old], Some(NextStep::Continue { pinned }));
        check(
            Some("2026-01-02T11:00:00Z"),
            &[old],
            Some(NextStep::Continue { pinned }),
        );
    }

    #[test]
    fn no_key_is_requested_in_place_of_a_revoked_one() {
        use crate::rekey::fixtures::{id, observed, status};
        let check = |keys: &str, revoked: &str, pinned: char, expected: NextStep| {
            let observed = observed(&status(keys), revoked);
            let now = "2026-01-03T12:00:00Z".parse().unwrap();
            assert_eq!(next(&observed, &[id(pinned)], now).ok(), Some(expected));
        };
        let pinned = 0;
        // The controller generates one by itself.
        check("A:Active:0", "A", 'A', NextStep::Wait { pinned });
        check(
            "A:Active:0 c:Retired:0",
            "Ac",
            'c',
            NextStep::Wait { pinned },
        );
        // The Secret of the revoked key was deleted.
        check("A:Active:0", "c", 'c', NextStep::Continue { pinned });
    }

    #[test]
    fn a_key_generated_a_moment_ago_is_replaced_too() {
        let instant = |now: &str| observed(None).cutoff(now.parse().unwrap()).to_string();
        assert_eq!(instant("2026-01-02T12:00:00.7Z"), "2026-01-02T12:00:01Z");
        assert_eq!(instant("2026-01-03T12:00:00Z"), "2026-01-03T12:00:01Z");
        // The local clock is behind the clock of the controller.
        assert_eq!(instant("2026-01-02T11:59:00Z"), "2026-01-02T12:00:01Z");
    }

    #[test]
    fn a_cluster_without_a_pinned_key_is_rejected() {
        let [old, _] = ids();
        check(None, &[], None);
        check(None, &[old, old], None);
    }
}
