//! The program `sceau`: passes the streams, clock and directory of the process to [`sceau::run`].

use std::{
    io::{self, IsTerminal as _, Write as _},
    panic::PanicHookInfo,
    path::PathBuf,
    process::{self, ExitCode},
};

use jiff::Timestamp;
use sceau::{Io, Terminals};

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(report_bug));
    let terminals = Terminals {
        stdin: io::stdin().is_terminal(),
        stdout: io::stdout().is_terminal(),
    };
    ExitCode::from(sceau::run(
        std::env::args_os(),
        &mut Io {
            stdin: &mut io::stdin().lock(),
            stdout: &mut io::stdout(),
            help: &mut anstream::stdout(),
            stderr: &mut anstream::stderr(),
            prompt: &mut |question| rpassword::prompt_password(question).map(Into::into),
            terminals,
            now: Timestamp::now(),
            directory: std::env::current_dir().unwrap_or_else(|_| PathBuf::from(".")),
        },
    ))
}

/// Ends the program with the exit code for bugs. The message of the panic is left out, because it
/// could hold a value.
fn report_bug(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map_or_else(String::new, |place| {
        format!(" at {}:{}", place.file(), place.line())
    });
    let _ = writeln!(
        io::stderr(),
        "error: a bug in sceau{place}; please report it"
    );
    process::exit(i32::from(sceau::BUG));
}
