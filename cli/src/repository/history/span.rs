//! Spans of time in a history.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A span of time, without its end.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub(crate) struct Span {
    /// Its first instant.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub(crate) from: Timestamp,
    /// The instant at which it ends.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub(crate) until: Timestamp,
}

impl Span {
    /// A span that does not end before it begins: clocks differ from commit to commit.
    pub(crate) fn new(from: Timestamp, until: Timestamp) -> Self {
        Self {
            from,
            until: until.max(from),
        }
    }

    pub(crate) fn overlaps(self, other: Self) -> bool {
        self.from < other.until && other.from < self.until
    }
}
