//! What requests have in common: each is answered once.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

/// The status of a request: of a ResealRequest or an ValueReview.
pub trait RequestStatus {
    /// The type of the one condition.
    const COMPLETE: &str = "Complete";

    /// Complete: True when the request is answered, False when it was refused as a whole.
    fn conditions(&self) -> &[Condition];

    /// What the controller says about the request as a whole, once it has answered.
    fn complete(&self) -> Option<&Condition> {
        self.conditions()
            .iter()
            .find(|condition| condition.type_ == Self::COMPLETE)
    }
}
