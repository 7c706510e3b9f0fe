//! What became of each seal, as a value: the JSON of `sceau reseal -o json`.

use serde::Serialize;

use super::plan::Problem;
use crate::{
    error::Result,
    flags::ReportFormat,
    manifest::{self, Format, Located, ManifestLocation, SourceSpan},
    ui,
};

/// What became of a seal.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Row {
    #[serde(flatten)]
    pub(super) location: ManifestLocation,
    pub(super) environment: Option<String>,
    /// Counted from 1; the original's format knows no seals.
    pub(super) seal: Option<usize>,
    pub(super) result: Finding,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) message: Option<String>,
}

/// What became of a seal, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) enum Finding {
    /// The cluster wraps for a key that is not pinned.
    ActiveKeyNotPinned,
    /// It was, and is, at the current recipients.
    Current,
    /// Some pinned recipient is missing that nobody here can wrap for.
    Incomplete,
    /// It is of no format that is known.
    Malformed,
    /// The text cannot be changed in place.
    NotEditable,
    /// The original's items need private keys.
    NotThroughCluster,
    /// The file could not be written.
    NotWritten,
    /// It belongs elsewhere, or was changed since it was sealed.
    Refused,
    /// It was wrapped for the current recipients.
    Resealed,
    /// It is sealed for keys that were revoked.
    RevokedSealingKey,
    /// An item of the original cannot be sealed to several keys.
    SeveralCertificates,
    /// It would be resealed.
    Stale,
    /// The project file does not have its environment.
    UnknownEnvironment,
    /// None of the keys opens it.
    UnknownSealingKey,
    /// The document cannot be read.
    Unreadable,
}

impl Finding {
    /// Whether the seal is not at the current recipients, and would not be by running this again.
    pub(super) fn is_failure(self) -> bool {
        !matches!(self, Self::Current | Self::Resealed | Self::Stale)
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::ActiveKeyNotPinned => "ActiveKeyNotPinned",
            Self::Current => "Current",
            Self::Incomplete => "Incomplete",
            Self::Malformed => "Malformed",
            Self::NotEditable => "NotEditable",
            Self::NotThroughCluster => "NotThroughCluster",
            Self::NotWritten => "NotWritten",
            Self::Refused => "Refused",
            Self::Resealed => "Resealed",
            Self::RevokedSealingKey => "RevokedSealingKey",
            Self::SeveralCertificates => "SeveralCertificates",
            Self::Stale => "Stale",
            Self::UnknownEnvironment => "UnknownEnvironment",
            Self::UnknownSealingKey => "UnknownSealingKey",
            Self::Unreadable => "Unreadable",
        }
    }
}

impl Row {
    /// A row for something of which nothing but its origin is known.
    pub(super) fn new(origin: &SourceSpan) -> Self {
        Self::at(ManifestLocation::at(origin))
    }

    /// A row for a SealedSecret.
    pub(super) fn of(object: &Located) -> Self {
        Self::at(ManifestLocation::of(object))
    }

    fn at(location: ManifestLocation) -> Self {
        Self {
            location,
            environment: None,
            seal: None,
            result: Finding::Current,
            message: None,
        }
    }

    /// The same with what became of it.
    pub(super) fn with(self, problem: Problem) -> Self {
        Self {
            result: problem.finding,
            message: Some(problem.message).filter(|it| !it.is_empty()),
            ..self
        }
    }

    fn cells(&self) -> Vec<String> {
        vec![
            self.result.as_str().to_owned(),
            self.environment.clone().unwrap_or_else(|| "?".to_owned()),
            self.location.secret(),
            self.seal.map_or_else(String::new, |seal| seal.to_string()),
            self.location.place(),
        ]
    }
}

/// The report. A table leaves out what is current, and has the reasons below it.
pub(super) fn render(rows: &[Row], format: ReportFormat) -> Result<String> {
    Ok(match format {
        ReportFormat::Json => manifest::to_text(&rows, Format::Json)?.to_string(),
        ReportFormat::Yaml => manifest::to_text(&rows, Format::Yaml)?.to_string(),
        ReportFormat::Table => {
            let told = || rows.iter().filter(|row| row.result != Finding::Current);
            if told().next().is_none() {
                return Ok(String::new());
            }
            let header = ["RESULT", "ENVIRONMENT", "SECRET", "SEAL", "WHERE"];
            ui::table(&header, told().map(Row::cells)) + &reasons(rows)
        }
    })
}

/// Each reason once, with where it holds.
fn reasons(rows: &[Row]) -> String {
    let mut reasons: Vec<(&str, Vec<String>)> = Vec::new();
    for row in rows {
        let Some(message) = row.message.as_deref() else {
            continue;
        };
        let place = row.location.place();
        match reasons.iter_mut().find(|(known, _)| *known == message) {
            Some((_, places)) => places.push(place),
            None => reasons.push((message, vec![place])),
        }
    }
    let lines = reasons.into_iter().map(|(message, mut places)| {
        places.dedup();
        format!("\n{}: {message}\n", places.join(", "))
    });
    lines.collect()
}

/// What was done, in one line.
pub(super) fn summary(rows: &[Row]) -> String {
    let count = |is: &dyn Fn(Finding) -> bool| rows.iter().filter(|it| is(it.result)).count();
    let counted = [
        ("resealed", count(&|it| it == Finding::Resealed)),
        ("stale", count(&|it| it == Finding::Stale)),
        ("current before", count(&|it| it == Finding::Current)),
        ("could not be resealed", count(&Finding::is_failure)),
    ];
    let parts: Vec<_> = counted
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(what, count)| format!("{count} {what}"))
        .collect();
    match parts.as_slice() {
        [] => "there is no SealedSecret here".to_owned(),
        parts => format!("seals: {}", parts.join(", ")),
    }
}

/// So many seals.
pub(crate) fn seals(count: usize) -> String {
    match count {
        1 => "1 seal".to_owned(),
        several => format!("{several} seals"),
    }
}
