//! The two sealed formats: sceau's own ([`native`]) and the kubeseal format ([`bitnami`]).
//!
//! They turn the fields of a manifest into checked values and decrypt them. format.md specifies
//! both.

pub mod bitnami;
pub mod native;
mod suite;
pub(crate) mod text;

pub use suite::Suite;
pub use text::TextError;
