//! Rules of this repository that no compiler checks.

mod documents;
mod layers;
mod schemas;
