//! sceau beside the programs its users come from, and the workflows of both repositories.

mod actionlint;
mod gitleaks;
mod kubeseal;
