//! The common part of ResealRequests and ValueReviews: the controller answers each once.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

/// The status of a ResealRequest or a ValueReview.
pub trait RequestStatus {
    /// The type of its only condition.
    const COMPLETE: &str = "Complete";

    /// The conditions. `Complete` is True when the request is answered, False when it is rejected
    /// as a whole.
    fn conditions(&self) -> &[Condition];

    /// The condition `Complete`, once the controller has answered.
    fn complete(&self) -> Option<&Condition> {
        self.conditions()
            .iter()
            .find(|condition| condition.type_ == Self::COMPLETE)
    }
}
