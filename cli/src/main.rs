//! The program `sceau`: it only gathers what belongs to the process and hands it to [`sceau::run`].

use std::{
    io::{self, IsTerminal as _},
    path::PathBuf,
    process::ExitCode,
};

use jiff::Timestamp;
use sceau::{Io, Terminals};

fn main() -> ExitCode {
    let terminals = Terminals {
        stdin: io::stdin().is_terminal(),
        stdout: io::stdout().is_terminal(),
    };
    ExitCode::from(sceau::run(
        std::env::args_os(),
        &mut Io {
            stdin: &mut io::stdin().lock(),
            stdout: &mut io::stdout().lock(),
            help: &mut anstream::stdout().lock(),
            stderr: &mut anstream::stderr().lock(),
            prompt: &mut |question| rpassword::prompt_password(question).map(Into::into),
            terminals,
            now: Timestamp::now(),
            directory: std::env::current_dir().unwrap_or_else(|_| PathBuf::from(".")),
        },
    ))
}
