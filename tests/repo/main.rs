//! Rules of this repository that no compiler checks.

mod schemas;
