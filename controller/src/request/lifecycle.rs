//! The next step for a request of any kind. Pure.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use sealing::resource::RequestStatus;

use super::Request;
use crate::{backoff::Requeue, store::objects::ReceivedRequest};

/// The next step for a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NextStep {
    /// It has no answer.
    Answer,
    /// Its time to live is over.
    Delete,
    /// It is answered or being deleted: reconcile it again then.
    Leave(Requeue),
}

/// Decides the next step. A request with an answer is never answered again.
pub(super) fn next_step<R: Request>(
    request: &ReceivedRequest<R>,
    time_to_live: Duration,
    now: Timestamp,
) -> NextStep {
    let left = remaining_time(request, time_to_live, now);
    if request.is_being_deleted() {
        NextStep::Leave(Requeue::OnChange)
    // Before the answer is looked at: an unanswered request must not stay forever either.
    } else if left.is_zero() {
        NextStep::Delete
    } else if answered_at(request).is_some() {
        NextStep::Leave(Requeue::After(left))
    } else {
        NextStep::Answer
    }
}

/// The time until it is deleted, counted from its answer, or from its creation if it has none.
fn remaining_time<R: Request>(
    request: &ReceivedRequest<R>,
    time_to_live: Duration,
    now: Timestamp,
) -> Duration {
    let created_at = || {
        let created_at = request.metadata.creation_timestamp.as_ref();
        created_at.map(|Time(instant)| *instant)
    };
    let since = answered_at(request).or_else(created_at).unwrap_or(now);
    let age = Duration::try_from(now.duration_since(since)).unwrap_or_default();
    time_to_live.saturating_sub(age)
}

fn answered_at<R: Request>(request: &ReceivedRequest<R>) -> Option<Timestamp> {
    let complete = request.status.as_ref()?.complete()?;
    Some(complete.last_transition_time.0)
}

/// The content of the condition `Complete`.
pub(crate) struct Completion {
    /// True when the request is answered, false when it is rejected.
    pub(crate) is_answered: bool,
    pub(crate) reason: &'static str,
    pub(crate) message: String,
}

/// The only condition of a request, once it has an answer.
pub(crate) fn complete<R: Request>(
    request: &ReceivedRequest<R>,
    completion: Completion,
    now: Timestamp,
) -> Condition {
    Condition {
        type_: R::Status::COMPLETE.to_owned(),
        status: if completion.is_answered {
            "True"
        } else {
            "False"
        }
        .to_owned(),
        reason: completion.reason.to_owned(),
        message: completion.message,
        last_transition_time: Time(now),
        observed_generation: Some(request.generation()),
    }
}

#[cfg(test)]
mod tests {
    use sealing::resource::ResealRequest;
    use serde_json::{Value, json};

    use super::*;
    use crate::fixtures::at;

    const TIME_TO_LIVE: Duration = Duration::from_mins(10);

    fn request(status: &Value) -> ReceivedRequest<ResealRequest> {
        serde_json::from_value(json!({
            "metadata": {"name": "one", "generation": 1, "creationTimestamp": "2026-03-01T12:00:00Z"},
            "spec": {"environment": "prod", "seals": []},
            "status": status,
        }))
        .unwrap()
    }

    fn answered(is_answered: bool, now: &str) -> ReceivedRequest<ResealRequest> {
        let completion = Completion {
            is_answered,
            reason: "Answered",
            message: "done".to_owned(),
        };
        let condition = complete(&request(&Value::Null), completion, at(now));
        request(&json!({"conditions": [condition]}))
    }

    fn due(request: &ReceivedRequest<ResealRequest>, now: &str) -> NextStep {
        next_step(request, TIME_TO_LIVE, at(now))
    }

    #[test]
    fn an_answered_request_is_kept_for_its_time_and_never_answered_again() {
        for is_answered in [true, false] {
            let request = answered(is_answered, "2026-03-01T12:05:00Z");
            for (now, left) in [("2026-03-01T12:05:00Z", 600), ("2026-03-01T12:14:59Z", 1)] {
                let wait = Requeue::After(Duration::from_secs(left));
                assert_eq!(due(&request, now), NextStep::Leave(wait));
            }
            assert_eq!(due(&request, "2026-03-01T12:15:00Z"), NextStep::Delete);
        }
    }

    #[test]
    fn an_unanswered_request_is_deleted_after_the_same_time() {
        let request = request(&Value::Null);
        assert_eq!(due(&request, "2026-03-01T12:09:59Z"), NextStep::Answer);
        assert_eq!(due(&request, "2026-03-01T12:10:00Z"), NextStep::Delete);
    }

    #[test]
    fn a_request_that_is_being_deleted_is_left_alone() {
        let mut request = request(&Value::Null);
        request.metadata.deletion_timestamp = Some(Time(at("2026-03-01T12:00:01Z")));
        let late = "2026-03-01T13:00:00Z";
        assert_eq!(due(&request, late), NextStep::Leave(Requeue::OnChange));
    }

    #[test]
    fn a_clock_that_is_behind_keeps_a_request_longer_at_most() {
        let request = request(&Value::Null);
        assert_eq!(due(&request, "2026-02-01T00:00:00Z"), NextStep::Answer);
    }
}
