//! `sceau init`

use crate::{error::Result, ui::Io};

/// Set a repository up
#[derive(Debug, clap::Args)]
pub(crate) struct InitArguments {}

pub(super) fn run(_: &InitArguments, _: &mut Io<'_>) -> Result<()> { Ok(()) }
