//! `sceau trace`: where a value stands that leaked.

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

/// Find out where a value stands in a cluster
///
/// For a value that was found where it should not be: tells in which Secrets it stands, of all
/// environments of the cluster, so that it can be renewed. The value is asked for and not shown, or
/// read from standard input; it is never taken from the command line. It is sealed for the
/// controller, which tells places and no value. A line break at the end makes no difference. That
/// needs a login with the cluster role `sceau-auditor`.
///
/// Values of less than 12 bytes are refused, since they could be guessed. The controller answers
/// ten such questions at once and then one a minute, from everybody together.
///
/// The exit code is 0, whether the value was found or not, and with `--check` 3 when it was found.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct TraceArguments {
    #[command(flatten)]
    value_review: ValueReviewArguments,

    /// Take the value from standard input, byte for byte
    #[arg(long)]
    from_stdin: bool,

    /// What somebody typed although it may be the value: it is not repeated
    #[arg(hide = true)]
    typed: Vec<OsString>,
}

const EXAMPLES: &str = "\
Examples:
  Ask for a value, which is not shown while it is typed:
    sceau trace --environment prod

  Take it from a file that was found somewhere:
    sceau trace --environment prod --from-stdin < found.txt";

pub(super) fn run(arguments: &TraceArguments, io: &mut Io<'_>) -> Result<()> {
    if !arguments.typed.is_empty() {
        return Err(typed());
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
    arguments.value_review.tell(&Findings::Traced(&answer), io)
}

fn typed() -> CommandError {
    CommandError::usage(
        "a value on the command line is seen by other programs and kept in the shell's history",
    )
    .hint("leave it out to be asked for it, or give it by `--from-stdin`")
    .hint("a value just typed may be in the history already: renew it if it is in use")
}

fn check_length(value: &Plaintext) -> Result<()> {
    if !is_traceable(value) {
        return Err(CommandError::user(format!(
            "a value of less than {COMPARABLE_BYTES} bytes is not traced: it could be guessed"
        ))
        .hint("look for it in the Secrets that you may read"));
    }
    if value.len() > LARGEST_TRACED {
        return Err(CommandError::user(format!(
            "the value has {} bytes; at most {LARGEST_TRACED} are traced",
            value.len()
        )));
    }
    Ok(())
}
