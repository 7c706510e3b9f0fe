//! `sceau certificate show`: the contents of certificates.

use std::path::PathBuf;

use jiff::Timestamp;
use sealing::{Certificate, EnvironmentName};
use serde::Serialize;

use crate::{
    error::{CommandError, Result},
    flags::ReportFormat,
    input,
    manifest::{self, Format},
    project::{self, Project, resolve},
    ui::{self, Io},
};

/// Show subject, key id, size and validity of certificates
///
/// Shows the given files, else the certificates of the given environment, else all certificates in
/// sceau.yaml.
#[derive(Debug, clap::Args)]
pub(crate) struct ShowArguments {
    /// Certificates in PEM; `-` means standard input
    #[arg(value_name = "FILE", conflicts_with = "environment")]
    files: Vec<PathBuf>,

    /// Show the certificates that this environment is sealed to
    #[arg(long, value_name = "NAME")]
    environment: Option<EnvironmentName>,

    /// The output format
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    output: ReportFormat,
}

/// The report on a certificate.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    file: String,
    /// Nothing if the file is missing.
    #[serde(flatten)]
    content: Option<Content>,
    state: &'static str,
}

/// The contents of a certificate.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Content {
    subject: String,
    key_id: String,
    bits: usize,
    not_before: Timestamp,
    not_after: Timestamp,
}

pub(in crate::commands) fn run(arguments: &ShowArguments, io: &mut Io<'_>) -> Result<()> {
    let reports = if arguments.files.is_empty() {
        arguments.pinned(io)?
    } else {
        arguments.named(io)?
    };
    let text = match arguments.output {
        ReportFormat::Json => manifest::to_text(&reports, Format::Json)?.to_string(),
        ReportFormat::Yaml => manifest::to_text(&reports, Format::Yaml)?.to_string(),
        ReportFormat::Table => table(&reports),
    };
    ui::print(io, text)
}

impl ShowArguments {
    /// The certificates on the command line.
    fn named(&self, io: &mut Io<'_>) -> Result<Vec<Report>> {
        let now = io.now;
        input::read_inputs(&self.files, "certificates", io)?
            .into_iter()
            .map(|input| {
                let text = input.text.trim_start_matches(input::BYTE_ORDER_MARK);
                match Certificate::parse_pem(text) {
                    Ok(certificate) => Ok(Report::of(input.label, &certificate, now)),
                    Err(error) => Err(CommandError::user(error).at(input.label)),
                }
            })
            .collect()
    }

    /// The certificates in the project file.
    fn pinned(&self, io: &Io<'_>) -> Result<Vec<Report>> {
        let project = Project::load(&io.directory)?;
        let environments = match &self.environment {
            Some(name) => vec![resolve::named(&project, name)?.1],
            None => project.environments.values().collect(),
        };
        let files = environments
            .iter()
            .flat_map(|settings| &settings.certificates);
        let reports = files
            .map(|file| {
                let certificate = project::read_pinned(&project.root, file)?;
                let file = file.display().to_string();
                Ok(match certificate {
                    Some(certificate) => Report::of(file, &certificate, io.now),
                    None => Report::missing(file),
                })
            })
            .collect::<Result<Vec<_>>>()?;
        if reports.is_empty() {
            return Err(CommandError::user("sceau.yaml names no certificate"));
        }
        if reports.iter().all(|report| report.content.is_none()) {
            return Err(
                CommandError::user("none of the certificates in sceau.yaml exists")
                    .hint("fetch them with `sceau certificate fetch --environment NAME`"),
            );
        }
        Ok(reports)
    }
}

impl Report {
    fn of(file: String, certificate: &Certificate, now: Timestamp) -> Self {
        let state = if now > certificate.not_after {
            "expired"
        } else if now < certificate.not_before {
            "not yet valid"
        } else {
            "valid"
        };
        Self {
            file,
            content: Some(Content {
                subject: certificate.subject.clone(),
                key_id: certificate.key_id().to_string(),
                bits: certificate.recipient.bits(),
                not_before: certificate.not_before,
                not_after: certificate.not_after,
            }),
            state,
        }
    }

    fn missing(file: String) -> Self {
        Self {
            file,
            content: None,
            state: "missing",
        }
    }
}

fn table(reports: &[Report]) -> String {
    let header = [
        "FILE",
        "SUBJECT",
        "KEY",
        "BITS",
        "NOT BEFORE",
        "NOT AFTER",
        "STATE",
    ];
    let rows = reports.iter().map(|report| {
        let cell = |text: fn(&Content) -> String| {
            let text = report.content.as_ref().map(text);
            text.unwrap_or_else(|| "-".to_owned())
        };
        vec![
            report.file.clone(),
            cell(|content| content.subject.clone()),
            cell(|content| content.key_id.clone()),
            cell(|content| content.bits.to_string()),
            cell(|content| content.not_before.to_string()),
            cell(|content| content.not_after.to_string()),
            report.state.to_owned(),
        ]
    });
    ui::table(&header, rows)
}
