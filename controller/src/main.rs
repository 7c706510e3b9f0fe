//! The program `sceau-controller`: parses the settings and returns the exit status.
//!
//! `sceau_controller::run` does the work.

use std::process::ExitCode;

use clap::Parser as _;
use sceau_controller::{Settings, log_to_stderr, run};

#[tokio::main]
async fn main() -> ExitCode {
    let settings = Settings::parse();
    log_to_stderr(settings.log_level);
    match run(settings).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "stopped with an error");
            ExitCode::FAILURE
        }
    }
}
