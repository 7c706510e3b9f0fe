//! Rules of this repository that no compiler checks.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod circles;
mod documents;
mod layers;
mod messages;
mod schemas;
