use serde_json::Value;

use super::*;
use crate::rekey::fixtures::{id, ids, observed, seal, status};

#[track_caller]
fn check(status: &Value, revoked: &str, pinned: &str, expected: Option<&Step>) {
    let pinned: Vec<KeyId> = pinned.chars().map(id).collect();
    let step = step(&observed(status, revoked), &pinned).ok();
    assert_eq!(step.as_ref(), expected);
}

#[test]
fn every_key_is_revoked_and_then_the_next_one_pinned() {
    let before = status("A:Active:3 c:Retired:0 d:Revoked:0");
    check(&before, "d", "A", Some(&Step::Revoke(ids("Ac"))));
    check(&before, "d", "eA", Some(&Step::Revoke(ids("Ac"))));
    // A re-keying that was not finished: the key in use is the older one.
    check(&before, "d", "c", Some(&Step::Revoke(ids("Ac"))));
    // The controller has not seen the revocation yet, or has not made a key yet.
    check(&before, "Acd", "A", Some(&Step::Replace(0)));
    check(&before, "Acd", "eA", Some(&Step::Replace(1)));
    let mut none = status("B:Revoked:3");
    none["certificate"].take();
    check(&none, "B", "B", Some(&Step::Replace(0)));
    // The new key is there.
    let after = status("A:Active:0 c:Revoked:3 d:Revoked:0");
    check(&after, "cd", "ec", Some(&Step::Replace(1)));
    // Its Secret was deleted in the meantime.
    check(&status("A:Active:0"), "c", "c", Some(&Step::Replace(0)));
}

#[test]
fn a_key_that_was_made_after_the_pinned_one_was_revoked_stays() {
    let half = status("A:Active:0 c:Revoked:3 d:Retired:1");
    check(&half, "c", "c", Some(&Step::Revoke(ids("d"))));
}

#[test]
fn said_again_of_the_new_key_it_is_revoked_too() {
    let done = status("A:Active:3 c:Revoked:0");
    check(&done, "c", "A", Some(&Step::Revoke(ids("A"))));
}

#[test]
fn a_cluster_that_has_no_pinned_key_or_several_is_refused() {
    let keys = status("A:Active:3 c:Retired:0 d:Retired:0");
    check(&keys, "", "", None);
    check(&keys, "", "e", None);
    check(&keys, "", "cd", None);
}

#[test]
fn what_revoked_keys_alone_opened_here_is_broken() {
    let pinned = [id('A'), id('e')];
    let opening = |active: Option<KeyId>| Opening {
        revoked: ids("cd").into_iter().collect(),
        active,
        pinned: &pinned,
    };
    let opens = |letters: &str, active: Option<KeyId>| {
        let broken = opening(active).broken(&[seal(letters)]);
        broken.first().map(|broken| broken.opens)
    };
    for (letters, expected) in [
        ("A", None),
        ("cA", None),
        ("c", Some(Opens::Nowhere)),
        ("cd", Some(Opens::Nowhere)),
        // Another cluster's key that is pinned opens it there, and one that is not is nobody's.
        ("ce", Some(Opens::Elsewhere)),
        ("cf", Some(Opens::Nowhere)),
        // It did not open here before.
        ("e", None),
        ("", None),
        ("?", Some(Opens::Unknown)),
    ] {
        assert_eq!(opens(letters, Some(id('A'))), expected, "{letters}");
    }
    assert_eq!(opens("cA", None), Some(Opens::Elsewhere));
    assert_eq!(opens("d", Some(id('d'))), Some(Opens::Nowhere));
}
