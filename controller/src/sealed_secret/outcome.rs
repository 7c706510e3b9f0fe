//! The outcome of unsealing one SealedSecret: a Secret, or a failure.

use sealing::{KeyId, resource::WrittenSecret};

use crate::{fingerprint::annotation::Compared, status::reason::Reason};

/// Why no Secret was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The reason, for programs.
    pub reason: Reason,
    /// The message, for people. It never contains a value or text derived from one.
    pub message: String,
}

impl Failure {
    pub(crate) fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self {
            reason,
            message: message.into(),
        }
    }
}

/// A Secret that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Written {
    /// Its identity after the write.
    pub(crate) secret: WrittenSecret,
    /// The sealing keys that decrypted the seals, in the same order.
    pub(crate) opened_by: Vec<KeyId>,
    /// The comparison of its values with earlier ones, if possible.
    pub(crate) compared: Option<Compared>,
    /// The message, for people.
    pub(crate) message: String,
}

/// The outcome of unsealing one SealedSecret.
pub(crate) type Outcome = Result<Written, Failure>;
