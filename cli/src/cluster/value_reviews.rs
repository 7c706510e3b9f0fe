//! Requests of kind `ValueReview`: the controller reports where values are, without the values.

use std::time::Duration;

use sealing::resource::{ValueReview, ValueReviewSpec, ValueReviewStatus};

use super::{
    Cluster, ClusterError,
    requests::{NewRequest, send},
};

impl Cluster {
    /// Creates a `ValueReview` and waits for its result.
    pub(crate) fn review_values(
        &self,
        spec: ValueReviewSpec,
        deadline: Duration,
    ) -> Result<ValueReviewStatus, ClusterError> {
        let new = NewRequest {
            request: ValueReview::new("", spec),
            prefix: "sceau-value-review-",
            unknown: ClusterError::NoValueReviews,
            deadline,
        };
        self.runtime.block_on(send(&self.client, new))
    }
}
