//! The result of resealing a seal, as one word and as a message.

use serde::Serialize;

/// The result of resealing a seal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) enum Finding {
    /// The cluster wraps for a key that is not pinned.
    ActiveKeyNotPinned,
    /// It was already wrapped for the current recipients.
    Current,
    /// A pinned recipient is missing that only another cluster wraps for.
    Incomplete,
    /// Its format is unknown or malformed.
    Malformed,
    /// Its text cannot be edited in place.
    NotEditable,
    /// Items in the kubeseal format need private keys.
    NotThroughCluster,
    /// The file could not be written.
    NotWritten,
    /// Decryption failed.
    Refused,
    /// It was wrapped for the current recipients.
    Resealed,
    /// It is sealed for keys that were revoked.
    RevokedSealingKey,
    /// An item in the kubeseal format cannot be sealed to several keys.
    SeveralCertificates,
    /// It would be resealed.
    Stale,
    /// The project file does not have its environment.
    UnknownEnvironment,
    /// No given key decrypts it.
    UnknownSealingKey,
    /// The document cannot be read.
    Unreadable,
}

impl Finding {
    /// Whether the seal could not be resealed.
    pub(super) fn is_failure(self) -> bool {
        !matches!(self, Self::Current | Self::Resealed | Self::Stale)
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::ActiveKeyNotPinned => "ActiveKeyNotPinned",
            Self::Current => "Current",
            Self::Incomplete => "Incomplete",
            Self::Malformed => "Malformed",
            Self::NotEditable => "NotEditable",
            Self::NotThroughCluster => "NotThroughCluster",
            Self::NotWritten => "NotWritten",
            Self::Refused => "Refused",
            Self::Resealed => "Resealed",
            Self::RevokedSealingKey => "RevokedSealingKey",
            Self::SeveralCertificates => "SeveralCertificates",
            Self::Stale => "Stale",
            Self::UnknownEnvironment => "UnknownEnvironment",
            Self::UnknownSealingKey => "UnknownSealingKey",
            Self::Unreadable => "Unreadable",
        }
    }
}

/// Why a seal cannot be resealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) finding: Finding,
    pub(super) message: String,
}

impl Problem {
    pub(super) fn new(finding: Finding, message: impl Into<String>) -> Self {
        Self {
            finding,
            message: message.into(),
        }
    }
}
