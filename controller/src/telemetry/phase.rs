//! How far this replica has come, which is what `/readyz` asks.

/// From the start of the program to leading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Environments, Namespaces and sealing keys are being listed.
    Syncing,
    /// Everything that a standby watches is known; another replica leads.
    Standby,
    /// It leads, and SealedSecrets and their Secrets are being listed.
    TakingOver,
    /// It leads, and everything is known.
    Leading,
}

impl Phase {
    /// Whether all the watches that this replica runs are synced.
    pub(crate) fn is_ready(self) -> bool {
        matches!(self, Self::Standby | Self::Leading)
    }
}
