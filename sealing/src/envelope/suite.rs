//! How a file key is wrapped for a recipient: the one place that a further suite joins.

use std::fmt;

use crate::{
    Recipient, SealingKey,
    primitives::{Refused, SecretBytes},
};

/// A way to wrap a file key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Suite {
    /// RSAES-OAEP with SHA-256 for hash and MGF1, the context as label (RFC 8017 7.1).
    RsaOaepSha256,
}

impl Suite {
    /// Every suite.
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

    /// The suite that a recipient's kind of key calls for.
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
