//! Seals that the controller wraps for the active sealing key of their environment.

use std::time::Duration;

use sealing::resource::{ResealOutcome, ResealRequest, ResealRequestSpec};

use super::{
    Cluster, ClusterError,
    requests::{Question, ask, refused},
};

impl Cluster {
    /// Has seals wrapped for the active sealing key of their environment: one outcome for each, in
    /// their order.
    pub(crate) fn reseal(
        &self,
        seals: ResealRequestSpec,
        deadline: Duration,
    ) -> Result<Vec<ResealOutcome>, ClusterError> {
        let expected = seals.seals.len();
        let question = Question {
            request: ResealRequest::new("", seals),
            prefix: "sceau-reseal-",
            unknown: ClusterError::NoResealRequests,
            deadline,
        };
        let status = self.runtime.block_on(ask(&self.client, question))?;
        let outcomes = status.seals;
        if outcomes.len() == expected {
            return Ok(outcomes);
        }
        let answered = outcomes.len();
        Err(refused::<ResealRequest>(format!(
            "it has {expected} seals and was answered with {answered} outcomes"
        )))
    }
}
