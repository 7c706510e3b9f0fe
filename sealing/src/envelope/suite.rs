//! The suites that wrap a file key for a recipient. A new suite is added here.

use std::fmt;

use crate::{
    Recipient, SealingKey,
    primitives::{Refused, SecretBytes},
};

/// An algorithm that wraps file keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Suite {
    /// RSAES-OAEP (RFC 8017 7.1) with SHA-256 as hash and MGF1 hash, and the context as label.
    RsaOaepSha256,
}

impl Suite {
    /// All suites.
    pub const ALL: [Self; 1] = [Self::RsaOaepSha256];

    /// The suite as manifests write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RsaOaepSha256 => "RSA-OAEP-SHA256",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|suite| suite.as_str() == text)
    }

    /// The suite for the key of a recipient.
    pub(crate) fn of(_recipient: &Recipient) -> Self {
        Self::RsaOaepSha256
    }

    pub(crate) fn wrap(
        self,
        recipient: &Recipient,
        file_key: &SecretBytes,
        context: &[u8],
    ) -> Result<Vec<u8>, Refused> {
        match self {
            Self::RsaOaepSha256 => recipient.wrap(file_key, context),
        }
    }

    pub(crate) fn unwrap_key(
        self,
        key: &SealingKey,
        wrapped: &[u8],
        context: &[u8],
    ) -> Result<SecretBytes, Refused> {
        match self {
            Self::RsaOaepSha256 => key.unwrap_key(wrapped, context),
        }
    }
}

impl fmt::Display for Suite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
