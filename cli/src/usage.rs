//! Errors of a command line, without repeating a value that it may hold.

use std::error::Error;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use sealing::NameError;

use crate::error::CommandError;

/// The error for a command line that may hold a value, which clap's own message would repeat.
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

/// The error of an argument's value. Of our parsers, only the error of a name repeats the input.
fn without_value(problem: &(dyn Error + 'static)) -> String {
    match problem.downcast_ref::<NameError>() {
        Some(error) => error.rule().to_string(),
        None => problem.to_string(),
    }
}

fn value_on_the_command_line() -> CommandError {
    CommandError::usage(
        "values are not accepted on the command line: other programs can see them, and the shell keeps them in its history",
    )
    .hint("use `--item NAME` for a prompt, or `--from-stdin NAME` or `--from-file NAME=FILE`")
    .hint("rotate the value that you typed if it is in use: it may be in the shell's history")
}
