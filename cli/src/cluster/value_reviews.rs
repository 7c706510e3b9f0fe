//! Questions about values that the controller answers without telling them.

use std::time::Duration;

use sealing::resource::{Inquiry, InquirySpec, InquiryStatus};

use super::{
    Cluster, ClusterError,
    requests::{Question, ask},
};

impl Cluster {
    /// Asks one question and waits for the answer.
    pub(crate) fn inquire(
        &self,
        spec: InquirySpec,
        deadline: Duration,
    ) -> Result<InquiryStatus, ClusterError> {
        let question = Question {
            request: Inquiry::new("", spec),
            prefix: "sceau-inquiry-",
            unknown: ClusterError::NoInquiries,
            deadline,
        };
        self.runtime.block_on(ask(&self.client, question))
    }
}
