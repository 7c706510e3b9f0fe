//! Rules of this repository that no compiler checks.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod book;
mod circles;
mod documents;
mod layers;
mod recipes;
mod schemas;
mod workflows;
