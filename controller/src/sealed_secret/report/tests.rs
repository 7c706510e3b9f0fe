use std::sync::Arc;

use sealing::resource::{UnchangedItem, WrittenSecret};

use super::*;
use crate::{
    fingerprint::annotation::Compared,
    fixtures::{KEYS, at, sealed},
    sealed_secret::outcome::Failure,
    store::NamespaceMatch,
};

const NOW: &str = "2026-11-21T09:30:00Z";
const LATER: &str = "2026-11-21T09:31:00Z";

fn observed(status: SealedSecretStatus) -> Observed {
    Observed {
        now: at(NOW),
        object: Arc::new(sealed(0, &[("A", b"1")]).into()),
        status,
        namespace_match: NamespaceMatch::None,
        secret: Ok(None),
        fingerprint_key: None,
    }
}

fn written(resource_version: &str) -> Written {
    Written {
        secret: WrittenSecret {
            uid: "uid-of-secret".to_owned(),
            resource_version: resource_version.to_owned(),
        },
        opened_by: vec![KEYS[0].id()],
        compared: None,
        message: "unsealed 1 item".to_owned(),
    }
}

fn failure(reason: Reason) -> Failure {
    Failure::new(reason, "because")
}

fn status_after(outcomes: impl IntoIterator<Item = Outcome>) -> SealedSecretStatus {
    outcomes
        .into_iter()
        .fold(SealedSecretStatus::default(), |status, outcome| {
            let report = report(&observed(status.clone()), outcome, at(NOW));
            report.status.unwrap_or(status)
        })
}

#[test]
fn a_written_secret_is_recorded_and_announced() {
    let report = report(
        &observed(SealedSecretStatus::default()),
        Ok(written("7")),
        at(NOW),
    );
    let status = report.status.unwrap();
    assert_eq!(status.observed_generation, Some(1));
    assert_eq!(status.secret.unwrap().resource_version, "7");
    assert_eq!(status.seals[0].opened_by, KEYS[0].id().to_string());
    assert_eq!(
        report.event_message,
        Some(EventMessage::normal("Unsealed", "unsealed 1 item"))
    );
    assert_eq!(report.next, Requeue::OnChange);
}

#[test]
fn an_obstacle_keeps_the_record_of_the_last_good_secret() {
    let good = status_after([Ok(written("7"))]);
    let report = report(
        &observed(good.clone()),
        Err(failure(Reason::Refused)),
        at(LATER),
    );
    let status = report.status.unwrap();
    assert_eq!((status.secret, status.seals), (good.secret, good.seals));
    assert_eq!(
        report.event_message,
        Some(EventMessage::warning("Refused", "because"))
    );
}

#[test]
fn items_that_were_not_renewed_are_named_until_they_are() {
    let stale = UnchangedItem {
        item: "A".to_owned(),
        since: NOW.to_owned(),
    };
    let sealed_again = Written {
        compared: Some(Compared {
            since: at(NOW),
            unchanged: vec![stale.clone()],
        }),
        ..written("7")
    };
    let reported = status_after([Ok(sealed_again.clone())]);
    assert_eq!(reported.unchanged, std::slice::from_ref(&stale));
    assert_eq!(reported.compared_since, Some(Time(at(NOW))));
    let refused = [Ok(sealed_again.clone()), Err(failure(Reason::Refused))];
    assert_eq!(status_after(refused).unchanged, [stale]);
    let renewed = [Ok(sealed_again), Ok(written("8"))];
    assert_eq!(status_after(renewed).unchanged, []);
}

#[test]
fn what_is_said_already_is_not_said_again() {
    for reason in Reason::ALL {
        let status = status_after([Err(failure(reason))]);
        let report = report(&observed(status), Err(failure(reason)), at(LATER));
        assert_eq!(
            (report.status, report.event_message),
            (None, None),
            "{reason}"
        );
        assert_eq!(report.next, reason.next());
    }
}

#[test]
fn healing_is_recorded_and_not_announced() {
    let status = status_after([Ok(written("7"))]);
    let report = report(&observed(status), Ok(written("9")), at(LATER));
    assert_eq!(report.status.unwrap().secret.unwrap().resource_version, "9");
    assert_eq!(report.event_message, None);
}

#[test]
fn what_is_under_way_is_no_event() {
    let report = report(
        &observed(SealedSecretStatus::default()),
        Err(failure(Reason::Progressing)),
        at(NOW),
    );
    assert!(report.status.is_some());
    assert_eq!(report.event_message, None);
}
