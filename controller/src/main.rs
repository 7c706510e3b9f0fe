//! The program `sceau-controller`: parses its arguments and returns the exit status.
//!
//! `sceau_controller::run` does the work.

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

use clap::Parser as _;
use sceau_controller::{
    Arguments, Command, Settings, custom_resource_definitions, log_to_stderr, run,
};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match arguments.command {
        Some(Command::Crd) => print(&custom_resource_definitions()),
        None => control(arguments.settings),
    }
}

#[tokio::main]
async fn control(settings: Settings) -> ExitCode {
    log_to_stderr(settings.log_level);
    match run(settings).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "stopped with an error");
            ExitCode::FAILURE
        }
    }
}

fn print(text: &str) -> ExitCode {
    let mut stdout = io::stdout().lock();
    let written = stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush());
    match written {
        // A reader that has seen enough is not a failure.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            let _ = writeln!(
                io::stderr(),
                "error: cannot write to standard output: {error}"
            );
            ExitCode::FAILURE
        }
        _ => ExitCode::SUCCESS,
    }
}
