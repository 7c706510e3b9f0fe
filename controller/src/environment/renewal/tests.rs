use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::{
    fixtures::{KEYS, at, stored_key},
    keys::key_secret::StoredKey,
};

fn decide(settings: Value, keys: &[(&StoredKey, SealingKeyState)], now: &str) -> Renewal {
    let settings = serde_json::from_value(settings).unwrap();
    let keys: Vec<_> = keys
        .iter()
        .map(|&(stored, state)| KeyWithState { stored, state })
        .collect();
    renewal(&settings, &keys, at(now)).unwrap()
}

/// The decision about a key of the first of June and an older one.
fn decide_about_june(settings: Value, now: &str) -> Renewal {
    let new = stored_key(0, "prod", "2026-06-01T00:00:00Z");
    let old = stored_key(1, "prod", "2026-01-01T00:00:00Z");
    let keys = [
        (&new, SealingKeyState::Active),
        (&old, SealingKeyState::Retired),
    ];
    decide(settings, &keys, now)
}

fn replace() -> Renewal {
    let replaced = Some(KEYS[0].id());
    Renewal::Generate { replaced }
}

fn wait(until: &str) -> Renewal {
    Renewal::Wait(Some(at(until)))
}

#[test]
fn an_environment_without_keys_gets_its_first() {
    let first = Renewal::Generate { replaced: None };
    assert_eq!(decide(json!({}), &[], "2026-06-02T00:00:00Z"), first);
}

#[test]
fn a_revoked_key_is_replaced_although_nothing_is_due() {
    let new = stored_key(0, "prod", "2026-06-01T00:00:00Z");
    let old = stored_key(1, "prod", "2026-01-01T00:00:00Z");
    let keys = [
        (&new, SealingKeyState::Revoked),
        (&old, SealingKeyState::Retired),
    ];
    assert_eq!(
        decide(json!({"renewPeriod": "0s"}), &keys, "2026-06-02T00:00:00Z"),
        replace()
    );
}

#[test]
fn a_key_is_replaced_at_its_age() {
    for (every, now, expected) in [
        (
            json!(null),
            "2026-06-02T00:00:00Z",
            wait("2026-07-01T00:00:00Z"),
        ),
        (json!(null), "2026-07-01T00:00:00Z", replace()),
        (
            json!("48h"),
            "2026-06-02T23:59:59Z",
            wait("2026-06-03T00:00:00Z"),
        ),
        (json!("48h"), "2026-06-03T00:00:00Z", replace()),
        (json!("0s"), "2099-01-01T00:00:00Z", Renewal::Wait(None)),
    ] {
        let settings = json!({"renewPeriod": every});
        assert_eq!(
            decide_about_june(settings, now),
            expected,
            "{every} at {now}"
        );
    }
}

#[test]
fn re_keying_replaces_what_is_older_and_not_before_its_time() {
    for (before, now, expected) in [
        ("2026-06-02T00:00:00Z", "2026-06-02T00:00:00Z", replace()),
        (
            "2026-06-02T00:00:00Z",
            "2026-06-01T12:00:00Z",
            wait("2026-06-02T00:00:00Z"),
        ),
        (
            "2026-06-01T00:00:00Z",
            "2026-06-01T12:00:00Z",
            Renewal::Wait(None),
        ),
    ] {
        let settings = json!({"cutoffTime": before, "renewPeriod": "0s"});
        assert_eq!(
            decide_about_june(settings, now),
            expected,
            "{before} at {now}"
        );
    }
    let both = json!({"cutoffTime": "2026-06-20T00:00:00Z", "renewPeriod": "24h"});
    assert_eq!(
        decide_about_june(both, "2026-06-01T12:00:00Z"),
        wait("2026-06-02T00:00:00Z")
    );
}

#[test]
fn what_is_no_duration_is_refused() {
    let settings = serde_json::from_value(json!({"renewPeriod": "monthly"})).unwrap();
    assert!(renewal(&settings, &[], Timestamp::UNIX_EPOCH).is_err());
}

proptest! {
    /// A key that was generated now is never replaced at once, whatever the settings are.
    #[test]
    fn a_renewal_is_enough(now in 0_i64..4_000_000_000, before in 0_i64..4_000_000_000, hours in 0_u32..10_000) {
        let now = Timestamp::from_second(now).unwrap();
        let before = Timestamp::from_second(before).unwrap();
        let settings = serde_json::from_value(json!({
            "renewPeriod": format!("{hours}h"),
            "cutoffTime": before.to_string(),
        })).unwrap();
        let new = StoredKey { created_at: now, not_before: now, ..stored_key(0, "prod", "2026-01-01T00:00:00Z") };
        let keys = [KeyWithState { stored: &new, state: SealingKeyState::Active }];
        let decided = renewal(&settings, &keys, now).unwrap();
        prop_assert!(matches!(decided, Renewal::Wait(_)), "{decided:?}");
    }
}
