//! Questions about values that the controller answers without telling them.

use std::time::Duration;

use sealing::resource::{ValueReview, ValueReviewSpec, ValueReviewStatus};

use super::{
    Cluster, ClusterError,
    requests::{Question, ask},
};

impl Cluster {
    /// Asks one question and waits for the answer.
    pub(crate) fn inquire(
        &self,
        spec: ValueReviewSpec,
        deadline: Duration,
    ) -> Result<ValueReviewStatus, ClusterError> {
        let question = Question {
            request: ValueReview::new("", spec),
            prefix: "sceau-value-review-",
            unknown: ClusterError::NoValueReviews,
            deadline,
        };
        self.runtime.block_on(ask(&self.client, question))
    }
}
