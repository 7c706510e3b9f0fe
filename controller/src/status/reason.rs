//! Why a SealedSecret is in its state. Reasons are a closed set, and each has one state; how states
//! become conditions is `conditions`'s.

use std::{fmt, time::Duration};

use prometheus_client::encoding::EncodeLabelValue;

use super::conditions::State;
use crate::backoff::Requeue;

/// Why a SealedSecret is in its state, as conditions, events and metrics name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
pub enum Reason {
    /// Two Environments claim the namespace.
    AmbiguousEnvironment,
    /// The API server did not do what it was asked for.
    ApiError,
    /// The Secret was changed or replaced while it was being written.
    Conflict,
    /// The API server does not allow the write.
    Forbidden,
    /// The Secret is immutable and would change.
    ImmutableSecret,
    /// The Environment of the namespace says what this version cannot read.
    InvalidEnvironment,
    /// The API server takes no such Secret.
    InvalidSecret,
    /// It is not of its format; no key would help.
    Malformed,
    /// No Environment claims the namespace.
    NoEnvironment,
    /// Something that others are about to do is waited for.
    Progressing,
    /// A sealing key is named and does not open it.
    Refused,
    /// The environment writes no Secrets of this type.
    DeniedSecretType,
    /// The template sets a label or an annotation that only the controller sets.
    ReservedMetadata,
    /// It is sealed only to keys that were revoked.
    RevokedSealingKey,
    /// A Secret of this name is there and belongs to somebody else.
    SecretExists,
    /// The values are larger than a Secret may be.
    TooLarge,
    /// The Secret has another type, which cannot be changed.
    TypeChange,
    /// It is sealed to no key that the controller has.
    UnknownSealingKey,
    /// It is unsealed.
    Unsealed,
    /// It is sealed for another environment than the namespace's.
    WrongEnvironment,
}

impl Reason {
    /// Every reason, by name.
    pub const ALL: [Self; 20] = [
        Self::AmbiguousEnvironment,
        Self::ApiError,
        Self::Conflict,
        Self::Forbidden,
        Self::ImmutableSecret,
        Self::InvalidEnvironment,
        Self::InvalidSecret,
        Self::Malformed,
        Self::NoEnvironment,
        Self::Progressing,
        Self::Refused,
        Self::DeniedSecretType,
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
            Self::Forbidden => "Forbidden",
            Self::ImmutableSecret => "ImmutableSecret",
            Self::InvalidEnvironment => "InvalidEnvironment",
            Self::InvalidSecret => "InvalidSecret",
            Self::Malformed => "Malformed",
            Self::NoEnvironment => "NoEnvironment",
            Self::Progressing => "Progressing",
            Self::Refused => "Refused",
            Self::DeniedSecretType => "DeniedSecretType",
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

    /// The state that it stands for.
    pub fn state(self) -> State {
        match self {
            Self::Progressing => State::Progressing,
            Self::ApiError | Self::Conflict | Self::Forbidden => State::Retrying,
            Self::Unsealed => State::Done,
            _ => State::Stalled,
        }
    }

    /// When to look again although nothing that is watched has changed.
    pub(crate) fn next(self) -> Requeue {
        match (self, self.state()) {
            // Secrets of others are not watched, and this one may be given up or away.
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
