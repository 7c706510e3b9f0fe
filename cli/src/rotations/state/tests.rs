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
        "file": "a.yaml", "why": ["operated"], "since": SINCE, "seen": ["old"],
    });
    let Value::Object(more) = more else {
        return serde_json::from_value(entry).unwrap();
    };
    entry.as_object_mut().unwrap().extend(more);
    serde_json::from_value(entry).unwrap()
}

/// Native items that end so and were sealed then; of the original's without a time.
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

fn renewed_by(evidence: Evidence) -> State {
    State::Renewed(instant("2026-06-02T00:00:00Z"), evidence)
}

#[test]
fn a_value_is_renewed_by_a_newer_seal_and_another_text() {
    check(json!({}), &[("new", LATER)], renewed_by(Evidence::Seal));
    check(json!({}), &[("new", BEFORE)], State::NotRenewed);
    // Nobody vouches for sealedAt, and the same text is the same value.
    check(json!({}), &[("old", LATER)], State::SameText);
    check(
        json!({}),
        &[("new", Some("2026-06-10T13:00:00Z"))],
        State::InFuture,
    );
    check(json!({}), &[("new", Some("soon"))], State::NotRenewed);
    let near = Some("2026-06-10T12:04:00Z");
    let at = instant("2026-06-10T12:04:00Z");
    check(
        json!({}),
        &[("new", near)],
        State::Renewed(at, Evidence::Seal),
    );
}

#[test]
fn it_is_renewed_wherever_it_stands_or_not_at_all() {
    check(
        json!({}),
        &[("new", LATER), ("newer", Some(NOW))],
        renewed_by(Evidence::Seal),
    );
    check(
        json!({}),
        &[("new", LATER), ("older", BEFORE)],
        State::NotRenewed,
    );
    check(
        json!({}),
        &[("new", LATER), ("old", BEFORE)],
        State::SameText,
    );
}

#[test]
fn what_no_file_tells_is_open_until_somebody_confirms_it() {
    let confirmed = || json!({"confirmed": DAY});
    check(json!({}), &[], State::Gone);
    check(confirmed(), &[], State::Confirmed);
    check(json!({}), &[("new", None)], State::Original);
    let by_text = || json!({"confirmed": DAY, "confirmedText": "new"});
    check(by_text(), &[("new", None)], State::Confirmed);
    // Another text may be the old value, encrypted again.
    check(by_text(), &[("newer", None)], State::Original);
    check(
        by_text(),
        &[("new", None), ("newer", None)],
        State::Original,
    );
    check(confirmed(), &[("new", None)], State::Original);
    // A manifest that was put back speaks louder.
    check(confirmed(), &[("old", None)], State::SameText);
    check(confirmed(), &[("older", BEFORE)], State::NotRenewed);
    // What was renewed and then removed is done.
    check(
        json!({"renewed": "2026-06-02T00:00:00Z"}),
        &[],
        renewed_by(Evidence::Seal),
    );
}

#[test]
fn the_controller_may_know_better() {
    let judged = |more, witnesses: &[Witness]| {
        judge(
            &entry(more),
            &held(&[("new", LATER)]),
            witnesses,
            instant(NOW),
        )
    };
    let new = || json!({});
    assert_eq!(judged(new(), &[Witness::Unchanged]), State::Unchanged);
    assert_eq!(
        judged(new(), &[Witness::Silent]),
        renewed_by(Evidence::Seal)
    );
    assert_eq!(
        judged(new(), &[Witness::Differs]),
        renewed_by(Evidence::Controller)
    );
    // What it said once about this value is still so when it is not asked.
    let told = json!({"renewed": "2026-06-02T00:00:00Z", "knownBy": "controller"});
    assert_eq!(judged(told, &[]), renewed_by(Evidence::Controller));
}

#[test]
fn what_the_controller_said_once_is_known_without_it() {
    let unchanged = || json!({"unchanged": "new"});
    check(unchanged(), &[("new", LATER)], State::Unchanged);
    check(unchanged(), &[("newer", LATER)], renewed_by(Evidence::Seal));
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
fn a_status_counts_only_when_it_is_about_this_text_and_done() {
    let unchanged = |since: &str| json!({"unchanged": [{"item": "PIN", "since": since}], "comparedSince": SINCE});
    let compared = || json!({"comparedSince": SINCE});
    let says = |status, ending: &str| witness(&live(&status), "PIN", ending, instant(SINCE));
    assert_eq!(
        says(done(unchanged("2026-05-01T00:00:00Z")), "new"),
        Witness::Unchanged
    );
    assert_eq!(says(done(unchanged("no time")), "new"), Witness::Unchanged);
    assert_eq!(says(done(compared()), "new"), Witness::Differs);
    // Its values cannot be compared, or not with those from before.
    assert_eq!(says(done(json!({})), "new"), Witness::Silent);
    let later = json!({"comparedSince": LATER});
    assert_eq!(says(done(later), "new"), Witness::Silent);
    // Its value was renewed in time, and then sealed once more.
    assert_eq!(
        says(done(unchanged("2026-06-01T13:00:00Z")), "new"),
        Witness::Differs
    );
    // The files have another text; the controller has not come to it; it does not open.
    assert_eq!(says(done(compared()), "other"), Witness::Silent);
    assert_eq!(
        says(
            done(json!({"comparedSince": SINCE, "observedGeneration": 2})),
            "new"
        ),
        Witness::Silent
    );
    assert_eq!(
        says(
            done(json!({"comparedSince": SINCE, "conditions": []})),
            "new"
        ),
        Witness::Silent
    );
    assert_eq!(says(Value::Null, "new"), Witness::Silent);
}

fn list(items: &[Entry]) -> List {
    serde_json::from_value(json!({
        "person": "alice", "left": "2026-06-01", "since": SINCE, "deadline": "2026-07-01",
        "items": items,
    }))
    .unwrap()
}

/// The list after its ticks were written, with the states that it had.
fn ticked(list: &List, states: &[State]) -> List {
    let text = list.to_text().unwrap();
    let settings = ticks(list, states, DAY.parse().unwrap());
    let text = manifest::edit(&text, &settings).unwrap();
    manifest::read_document(&text).unwrap()
}

#[test]
fn ticks_are_written_taken_back_and_the_last_one_closes_the_list() {
    let renewed = renewed_by(Evidence::Seal);
    let new = list(&[entry(json!({})), entry(json!({"item": "TOKEN"}))]);
    let half = ticked(&new, &[renewed, State::Gone]);
    assert_eq!(half.items[0].renewed, Some(instant("2026-06-02T00:00:00Z")));
    assert_eq!(
        (half.items[0].known_by, half.closed),
        (Some(Evidence::Seal), None)
    );
    assert_eq!(ticked(&half, &[renewed, State::Gone]), half);
    let whole = ticked(&half, &[renewed_by(Evidence::Controller), State::Confirmed]);
    assert_eq!(whole.items[0].known_by, Some(Evidence::Controller));
    assert_eq!(whole.closed.map(|it| it.to_string()).as_deref(), Some(DAY));
    let again = ticked(&whole, &[State::NotRenewed, State::Confirmed]);
    assert_eq!(
        (
            again.items[0].renewed,
            again.items[0].known_by,
            again.closed
        ),
        (None, None, None)
    );
}
