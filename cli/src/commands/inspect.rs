//! `sceau inspect`: everything that a SealedSecret shows without a key.

mod report;
mod table;

use std::path::PathBuf;

use self::report::Report;
use crate::{
    error::{CommandError, Result},
    flags::ReportFormat,
    input,
    manifest::{self, Format, Object},
    ui::{self, Io},
};

/// Show what SealedSecrets say without a key
///
/// For the sceau format and the kubeseal format. Shows where the SealedSecret may be unsealed, the
/// names and sizes of its items, the keys of each seal, and the ages of the values. None of this is
/// secret, and none of it is authenticated before the SealedSecret is unsealed.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct InspectArguments {
    /// Files of SealedSecrets; `-` or no file means standard input
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,

    /// The output format
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    output: ReportFormat,
}

const EXAMPLES: &str = "\
Examples:
  sceau inspect deploy/api/prod/secret.yaml

  List every key that the SealedSecrets of a cluster need:
    kubectl get sealedsecrets.sceau.dev -A -o yaml | sceau inspect -o json |
      jq -r '.[].seals[].recipients[].keyId' | sort | uniq -c";

pub(super) fn run(arguments: &InspectArguments, io: &mut Io<'_>) -> Result<()> {
    let reports = read(&arguments.files, io)?;
    if reports.is_empty() {
        return Err(CommandError::user("the input has no SealedSecret"));
    }
    let text = match arguments.output {
        ReportFormat::Json => manifest::to_text(&reports, Format::Json)?.to_string(),
        ReportFormat::Yaml => manifest::to_text(&reports, Format::Yaml)?.to_string(),
        ReportFormat::Table => table::render(&reports, io.now),
    };
    ui::print(io, text)
}

/// Documents of other kinds are skipped, with a warning for a Secret.
fn read(files: &[PathBuf], io: &mut Io<'_>) -> Result<Vec<Report>> {
    let mut reports = Vec::new();
    for input in input::read_inputs(files, "SealedSecrets", io)? {
        for (origin, object) in manifest::read_all(&input.label, &input.text)? {
            match object {
                Object::Sealed(sealed) => {
                    let report = Report::of(&sealed, &origin, io.now);
                    reports.push(report.map_err(|problem| origin.error(problem))?);
                }
                Object::Secret(_) => {
                    ui::warn(io, format_args!("{origin}: this Secret is not sealed"));
                }
                Object::Other(_) => {}
            }
        }
    }
    Ok(reports)
}
