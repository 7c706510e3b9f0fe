//! Rules of this repository that no compiler checks.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod book;
mod circles;
mod documents;
mod entry_points;
mod layers;
mod markdown;
mod messages;
mod names;
mod prose;
mod recipes;
mod retired;
mod schemas;
mod words;
mod workflows;
