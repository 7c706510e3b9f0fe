//! The program `sceau-controller`: settings in, exit status out.
//!
//! It decides nothing; `sceau_controller::run` does the work.

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
            tracing::error!(%error, "ended");
            ExitCode::FAILURE
        }
    }
}
