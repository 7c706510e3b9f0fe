use serde_json::Value;

use super::*;
use crate::rekey::fixtures::{id, ids, observed, seal, status};

#[track_caller]
fn check(status: &Value, revoked: &str, pinned: &str, expected: Option<&RevocationStep>) {
    let pinned: Vec<KeyId> = pinned.chars().map(id).collect();
    let step = revocation_step(&observed(status, revoked), &pinned).ok();
    assert_eq!(step.as_ref(), expected);
}

#[test]
fn every_key_is_revoked_and_then_the_next_one_pinned() {
    let before = status("A:Active:3 c:Retired:0 d:Revoked:0");
    check(&before, "d", "A", Some(&RevocationStep::Revoke(ids("Ac"))));
    check(&before, "d", "eA", Some(&RevocationStep::Revoke(ids("Ac"))));
    // A re-keying that was not finished: the key in use is the older one.
    check(&before, "d", "c", Some(&RevocationStep::Revoke(ids("Ac"))));
    // The controller has not observed the revocation yet, or has not generated a key yet.
    check(&before, "Acd", "A", Some(&RevocationStep::Replace(0)));
    check(&before, "Acd", "eA", Some(&RevocationStep::Replace(1)));
    let mut none = status("B:Revoked:3");
    none["certificate"].take();
    check(&none, "B", "B", Some(&RevocationStep::Replace(0)));
    // The new key exists.
    let after = status("A:Active:0 c:Revoked:3 d:Revoked:0");
    check(&after, "cd", "ec", Some(&RevocationStep::Replace(1)));
    // Its Secret was deleted in the meantime.
    check(
        &status("A:Active:0"),
        "c",
        "c",
        Some(&RevocationStep::Replace(0)),
    );
}

#[test]
fn a_key_generated_after_the_pinned_one_was_revoked_stays() {
    let half = status("A:Active:0 c:Revoked:3 d:Retired:1");
    check(&half, "c", "c", Some(&RevocationStep::Revoke(ids("d"))));
}

#[test]
fn a_second_run_after_pinning_revokes_the_new_key_too() {
    let done = status("A:Active:3 c:Revoked:0");
    check(&done, "c", "A", Some(&RevocationStep::Revoke(ids("A"))));
}

#[test]
fn a_cluster_with_no_pinned_key_or_with_several_is_rejected() {
    let keys = status("A:Active:3 c:Retired:0 d:Retired:0");
    check(&keys, "", "", None);
    check(&keys, "", "e", None);
    check(&keys, "", "cd", None);
}

#[test]
fn seals_that_only_revoked_keys_decrypted_are_broken() {
    let pinned = [id('A'), id('e')];
    let remaining = |active: Option<KeyId>| RemainingKeys {
        revoked: ids("cd").into_iter().collect(),
        active,
        pinned: &pinned,
    };
    let decryptable = |letters: &str, active: Option<KeyId>| {
        let broken = remaining(active).broken(&[seal(letters)]);
        broken.first().map(|broken| broken.decryptable)
    };
    for (letters, expected) in [
        ("A", None),
        ("cA", None),
        ("c", Some(Decryptable::Nowhere)),
        ("cd", Some(Decryptable::Nowhere)),
        // The pinned key of another cluster decrypts it there. An unpinned key is of no cluster.
        ("ce", Some(Decryptable::Elsewhere)),
        ("cf", Some(Decryptable::Nowhere)),
        // This cluster did not decrypt it before.
        ("e", None),
        ("", None),
        ("?", Some(Decryptable::Unknown)),
    ] {
        assert_eq!(decryptable(letters, Some(id('A'))), expected, "{letters}");
    }
    assert_eq!(decryptable("cA", None), Some(Decryptable::Elsewhere));
    assert_eq!(decryptable("d", Some(id('d'))), Some(Decryptable::Nowhere));
}
