//! What became of a seal, in one word and for people.

use serde::Serialize;

/// What became of a seal, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) enum Finding {
    /// The cluster wraps for a key that is not pinned.
    ActiveKeyNotPinned,
    /// It was, and is, at the current recipients.
    Current,
    /// Some pinned recipient is missing that nobody here can wrap for.
    Incomplete,
    /// It is of no format that is known.
    Malformed,
    /// The text cannot be changed in place.
    NotEditable,
    /// The original's items need private keys.
    NotThroughCluster,
    /// The file could not be written.
    NotWritten,
    /// It belongs elsewhere, or was changed since it was sealed.
    Refused,
    /// It was wrapped for the current recipients.
    Resealed,
    /// It is sealed for keys that were revoked.
    RevokedSealingKey,
    /// An item of the original cannot be sealed to several keys.
    SeveralCertificates,
    /// It would be resealed.
    Stale,
    /// The project file does not have its environment.
    UnknownEnvironment,
    /// None of the keys opens it.
    UnknownSealingKey,
    /// The document cannot be read.
    Unreadable,
}

impl Finding {
    /// Whether the seal is not at the current recipients, and would not be by running this again.
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
