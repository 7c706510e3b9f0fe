use insta::assert_snapshot;

use super::*;
use crate::status::reason::Reason;

fn object_state(state: State) -> ObjectState<'static> {
    ObjectState {
        state,
        reason: "Because",
        message: "because",
        generation: 7,
    }
}

/// The conditions as a row of design.md's table.
fn row(conditions: &[Condition]) -> String {
    let status = |type_: &str| {
        conditions
            .iter()
            .find(|condition| condition.type_ == type_)
            .map_or("absent", |condition| &condition.status)
    };
    ["Synced", "Ready", "Reconciling", "Stalled"]
        .map(|type_| format!("{:8}", status(type_)))
        .join(" ")
}

#[test]
fn every_reason_has_the_conditions_of_its_state() {
    let row_of = |reason: Reason| {
        let conditions = object_state(reason.state()).conditions(&[], Timestamp::UNIX_EPOCH);
        assert_eq!(conditions[0].type_, "Synced");
        assert_eq!(state_of(&conditions), Some(reason.state()));
        let state = format!("{:?}", reason.state());
        format!(
            "{:20} {state:12} {}",
            reason.as_str(),
            row(&conditions).trim_end()
        )
    };
    let table = Reason::ALL.map(row_of).join("\n");
    assert_snapshot!(table, @r"
    AmbiguousEnvironment Stalled      False    False    absent   True
    ApiError             Retrying     Unknown  False    True     absent
    Conflict             Retrying     Unknown  False    True     absent
    DeniedSecretType     Stalled      False    False    absent   True
    Forbidden            Retrying     Unknown  False    True     absent
    ImmutableSecret      Stalled      False    False    absent   True
    InvalidEnvironment   Stalled      False    False    absent   True
    InvalidSecret        Stalled      False    False    absent   True
    Malformed            Stalled      False    False    absent   True
    NoEnvironment        Stalled      False    False    absent   True
    Progressing          Progressing  Unknown  Unknown  True     absent
    Refused              Stalled      False    False    absent   True
    ReservedMetadata     Stalled      False    False    absent   True
    RevokedSealingKey    Stalled      False    False    absent   True
    SecretExists         Stalled      False    False    absent   True
    TooLarge             Stalled      False    False    absent   True
    TypeChange           Stalled      False    False    absent   True
    UnknownSealingKey    Stalled      False    False    absent   True
    Unsealed             Done         True     True     absent   absent
    WrongEnvironment     Stalled      False    False    absent   True
    ");
}

#[test]
fn a_time_moves_only_when_a_status_does() {
    let earlier = Timestamp::UNIX_EPOCH;
    let now = "2026-11-21T09:30:00Z".parse().unwrap();
    let stalled = object_state(State::Stalled).conditions(&[], earlier);
    let times = |conditions: &[Condition]| -> Vec<(String, Timestamp)> {
        conditions
            .iter()
            .map(|condition| (condition.type_.clone(), condition.last_transition_time.0))
            .collect()
    };

    let other_reason = ObjectState {
        reason: "Other",
        ..object_state(State::Stalled)
    };
    let conditions = other_reason.conditions(&stalled, now);
    assert_eq!(times(&conditions), times(&stalled));
    assert_eq!(conditions[1].reason, "Other");

    let retrying = object_state(State::Retrying).conditions(&stalled, now);
    assert_eq!(
        times(&retrying),
        [
            ("Synced".to_owned(), now),
            ("Ready".to_owned(), earlier),
            ("Reconciling".to_owned(), now)
        ]
    );
}

#[test]
fn conditions_of_others_stand_for_no_state() {
    assert_eq!(state_of(&[]), None);
    let mut conditions = object_state(State::Done).conditions(&[], Timestamp::UNIX_EPOCH);
    conditions[0].status = "Maybe".to_owned();
    assert_eq!(state_of(&conditions), None);
}
