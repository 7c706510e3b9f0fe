//! Seals that the controller wraps for the active sealing key of their environment.

use std::time::Duration;

use sealing::resource::{ResealOutcome, ResealRequest, ResealRequestSpec};

use super::{
    Cluster, ClusterError,
    requests::{NewRequest, refused, send},
};

impl Cluster {
    /// Wraps seals for the active sealing key of their environment. Returns one outcome for each
    /// seal, in their order.
    pub(crate) fn reseal(
        &self,
        seals: ResealRequestSpec,
        deadline: Duration,
    ) -> Result<Vec<ResealOutcome>, ClusterError> {
        let expected = seals.seals.len();
        let new = NewRequest {
            request: ResealRequest::new("", seals),
            prefix: "sceau-reseal-",
            unknown: ClusterError::NoResealRequests,
            deadline,
        };
        let status = self.runtime.block_on(send(&self.client, new))?;
        let outcomes = status.seals;
        if outcomes.len() == expected {
            return Ok(outcomes);
        }
        let answered = outcomes.len();
        Err(refused::<ResealRequest>(format!(
            "it has {expected} seals, but the result has {answered} outcomes"
        )))
    }
}
