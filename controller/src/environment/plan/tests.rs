use serde_json::{Value, json};

use super::*;
use crate::{
    fixtures::{Given, KEYS, at, for_shop, received_environment, revoking, stored_key},
    keys::key_secret::{KeySecret, StoredKey, UnusableKey},
};

const NOW: &str = "2026-06-02T00:00:00Z";

fn environment(spec: &Value) -> ReceivedEnvironment {
    received_environment("prod", spec.clone())
}

/// SealedSecrets whose seals are wrapped for these keys.
fn sealed_for(keys: &[&[&[usize]]]) -> Vec<Recipients> {
    let id = |index: &usize| KEYS[*index].id();
    let seals = |seals: &&[&[usize]]| {
        let seals = seals.iter();
        seals
            .map(|seal| seal.iter().map(id).collect())
            .collect::<Vec<_>>()
    };
    (1..)
        .zip(keys)
        .map(|(number, it)| Recipients {
            sealed_secret: format!("shop/api-{number}"),
            seals: seals(it),
        })
        .collect()
}

fn plan_for(spec: &Value, given: Given, recipients: &[Recipients]) -> Plan {
    let store = given.environment("prod", spec.clone()).store();
    plan(
        &Observed {
            environment: &environment(spec),
            store: &store,
            recipients,
        },
        at(NOW),
    )
}

/// Reason and statuses of the conditions.
fn conditions(status: &EnvironmentStatus) -> String {
    let of_each = status.conditions.iter().map(|condition| {
        format!(
            "{}={} {}",
            condition.type_, condition.status, condition.reason
        )
    });
    of_each.collect::<Vec<_>>().join(", ")
}

#[test]
fn the_first_key_is_ordered_with_the_default_size() {
    let spec = for_shop();
    let plan = plan_for(&spec, Given::default(), &[]);
    let new_key = plan.new_key.clone().unwrap();
    assert_eq!(
        (new_key.secret.as_str(), new_key.bits),
        ("sceau-prod-first", 4096)
    );
    assert_eq!(new_key.created_at, at(NOW));
    let status = plan.status(&environment(&spec), None, at(NOW));
    assert_eq!(
        conditions(&status),
        "Ready=Unknown GeneratingKey, Reconciling=True GeneratingKey"
    );
    assert_eq!(status.certificate, None);
}

#[test]
fn the_status_shows_the_active_key_and_its_count() {
    let spec = json!({"namespaces": ["shop"], "sealingKeys": {"bits": 2048}});
    let given = Given::default()
        .sealing_key(0, "prod", "2026-06-01T00:00:00Z")
        .sealing_key(1, "prod", "2026-05-01T00:00:00Z");
    let recipients = sealed_for(&[
        &[&[0]],
        // Two seals of one SealedSecret count once. A SealedSecret that another key decrypts does
        // not count.
        &[&[2, 0, 1], &[0]],
        &[&[1, 0]],
        &[&[2]],
    ]);
    let plan = plan_for(&spec, given, &recipients);
    assert_eq!(plan.new_key, None);
    assert_eq!(plan.next, Requeue::After(Duration::from_hours(29 * 24)));
    let status = plan.status(&environment(&spec), None, at(NOW));
    assert_eq!(conditions(&status), "Ready=True KeysReady");
    assert_eq!(status.observed_generation, Some(3));
    assert_eq!(status.certificate.as_deref(), Some("certificate 0"));
    let counts: Vec<_> = status
        .sealing_keys
        .iter()
        .map(|key| (key.state, key.sealed_secrets))
        .collect();
    assert_eq!(
        counts,
        [(SealingKeyState::Active, 2), (SealingKeyState::Retired, 1)]
    );
}

#[test]
fn a_key_is_never_younger_than_the_one_it_replaces() {
    let spec = revoking(&[0]);
    let given = Given::default().sealing_key(0, "prod", "2026-06-02T00:00:05Z");
    let new_key = plan_for(&spec, given, &[]).new_key.unwrap();
    assert_eq!(
        new_key.secret,
        format!("sceau-prod-after-{}", KEYS[0].id().short())
    );
    assert_eq!(new_key.created_at, at("2026-06-02T00:00:05Z"));
}

