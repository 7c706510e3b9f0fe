//! `sceau inspect`: everything that a SealedSecret tells without a key.

use std::path::PathBuf;

use crate::{
    args::ReportFormat,
    error::Result,
    ui::Io,
};

/// Show what SealedSecrets say without any key
#[derive(Debug, clap::Args)]
pub(crate) struct InspectArguments {
    /// Files of SealedSecrets; `-` or none is standard input
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,

    /// How to write
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    output: ReportFormat,
}

pub(super) fn run(_: &InspectArguments, _: &mut Io<'_>) -> Result<()> { Ok(()) }
