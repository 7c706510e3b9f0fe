//! sceau beside the programs its users come from.

mod gitleaks;
mod kubeseal;
