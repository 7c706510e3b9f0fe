//! `sceau trace`: finds a leaked value in a cluster.

use std::ffi::OsString;

use sealing::{
    COMPARABLE_BYTES, LARGEST_TRACED, Plaintext, is_traceable,
    resource::{TraceQuestion, ValueReviewSpec},
    seal_traced,
};

use crate::{
    error::{CommandError, Result},
    input,
    ui::Io,
    value_review::{Findings, ValueReviewArguments},
};

/// Find a leaked value in a cluster
///
/// For a value that leaked: reports the Secrets and items that have it, in all environments of the
/// cluster, so that you can rotate it. sceau prompts for the value without echo, or reads it from
/// standard input. Values are not accepted on the command line. The value is sealed for the
/// controller, which reports places and no value. A line break at the end makes no difference. Your
/// login needs the cluster role `sceau-auditor`.
///
/// Values of less than 12 bytes are rejected, because they could be guessed. The controller answers
/// ten requests at once and then one a minute, for all users together.
///
/// The exit code is 0, or 3 with `--check` if the value was found.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct TraceArguments {
    #[command(flatten)]
    value_review: ValueReviewArguments,

    /// Take the value from standard input, byte for byte
    #[arg(long)]
    from_stdin: bool,

    /// An argument that may be the value by mistake, so it is not repeated
    #[arg(hide = true)]
    typed: Vec<OsString>,
}

const EXAMPLES: &str = "\
Examples:
  Prompt for the value:
    sceau trace --environment prod

  Read the value from a file:
    sceau trace --environment prod --from-stdin < found.txt";

pub(super) fn run(arguments: &TraceArguments, io: &mut Io<'_>) -> Result<()> {
    if !arguments.typed.is_empty() {
        return Err(value_typed());
    }
    let value = input::read_traced(arguments.from_stdin, io)?;
    check_length(&value)?;
    let connection = arguments.value_review.connect(io)?;
    let (environment, recipient) = connection.recipient(io)?;
    let seal = seal_traced(value, environment, &recipient).map_err(CommandError::user)?;
    let trace = TraceQuestion {
        environment: environment.to_string(),
        seal,
    };
    let answer = connection.ask(ValueReviewSpec {
        reuse: None,
        trace: Some(trace),
    })?;
    arguments
        .value_review
        .report(&Findings::Traced(&answer), io)
}

fn value_typed() -> CommandError {
    CommandError::usage(
        "values are not accepted on the command line: other programs can see them, and the shell keeps them in its history",
    )
    .hint("remove the value to get a prompt, or use `--from-stdin`")
    .hint("rotate the value that you typed if it is in use: it may be in the shell's history")
}

fn check_length(value: &Plaintext) -> Result<()> {
    if !is_traceable(value) {
        return Err(CommandError::user(format!(
            "the value has less than {COMPARABLE_BYTES} bytes, so it could be guessed"
        ))
        .hint("inspect the Secrets that you may read"));
    }
    if value.len() > LARGEST_TRACED {
        return Err(CommandError::user(format!(
            "the value has {} bytes, but at most {LARGEST_TRACED} can be traced",
            value.len()
        )));
    }
    Ok(())
}
