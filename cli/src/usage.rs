//! What is wrong with a command line, told without repeating a value that it may hold.

use std::error::Error;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use sealing::NameError;

use crate::error::CommandError;

/// The error for a command line that clap would repeat although it may hold a value.
pub(crate) fn refusal(answer: &clap::Error) -> Option<CommandError> {
    let context = |kind| match answer.get(kind) {
        Some(ContextValue::String(text)) => text.as_str(),
        _ => "",
    };
    let argument = context(ContextKind::InvalidArg);
    let value = context(ContextKind::InvalidValue);
    let names_item = ["--item ", "--from-stdin "]
        .iter()
        .any(|flag| argument.starts_with(flag));
    let is_pair = match answer.kind() {
        ErrorKind::InvalidSubcommand => context(ContextKind::InvalidSubcommand).contains('='),
        ErrorKind::InvalidValue => value.contains('='),
        ErrorKind::UnknownArgument => argument == "--from-literal" || argument.contains('='),
        ErrorKind::ValueValidation => names_item && value.contains('='),
        _ => false,
    };
    if is_pair {
        return Some(value_on_the_command_line());
    }
    let problem = answer
        .source()
        .filter(|_| answer.kind() == ErrorKind::ValueValidation)?;
    Some(CommandError::usage(format!(
        "{argument}: {}",
        without_value(problem)
    )))
}

/// What is wrong with an argument's value. Of all errors of our parsers, only that of a name holds
/// what was typed.
fn without_value(problem: &(dyn Error + 'static)) -> String {
    match problem.downcast_ref::<NameError>() {
        Some(error) => error.rule().to_string(),
        None => problem.to_string(),
    }
}

fn value_on_the_command_line() -> CommandError {
    CommandError::usage(
        "a value on the command line is seen by other programs and kept in the shell's history",
    )
    .hint("let it be asked for with `--item NAME`, or give it by `--from-stdin NAME` or `--from-file NAME=FILE`")
    .hint("the value just typed may be in the history already: renew it if it is in use")
}