#[test]
fn what_means_nothing_stalls_and_keeps_the_keys() {
    for spec in [
        json!({"sealingKeys": {"renewPeriod": "monthly"}}),
        json!({"namespaceSelector": {"matchExpressions": [{"key": "a", "operator": "Like"}]}}),
    ] {
        let given = Given::default().sealing_key(0, "prod", "2026-06-01T00:00:00Z");
        let plan = plan_for(&spec, given, &[]);
        let status = plan.status(&environment(&spec), None, at(NOW));
        assert_eq!(
            conditions(&status),
            "Ready=False Invalid, Stalled=True Invalid"
        );
        assert_eq!(status.sealing_keys.len(), 1);
    }
}

#[test]
fn an_invalid_spec_stalls_and_keeps_the_keys_of_the_last_status() {
    let spec =
        json!({"namespaces": ["shop"], "sealingKeys": {"cutoffTime": "2026-01-01T23:59:59+99:00"}});
    let given = Given::default().sealing_key(0, "prod", "2026-06-01T00:00:00Z");
    let store = given.environment("prod", spec.clone()).store();
    let last_status = EnvironmentStatus {
        certificate: Some("certificate 0".to_owned()),
        ..EnvironmentStatus::default()
    };
    let environment = ReceivedEnvironment {
        status: Some(last_status),
        ..environment(&spec)
    };
    let observed = Observed {
        environment: &environment,
        store: &store,
        recipients: &[],
    };
    let plan = plan(&observed, at(NOW));
    assert_eq!(plan.new_key, None);
    let status = plan.status(&environment, None, at(NOW));
    assert_eq!(
        conditions(&status),
        "Ready=False Invalid, Stalled=True Invalid"
    );
    assert_eq!(status.certificate.as_deref(), Some("certificate 0"));
}

#[test]
fn an_environment_that_only_one_watch_has_seen_waits_for_the_other() {
    let store = ClusterStore::default();
    let spec = for_shop();
    let observed = Observed {
        environment: &environment(&spec),
        store: &store,
        recipients: &[],
    };
    assert_eq!(plan(&observed, at(NOW)).new_key, None);
}

#[test]
fn a_failed_generation_is_reported_and_retried() {
    let spec = json!({"namespaces": ["shop"]});
    let plan = plan_for(&spec, Given::default(), &[]);
    for (failure, reason) in [
        (
            GenerateKeyError::Exists("sceau-prod-first".to_owned()),
            "KeySecretExists",
        ),
        (
            GenerateKeyError::Generate(UnusableKey::Mismatch),
            "ApiError",
        ),
    ] {
        let status = plan.status(&environment(&spec), Some(&failure), at(NOW));
        assert_eq!(
            conditions(&status),
            format!("Ready=False {reason}, Reconciling=True {reason}")
        );
    }
}

/// Key 0, with the label for keys in use or without.
fn marked(is_marked_in_use: bool) -> Given {
    let known = StoredKey {
        is_marked_in_use,
        ..stored_key(0, "prod", "2026-06-01T00:00:00Z")
    };
    Given::default().key_secret("prod-0", KeySecret::Usable(known))
}

#[test]
fn a_key_secret_is_marked_when_the_mark_is_wrong_and_only_then() {
    let spec = for_shop();
    let revoked = revoking(&[0]);
    let used = sealed_for(&[&[&[0]]]);
    let unused = sealed_for(&[&[&[1]]]);
    for (spec, marked_before, recipients, expected) in [
        (&spec, false, &used, Some(true)),
        (&spec, true, &used, None),
        (&spec, true, &unused, Some(false)),
        (&spec, false, &unused, None),
        (&revoked, true, &used, Some(false)),
    ] {
        let plan = plan_for(spec, marked(marked_before), recipients);
        let marks: Vec<_> = plan.marks.iter().map(|mark| mark.is_in_use).collect();
        assert_eq!(marks, Vec::from_iter(expected), "{spec} {marked_before}");
        assert!(plan.marks.iter().all(|mark| mark.secret == "prod-0"));
    }
}

