use sealing::resource::SealedSecret;
use serde_json::{Value, json};

use super::*;
use crate::manifest;

const SINCE: &str = "2026-06-01T12:00:00Z";
const NOW: &str = "2026-06-10T12:00:00Z";
const DAY: &str = "2026-06-10";

fn instant(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn entry(more: Value) -> Entry {
    let mut entry = json!({
        "environment": "prod", "namespace": "shop", "name": "api", "item": "PIN",
        "file": "a.yaml", "why": ["operated"], "since": SINCE, "exposedTags": ["old"],
    });
    let Value::Object(more) = more else {
        return serde_json::from_value(entry).unwrap();
    };
    entry.as_object_mut().unwrap().extend(more);
    serde_json::from_value(entry).unwrap()
}

/// Items with these tag suffixes and times; in the kubeseal format without a time.
fn held(items: &[(&str, Option<&str>)]) -> Vec<Occurrence> {
    let occurrence = |(text, sealed_at): &(&str, Option<&str>)| {
        let manifest = match sealed_at {
            Some(at) => format!(
                "apiVersion: sceau.dev/v1alpha1\nkind: SealedSecret\nmetadata: {{name: api, namespace: shop}}\nspec:\n  environment: prod\n  scope: strict\n  seals:\n  - {{sealedAt: '{at}', commitment: x, recipients: [], items: {{PIN: {text}}}}}\n"
            ),
            None => format!(
                "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata: {{name: api, namespace: shop}}\nspec: {{encryptedData: {{PIN: {text}}}}}\n"
            ),
        };
        let (items, faults) = inventory::read("a.yaml", &manifest);
        assert!(faults.is_empty(), "{faults:?}");
        let sealed = items.into_iter().next().unwrap();
        let file = "a.yaml".to_owned();
        Occurrence { file, sealed }
    };
    items.iter().map(occurrence).collect()
}

const LATER: Option<&str> = Some("2026-06-02T00:00:00Z");
const BEFORE: Option<&str> = Some("2026-06-01T12:00:00Z");

#[track_caller]
fn check(more: Value, items: &[(&str, Option<&str>)], expected: State) {
    let state = judge(&entry(more), &held(items), &[], instant(NOW));
    assert_eq!(state, expected);
}

fn rotated_by(evidence: Evidence) -> State {
    State::Rotated(instant("2026-06-02T00:00:00Z"), evidence)
}

#[test]
fn a_newer_seal_with_another_text_rotates_a_value() {
    check(json!({}), &[("new", LATER)], rotated_by(Evidence::Seal));
    check(json!({}), &[("new", BEFORE)], State::NotRotated);
    // `sealedAt` is not authenticated, and the same text has the same value.
    check(json!({}), &[("old", LATER)], State::SameText);
    check(
        json!({}),
        &[("new", Some("2026-06-10T13:00:00Z"))],
        State::InFuture,
    );
    check(json!({}), &[("new", Some("soon"))], State::NotRotated);
    let near = Some("2026-06-10T12:04:00Z");
    let at = instant("2026-06-10T12:04:00Z");
    check(
        json!({}),
        &[("new", near)],
        State::Rotated(at, Evidence::Seal),
    );
}

#[test]
fn a_value_is_rotated_only_if_every_occurrence_is() {
    check(
        json!({}),
        &[("new", LATER), ("newer", Some(NOW))],
        rotated_by(Evidence::Seal),
    );
    check(
        json!({}),
        &[("new", LATER), ("older", BEFORE)],
        State::NotRotated,
    );
    check(
        json!({}),
        &[("new", LATER), ("old", BEFORE)],
        State::SameText,
    );
}

#[test]
fn what_files_do_not_show_is_open_until_it_is_confirmed() {
    let confirmed = || json!({"confirmed": DAY});
    check(json!({}), &[], State::Gone);
    check(confirmed(), &[], State::Confirmed);
    check(json!({}), &[("new", None)], State::Bitnami);
    let by_text = || json!({"confirmed": DAY, "confirmedText": "new"});
    check(by_text(), &[("new", None)], State::Confirmed);
    // Another text may be the old value, encrypted again.
    check(by_text(), &[("newer", None)], State::Bitnami);
    check(by_text(), &[("new", None), ("newer", None)], State::Bitnami);
    check(confirmed(), &[("new", None)], State::Bitnami);
    // A manifest that was put back outweighs the confirmation.
    check(confirmed(), &[("old", None)], State::SameText);
    check(confirmed(), &[("older", BEFORE)], State::NotRotated);
    // An item that was rotated and then removed is done.
    check(
        json!({"rotated": "2026-06-02T00:00:00Z"}),
        &[],
        rotated_by(Evidence::Seal),
    );
}

#[test]
fn the_controller_overrides_the_files() {
    let judged = |more, evidence: &[ClusterEvidence]| {
        judge(
            &entry(more),
            &held(&[("new", LATER)]),
            evidence,
            instant(NOW),
        )
    };
    let new = || json!({});
    assert_eq!(
        judged(new(), &[ClusterEvidence::Unchanged]),
        State::Unchanged
    );
    assert_eq!(
        judged(new(), &[ClusterEvidence::Silent]),
        rotated_by(Evidence::Seal)
    );
    assert_eq!(
        judged(new(), &[ClusterEvidence::Differs]),
        rotated_by(Evidence::Controller)
    );
    // An earlier report about this value still holds when the cluster is not read.
    let reported = json!({"rotated": "2026-06-02T00:00:00Z", "knownBy": "controller"});
    assert_eq!(judged(reported, &[]), rotated_by(Evidence::Controller));
}

#[test]
fn an_earlier_report_of_the_controller_holds_without_it() {
    let unchanged = || json!({"unchanged": "new"});
    check(unchanged(), &[("new", LATER)], State::Unchanged);
    check(unchanged(), &[("newer", LATER)], rotated_by(Evidence::Seal));
    let before = list(&[entry(json!({}))]);
    let text = manifest::edit(&before.to_text().unwrap(), &[remark(0, "new")]).unwrap();
    let after: List = manifest::read_document(&text).unwrap();
    assert_eq!(after.items[0].unchanged.as_deref(), Some("new"));
}

fn live(status: &Value) -> SealedSecret {
    serde_json::from_value(json!({
        "apiVersion": "sceau.dev/v1alpha1",
        "kind": "SealedSecret",
        "metadata": {"name": "api", "namespace": "shop", "generation": 3},
        "spec": {"environment": "prod", "scope": "strict", "seals": [
            {"sealedAt": "2026-06-02T00:00:00Z", "commitment": "x", "recipients": [], "items": {"PIN": "new"}}
        ]},
        "status": status,
    }))
    .unwrap()
}

fn done(more: Value) -> Value {
    let mut status = json!({
        "observedGeneration": 3,
        "conditions": [{"type": "Ready", "status": "True", "reason": "Unsealed", "message": "", "lastTransitionTime": NOW}],
    });
    let Value::Object(more) = more else {
        return status;
    };
    status.as_object_mut().unwrap().extend(more);
    status
}

#[test]
fn a_status_counts_only_if_it_is_finished_and_has_this_text() {
    let unchanged = |since: &str| json!({"unchanged": [{"item": "PIN", "since": since}], "comparedSince": SINCE});
    let compared = || json!({"comparedSince": SINCE});
    let reported = |status, tag_suffix: &str| {
        cluster_evidence(&live(&status), "PIN", tag_suffix, instant(SINCE))
    };
    assert_eq!(
        reported(done(unchanged("2026-05-01T00:00:00Z")), "new"),
        ClusterEvidence::Unchanged
    );
    assert_eq!(
        reported(done(unchanged("no time")), "new"),
        ClusterEvidence::Unchanged
    );
    assert_eq!(reported(done(compared()), "new"), ClusterEvidence::Differs);
    // The values cannot be compared, or not with the exposed ones.
    assert_eq!(reported(done(json!({})), "new"), ClusterEvidence::Silent);
    let later = json!({"comparedSince": LATER});
    assert_eq!(reported(done(later), "new"), ClusterEvidence::Silent);
    // The value was rotated in time, and then sealed again.
    assert_eq!(
        reported(done(unchanged("2026-06-01T13:00:00Z")), "new"),
        ClusterEvidence::Differs
    );
    // The files have another text; the controller has not observed it; it was not unsealed.
    assert_eq!(reported(done(compared()), "other"), ClusterEvidence::Silent);
    assert_eq!(
        reported(
            done(json!({"comparedSince": SINCE, "observedGeneration": 2})),
            "new"
        ),
        ClusterEvidence::Silent
    );
    assert_eq!(
        reported(
            done(json!({"comparedSince": SINCE, "conditions": []})),
            "new"
        ),
        ClusterEvidence::Silent
    );
    assert_eq!(reported(Value::Null, "new"), ClusterEvidence::Silent);
}

fn list(items: &[Entry]) -> List {
    serde_json::from_value(json!({
        "person": "alice", "left": "2026-06-01", "since": SINCE, "deadline": "2026-07-01",
        "items": items,
    }))
    .unwrap()
}

/// The list after its marks were written for these states.
fn marked(list: &List, states: &[State]) -> List {
    let text = list.to_text().unwrap();
    let settings = marks(list, states, DAY.parse().unwrap());
    let text = manifest::edit(&text, &settings).unwrap();
    manifest::read_document(&text).unwrap()
}

#[test]
fn marks_are_written_and_removed_and_the_last_one_closes_the_list() {
    let rotated = rotated_by(Evidence::Seal);
    let new = list(&[entry(json!({})), entry(json!({"item": "TOKEN"}))]);
    let half = marked(&new, &[rotated, State::Gone]);
    assert_eq!(half.items[0].rotated, Some(instant("2026-06-02T00:00:00Z")));
    assert_eq!(
        (half.items[0].known_by, half.closed),
        (Some(Evidence::Seal), None)
    );
    assert_eq!(marked(&half, &[rotated, State::Gone]), half);
    let whole = marked(&half, &[rotated_by(Evidence::Controller), State::Confirmed]);
    assert_eq!(whole.items[0].known_by, Some(Evidence::Controller));
    assert_eq!(
        whole.closed.map(|day| day.to_string()).as_deref(),
        Some(DAY)
    );
    let again = marked(&whole, &[State::NotRotated, State::Confirmed]);
    assert_eq!(
        (
            again.items[0].rotated,
            again.items[0].known_by,
            again.closed
        ),
        (None, None, None)
    );
}
