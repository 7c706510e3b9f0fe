//! The streams, clock and directory of a command, and all messages that it prints.
//!
//! Results go to standard output; notes, warnings and errors go to standard error. Messages are
//! written with styles: the streams in [`Io`] strip them where they do not belong.

mod progress;

use std::{
    fmt,
    io::{self, BufRead, Write},
    path::PathBuf,
};

use anstyle::{AnsiColor, Style};
use jiff::Timestamp;
use zeroize::Zeroizing;

use crate::error::{CommandError, Kind, Result};

pub(crate) use progress::Progress;

/// The process that a command runs in.
pub struct Io<'a> {
    /// Standard input.
    pub stdin: &'a mut dyn BufRead,
    /// Standard output, for results, which are written as they are.
    pub stdout: &'a mut dyn Write,
    /// Standard output, for help: it strips styles unless it is a terminal.
    pub help: &'a mut dyn Write,
    /// Standard error: it strips styles unless it is a terminal.
    pub stderr: &'a mut dyn Write,
    /// Prompts at the terminal for one line, without echo.
    pub prompt: &'a mut dyn FnMut(&str) -> io::Result<Zeroizing<String>>,
    /// Which streams are terminals.
    pub terminals: Terminals,
    /// The present instant.
    pub now: Timestamp,
    /// The working directory.
    pub directory: PathBuf,
}

/// Which streams are terminals.
#[derive(Debug, Clone, Copy)]
pub struct Terminals {
    /// Whether a person types the input.
    pub stdin: bool,
    /// Whether a person sees the output.
    pub stdout: bool,
}

const ERROR: Style = AnsiColor::Red.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default().bold();
const NOTE: Style = AnsiColor::Green.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();

/// Prints what was done.
pub(crate) fn note(io: &mut Io<'_>, text: impl fmt::Display) {
    print_labelled(io, NOTE, "note", &text.to_string());
}

/// Prints what may be wrong.
pub(crate) fn warn(io: &mut Io<'_>, text: impl fmt::Display) {
    print_labelled(io, WARNING, "warning", &text.to_string());
}

/// Writes a result to standard output.
pub(crate) fn print(io: &mut Io<'_>, text: impl AsRef<[u8]>) -> Result<()> {
    let written = io.stdout.write_all(text.as_ref());
    written
        .and_then(|()| io.stdout.flush())
        .map_err(|error| CommandError::stdout(&error))
}

/// Asks for confirmation. Any answer but yes means no.
pub(crate) fn confirm(io: &mut Io<'_>, question: &str) -> Result<bool> {
    let mut answer = String::new();
    write!(io.stderr, "{question} [y/N] ")
        .and_then(|()| io.stderr.flush())
        .and_then(|()| io.stdin.read_line(&mut answer))
        .map_err(|error| CommandError::user(format!("cannot read the answer: {error}")))?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes" | "Yes" | "YES"))
}

/// Shows an error with its hints and returns the exit code.
pub(crate) fn show_error(io: &mut Io<'_>, error: &CommandError) -> u8 {
    if error.kind != Kind::OutputClosed {
        let label = match error.kind {
            Kind::Bug => "error (a bug in sceau)",
            _ => "error",
        };
        print_labelled(io, ERROR, label, &error.message);
        for hint in &error.hints {
            print_labelled(io, HINT, "hint", hint);
        }
    }
    error.kind.exit_code()
}

/// Shows help, the version or an error of the command line, and returns the exit code.
pub(crate) fn show_usage(io: &mut Io<'_>, answer: &clap::Error) -> u8 {
    let text = answer.render();
    if answer.use_stderr() {
        // Nothing can report that standard error is closed.
        let _ = write!(io.stderr, "{}", text.ansi());
        return Kind::Usage.exit_code();
    }
    let written = write!(io.help, "{}", text.ansi()).and_then(|()| io.help.flush());
    match written {
        Ok(()) => 0,
        Err(error) => show_error(io, &CommandError::stdout(&error)),
    }
}

/// One line of untrusted text: control characters are escaped, so that none reaches the terminal.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() {
            escaped.extend(character.escape_default());
        } else {
            escaped.push(character);
        }
    }
    escaped
}

/// Prints one labelled message. Its further lines are indented like the first.
fn print_labelled(io: &mut Io<'_>, style: Style, label: &str, text: &str) {
    let indent = format!("\n{}", " ".repeat(label.len() + 2));
    let lines: Vec<String> = text.split('\n').map(escaped).collect();
    let text = lines.join(&indent);
    // Nothing can report that standard error is closed.
    let _ = writeln!(io.stderr, "{style}{label}:{style:#} {text}");
}

/// A table as kubectl prints it: no rules, columns three spaces apart, cells escaped.
pub(crate) fn table(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = comfy_table::Table::new();
    table
        .load_preset(comfy_table::presets::NOTHING)
        .set_header(header)
        .add_rows(
            rows.into_iter()
                .map(|row| row.into_iter().map(|cell| escaped(&cell))),
        );
    for column in table.column_iter_mut() {
        column.set_padding((0, 3));
    }
    let lines = table.lines().map(|line| format!("{}\n", line.trim_end()));
    lines.collect()
}

/// The time between two instants in its largest unit, as kubectl prints ages.
pub(crate) fn age(since: Timestamp, now: Timestamp) -> String {
    let seconds = (now.as_second() - since.as_second()).max(0);
    match seconds {
        0..120 => format!("{seconds}s"),
        120..7_200 => format!("{}m", seconds / 60),
        7_200..172_800 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}
