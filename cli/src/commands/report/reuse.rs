//! `sceau report reuse`: values that more than one Secret has.

use sealing::resource::{ReuseQuestion, ValueReviewSpec};

use crate::{
    error::Result,
    ui::Io,
    value_review::{Findings, ValueReviewArguments},
};

/// List values that more than one Secret of a cluster has
///
/// A value should belong to one application in one environment. The controller compares the values
/// of all its Secrets by keyed fingerprints. It reports the Secrets and items of each reused value,
/// never the value. Values of less than 12 bytes are not compared. Your login needs the cluster
/// role `sceau-auditor`.
///
/// The exit code is 0, or 3 with `--check` if values are reused.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct ReuseArguments {
    #[command(flatten)]
    value_review: ValueReviewArguments,
}

const EXAMPLES: &str = "\
Examples:
  sceau report reuse --environment prod

  Make a scheduled job fail if values are reused:
    sceau report reuse --environment prod --check";

pub(super) fn run(arguments: &ReuseArguments, io: &mut Io<'_>) -> Result<()> {
    let answer = arguments.value_review.connect(io)?.ask(ValueReviewSpec {
        reuse: Some(ReuseQuestion {}),
        trace: None,
    })?;
    arguments
        .value_review
        .report(&Findings::Reused(&answer), io)
}
