//! `sceau report reuse`: values that stand in more than one Secret.

use sealing::resource::{ReuseQuestion, ValueReviewSpec};

use crate::{
    error::Result,
    ui::Io,
    value_review::{Findings, ValueReviewArguments},
};

/// List values that stand in more than one Secret of a cluster
///
/// One value belongs to one application in one environment. The controller compares the values of
/// all its Secrets by keyed fingerprints, and tells the places of each value that stands in more
/// than one Secret; no value is told. Values of less than 12 bytes are not compared. That needs a
/// login with the cluster role `sceau-auditor`.
///
/// The exit code is 0, whether there are such values or not, and with `--check` 3 when there are.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct ReuseArguments {
    #[command(flatten)]
    value_review: ValueReviewArguments,
}

const EXAMPLES: &str = "\
Examples:
  sceau report reuse --environment prod

  Have a scheduled job fail while there are any:
    sceau report reuse --environment prod --check";

pub(super) fn run(arguments: &ReuseArguments, io: &mut Io<'_>) -> Result<()> {
    let answer = arguments.value_review.connect(io)?.ask(ValueReviewSpec {
        reuse: Some(ReuseQuestion {}),
        trace: None,
    })?;
    arguments.value_review.tell(&Findings::Reused(&answer), io)
}
