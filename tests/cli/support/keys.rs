//! Key pairs that were made once, and certificates for them.

use std::sync::LazyLock;

use jiff::{SignedDuration, Timestamp};
use sealing::{Issue, SealingKey, issue_certificate};

/// A throw-away key pair of `tests/vectors/native-v1.json`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TestKey {
    /// What the environment dev is sealed to.
    Dev,
    /// What the environment prod is sealed to.
    Prod,
    /// What nothing is sealed to unless a test says so.
    Other,
}

impl TestKey {
    pub(crate) const ALL: [Self; 3] = [Self::Dev, Self::Prod, Self::Other];

    fn vector(self) -> &'static str {
        match self {
            Self::Dev => "rsa-2048",
            Self::Prod => "rsa-3072",
            Self::Other => "rsa-4096",
        }
    }

    fn field(self, name: &str) -> &'static str {
        static VECTORS: LazyLock<serde_json::Value> = LazyLock::new(|| {
            let path = concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/../tests/vectors/native-v1.json"
            );
            serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
        });
        VECTORS["keys"][self.vector()][name].as_str().unwrap()
    }

    /// Its id, as manifests write it.
    pub(crate) fn id(self) -> &'static str {
        self.field("keyId")
    }

    /// Its private half in PEM.
    pub(crate) fn private_pem(self) -> &'static str {
        self.field("privateKey")
    }

    /// A certificate that is valid for a year from an hour before `now`.
    pub(crate) fn certificate(self, now: Timestamp) -> String {
        let hour = SignedDuration::from_hours(1);
        self.certificate_between(now - hour, now + hour * 24 * 365)
    }

    /// A certificate with this subject that is valid from `now` for a day.
    pub(crate) fn certificate_of(self, subject: &str, now: Timestamp) -> String {
        self.issue(&Issue {
            subject,
            not_before: now,
            not_after: now + SignedDuration::from_hours(24),
        })
    }

    /// A certificate with these dates.
    pub(crate) fn certificate_between(self, not_before: Timestamp, not_after: Timestamp) -> String {
        self.issue(&Issue {
            subject: &format!("{self:?}"),
            not_before,
            not_after,
        })
    }

    fn issue(self, issue: &Issue<'_>) -> String {
        let key = SealingKey::parse_pem(self.private_pem()).unwrap().remove(0);
        issue_certificate(&key, issue).unwrap()
    }
}
