use serde_json::{Value, json};

use super::*;
use crate::rekey::fixtures::{observed, pin, seal, status};

/// The result in one line: the number of old keys and what needs them or may, or the error.
fn found(status: &Value, revoked: &str, pinned: &str, seals: &[&str]) -> String {
    let pins: Vec<Pin> = pinned.chars().map(pin).collect();
    let seals: Vec<FoundSeal> = seals.iter().map(|letters| seal(letters)).collect();
    match old_keys(&observed(status, revoked), &pins, &seals) {
        Err(error) => error.message,
        Ok(old) => {
            let places = old.report().into_iter().map(|need| need.cells()[2].clone());
            let places: Vec<String> = places.collect();
            format!("{}: {}", old.ids.len(), places.join(" "))
        }
    }
}

#[test]
fn old_keys_are_the_retired_ones_that_are_not_revoked() {
    let check = |keys: &str, revoked: &str, expected: &str| {
        assert_eq!(found(&status(keys), revoked, "A", &[]), expected, "{keys}");
    };
    check("A:Active:3", "", "0: ");
    check("A:Active:3 c:Retired:0", "", "1: ");
    check("A:Active:3 c:Retired:0 d:Retired:0", "", "2: ");
    check("A:Active:3 c:Retired:0 d:Revoked:2", "d", "1: ");
    // The controller has not observed the revocation yet.
    check("A:Active:3 c:Retired:2", "c", "0: ");
}

#[test]
fn a_key_is_needed_by_what_it_decrypts_and_the_active_key_does_not() {
    let check = |decrypted: u32, seals: &[&str], expected: &str| {
        let keys = status(&format!("A:Active:1 c:Retired:{decrypted} d:Retired:0"));
        assert_eq!(found(&keys, "", "AB", seals), expected, "{seals:?}");
    };
    check(0, &["A", "AB", "Ac", "cA", "B", "e", ""], "2: ");
    check(2, &["A"], "2: the cluster");
    check(0, &["c", "A"], "2: c.yaml:1");
    check(0, &["cd"], "2: cd.yaml:1 cd.yaml:1");
    // The key of another cluster does not help here.
    check(0, &["cB"], "2: cB.yaml:1");
    check(1, &["?", "d"], "2: the cluster d.yaml:1 ?.yaml:1");
}

#[test]
fn an_unfinished_re_keying_and_another_cluster_are_rejected() {
    let check = |keys: &str, revoked: &str, pinned: &str, expected: &str| {
        let found = found(&status(keys), revoked, pinned, &[]);
        assert!(found.contains(expected), "{found}");
    };
    let keys = "A:Active:0 B:Retired:0";
    check(keys, "", "B", "the re-keying is unfinished");
    check(keys, "A", "A", "the re-keying is unfinished");
    check(keys, "", "AB", "B.pem pins an old key");
    check(keys, "B", "AB", "B.pem pins an old key");
    check("A:Active:0", "", "B", "to this cluster");
    check("A:Active:0", "", "", "to this cluster");
}

#[test]
fn outdated_counts_are_not_relied_on() {
    let keys = "A:Active:0 c:Retired:0";
    let check = |field: &str, value: Value, expected: &str| {
        let mut status = status(keys);
        *status.pointer_mut(field).unwrap() = value;
        assert!(found(&status, "", "A", &[]).contains(expected), "{field}");
        // With nothing to revoke, nothing has to be counted.
        assert_eq!(found(&status, "c", "A", &[]), "0: ", "{field}");
    };
    check("/observedGeneration", json!(1), "the latest change");
    check("/conditions/0/status", json!("False"), "is not ready");
    check("/conditions", json!([]), "is not ready");
}
