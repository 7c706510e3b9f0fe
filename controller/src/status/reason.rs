//! Why a SealedSecret is in its state. Reasons are a closed set, and each has one state.
//! `conditions` turns states into conditions.

use std::{fmt, time::Duration};

use prometheus_client::encoding::EncodeLabelValue;

use super::conditions::State;
use crate::backoff::Requeue;

/// Why a SealedSecret is in its state, as in conditions, events and metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
pub enum Reason {
    /// More than one Environment selects the namespace.
    AmbiguousEnvironment,
    /// A request to the API server failed.
    ApiError,
    /// The Secret was modified or replaced during the write.
    Conflict,
    /// The environment denies Secrets of this type.
    DeniedSecretType,
    /// The API server forbids the write.
    Forbidden,
    /// The Secret is immutable and would change.
    ImmutableSecret,
    /// The spec of the namespace's Environment is not valid.
    InvalidEnvironment,
    /// The API server rejected the Secret.
    InvalidSecret,
    /// The SealedSecret is malformed: no key can decrypt it.
    Malformed,
    /// No Environment selects the namespace.
    NoEnvironment,
    /// The controller waits for something that is about to happen.
    Progressing,
    /// Decryption with a key that a seal names failed.
    Refused,
    /// The template sets a label or an annotation that is reserved for the controller.
    ReservedMetadata,
    /// It is sealed only for revoked keys.
    RevokedSealingKey,
    /// A Secret of this name exists and the controller may not overwrite it.
    SecretExists,
    /// The values are larger than a Secret may be.
    TooLarge,
    /// The existing Secret has another type, which cannot be changed.
    TypeChange,
    /// It is sealed only for keys that the environment does not have.
    UnknownSealingKey,
    /// It was unsealed.
    Unsealed,
    /// It is sealed for another environment than the namespace's.
    WrongEnvironment,
}

impl Reason {
    /// All reasons, by name.
    pub const ALL: [Self; 20] = [
        Self::AmbiguousEnvironment,
        Self::ApiError,
        Self::Conflict,
        Self::DeniedSecretType,
        Self::Forbidden,
        Self::ImmutableSecret,
        Self::InvalidEnvironment,
        Self::InvalidSecret,
        Self::Malformed,
        Self::NoEnvironment,
        Self::Progressing,
        Self::Refused,
        Self::ReservedMetadata,
        Self::RevokedSealingKey,
        Self::SecretExists,
        Self::TooLarge,
        Self::TypeChange,
        Self::UnknownSealingKey,
        Self::Unsealed,
        Self::WrongEnvironment,
    ];

    /// The name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AmbiguousEnvironment => "AmbiguousEnvironment",
            Self::ApiError => "ApiError",
            Self::Conflict => "Conflict",
            Self::DeniedSecretType => "DeniedSecretType",
            Self::Forbidden => "Forbidden",
            Self::ImmutableSecret => "ImmutableSecret",
            Self::InvalidEnvironment => "InvalidEnvironment",
            Self::InvalidSecret => "InvalidSecret",
            Self::Malformed => "Malformed",
            Self::NoEnvironment => "NoEnvironment",
            Self::Progressing => "Progressing",
            Self::Refused => "Refused",
            Self::ReservedMetadata => "ReservedMetadata",
            Self::RevokedSealingKey => "RevokedSealingKey",
            Self::SecretExists => "SecretExists",
            Self::TooLarge => "TooLarge",
            Self::TypeChange => "TypeChange",
            Self::UnknownSealingKey => "UnknownSealingKey",
            Self::Unsealed => "Unsealed",
            Self::WrongEnvironment => "WrongEnvironment",
        }
    }

    /// The state of this reason.
    pub fn state(self) -> State {
        match self {
            Self::Progressing => State::Progressing,
            Self::ApiError | Self::Conflict | Self::Forbidden => State::Retrying,
            Self::Unsealed => State::Done,
            _ => State::Stalled,
        }
    }

    /// When to reconcile again, if no watched object changes.
    pub(crate) fn next(self) -> Requeue {
        match (self, self.state()) {
            // Secrets of others are not watched, and this one may be deleted or annotated for
            // adoption.
            (Self::SecretExists, _) => Requeue::After(Duration::from_mins(1)),
            (_, State::Done) => Requeue::OnChange,
            (_, State::Progressing) => Requeue::After(Duration::from_secs(15)),
            (_, State::Retrying) => Requeue::Backoff,
            (_, State::Stalled) => Requeue::After(Duration::from_hours(1)),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_is_listed_once_and_in_order() {
        let names: Vec<&str> = Reason::ALL.into_iter().map(Reason::as_str).collect();
        assert!(names.is_sorted_by(|one, next| one < next), "{names:?}");
        for reason in Reason::ALL {
            assert_eq!(reason.as_str(), format!("{reason:?}"));
        }
    }

    #[test]
    fn nothing_that_stalls_is_looked_at_more_often_than_once_a_minute() {
        let stalled = Reason::ALL
            .into_iter()
            .filter(|reason| reason.state() == State::Stalled);
        for reason in stalled {
            let Requeue::After(wait) = reason.next() else {
                panic!("{reason} does not wait");
            };
            assert!(wait >= Duration::from_mins(1), "{reason}");
        }
    }
}
