//! The two sealed formats: sceau's own ([`native`]) and the original's ([`bitnami`]).
//!
//! They turn what a manifest says into checked values, and open them; format.md specifies both.

pub mod bitnami;
pub mod native;
mod suite;
pub(crate) mod text;

pub use suite::Suite;
pub use text::TextError;
