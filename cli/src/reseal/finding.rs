//! The result of resealing a seal, as one word and as a message.

use serde::Serialize;

/// The result of resealing a seal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) enum Finding {
    /// The cluster wraps for a key that is not pinned.
    ///
    /// Cure: Pin the certificate with `sceau certificate fetch`, then run the command again.
    ActiveKeyNotPinned,
    /// It was already wrapped for the current recipients.
    ///
    /// Cure: Nothing.
    Current,
    /// A pinned recipient is missing that only another cluster wraps for.
    ///
    /// Cure: Run the command with a login for every cluster of the environment, or with `--keys`.
    Incomplete,
    /// Its format is unknown or malformed.
    ///
    /// Cure: Seal the values again.
    Malformed,
    /// Its text cannot be edited in place.
    ///
    /// Cure: Write recipients and items without aliases, then run the command again.
    NotEditable,
    /// Items in the kubeseal format need private keys.
    ///
    /// Cure: Give the private keys with `--keys`.
    NotThroughCluster,
    /// The file could not be written.
    ///
    /// Cure: Check the permissions of the file, then run the command again.
    NotWritten,
    /// Decryption failed.
    ///
    /// Cure: Compare environment, namespace, name and scope with those it was sealed for. Otherwise
    /// seal the values again.
    Refused,
    /// It was wrapped for the current recipients.
    ///
    /// Cure: Commit the file.
    Resealed,
    /// It is sealed for keys that were revoked.
    ///
    /// Cure: Rotate the values: `sceau set`.
    RevokedSealingKey,
    /// An item in the kubeseal format cannot be sealed to several keys.
    ///
    /// Cure: Pin one certificate for the environment.
    SeveralCertificates,
    /// It would be resealed.
    ///
    /// Cure: Run the command without `--dry-run`.
    Stale,
    /// The project file does not have its environment.
    ///
    /// Cure: Add the environment to sceau.yaml.
    UnknownEnvironment,
    /// No given key decrypts it.
    ///
    /// Cure: Give the key with `--keys`, or restore it with `sceau keys restore`.
    UnknownSealingKey,
    /// The document cannot be read.
    ///
    /// Cure: Correct the document. The message names the line.
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
