//! `sceau certificate`

use crate::{error::Result, ui::Io};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum CertificateCommand { /// Show
 Show }

pub(super) fn run(_: &CertificateCommand, _: &mut Io<'_>) -> Result<()> { Ok(()) }