#[test]
fn a_key_that_was_in_use_and_is_gone_is_lost() {
    let spec = for_shop();
    let store = Given::default()
        .environment("prod", spec.clone())
        .sealing_key(0, "prod", "2026-06-01T00:00:00Z")
        .store();
    let counted = |index: usize, sealed_secrets: u32| SealingKeyStatus {
        sealed_secrets,
        ..key_status(index, SealingKeyState::Retired)
    };
    let revoked = SealingKeyStatus {
        state: SealingKeyState::Revoked,
        ..counted(1, 2)
    };
    let lost = |before: Vec<SealingKeyStatus>| {
        let observed = Observed {
            environment: &environment_with(&spec, before),
            store: &store,
            recipients: &[],
        };
        plan(&observed, at(NOW)).lost_keys
    };
    assert_eq!(lost(vec![counted(0, 3), counted(1, 2)]), [counted(1, 2)]);
    assert_eq!(lost(vec![counted(0, 3), counted(1, 0)]), []);
    assert_eq!(lost(vec![counted(0, 3), revoked]), []);
    assert_eq!(lost(Vec::new()), []);
}

/// The last status of a key.
fn key_status(index: usize, state: SealingKeyState) -> SealingKeyStatus {
    SealingKeyStatus {
        key_id: KEYS[index].id().to_string(),
        state,
        created_at: Time(at(NOW)),
        not_after: Time(at(NOW)),
        sealed_secrets: 0,
    }
}

/// An Environment with these keys in its last status.
fn environment_with(spec: &Value, sealing_keys: Vec<SealingKeyStatus>) -> ReceivedEnvironment {
    ReceivedEnvironment {
        status: Some(EnvironmentStatus {
            sealing_keys,
            ..EnvironmentStatus::default()
        }),
        ..environment(spec)
    }
}

#[test]
fn a_new_revocation_is_reported_with_the_sealed_secrets_that_need_the_key() {
    use SealingKeyState::{Active, Retired, Revoked};
    let spec = revoking(&[1, 2]);
    let recipients = sealed_for(&[
        &[&[1]],
        // SealedSecrets that another key decrypts too are not affected.
        &[&[1, 0]],
        // One undecryptable seal is enough to affect all of them.
        &[&[0], &[2, 1]],
        &[&[0]],
    ]);
    let store = [0, 1, 2]
        .into_iter()
        .fold(Given::default(), |given, index| {
            given.sealing_key(index, "prod", "2026-06-01T00:00:00Z")
        })
        .environment("prod", spec.clone())
        .store();
    let affected_by = |before: Vec<SealingKeyStatus>| {
        let observed = Observed {
            environment: &environment_with(&spec, before),
            store: &store,
            recipients: &recipients,
        };
        let plan = plan(&observed, at(NOW));
        let counts = plan.sealing_keys.iter();
        let counts: Vec<_> = counts.map(|key| (key.state, key.sealed_secrets)).collect();
        assert_eq!(counts[0], (Active, 3));
        assert!(counts.contains(&(Revoked, 2)) && counts.contains(&(Revoked, 1)));
        plan.revocations
    };
    let one = Revocation {
        key_id: KEYS[1].id().to_string(),
        affected: vec!["shop/api-1".to_owned(), "shop/api-3".to_owned()],
    };
    let two = Revocation {
        key_id: KEYS[2].id().to_string(),
        affected: vec!["shop/api-3".to_owned()],
    };
    assert_eq!(
        affected_by(vec![key_status(1, Active), key_status(2, Revoked)]),
        [one]
    );
    assert_eq!(
        affected_by(vec![key_status(1, Revoked), key_status(2, Retired)]),
        [two]
    );
    assert_eq!(
        affected_by(vec![key_status(1, Revoked), key_status(2, Revoked)]),
        []
    );
    // A key that no status showed as usable is not reported.
    assert_eq!(affected_by(vec![key_status(0, Active)]), []);
}
