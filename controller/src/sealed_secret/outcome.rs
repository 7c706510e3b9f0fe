//! What came of one SealedSecret: a Secret, or the reason why there is none.

use sealing::{KeyId, resource::WrittenSecret};

use crate::{fingerprint::annotation::Compared, status::reason::Reason};

/// Why no Secret was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Its kind.
    pub reason: Reason,
    /// For people; never a value, or text made from one.
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
    /// How it stands now.
    pub(crate) secret: WrittenSecret,
    /// The sealing keys that opened the seals, in their order.
    pub(crate) opened_by: Vec<KeyId>,
    /// What is known of its values, where they can be compared.
    pub(crate) compared: Option<Compared>,
    /// For people.
    pub(crate) message: String,
}

/// What came of one SealedSecret.
pub(crate) type Outcome = Result<Written, Failure>;
