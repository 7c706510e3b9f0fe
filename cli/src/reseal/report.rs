//! The result of each seal: the JSON of `sceau reseal -o json`.

use serde::Serialize;

use super::finding::{Finding, Problem};
use crate::{
    error::Result,
    flags::ReportFormat,
    manifest::{self, Format, Located, ManifestLocation, SourceSpan},
    ui,
};

/// The result of a seal.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ResealRow {
    #[serde(flatten)]
    pub(super) location: ManifestLocation,
    pub(super) environment: Option<String>,
    /// Counted from 1; the kubeseal format has no seals.
    pub(super) seal: Option<usize>,
    pub(super) result: Finding,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) message: Option<String>,
}

impl ResealRow {
    /// A row for a document of which only the origin is known.
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

    /// The same row with a result.
    pub(super) fn with(self, problem: Problem) -> Self {
        Self {
            result: problem.finding,
            message: Some(problem.message).filter(|message| !message.is_empty()),
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

/// The report. A table leaves out current seals, and has the reasons below.
pub(super) fn render(rows: &[ResealRow], format: ReportFormat) -> Result<String> {
    Ok(match format {
        ReportFormat::Json => manifest::to_text(&rows, Format::Json)?.to_string(),
        ReportFormat::Yaml => manifest::to_text(&rows, Format::Yaml)?.to_string(),
        ReportFormat::Table => {
            let reported = || rows.iter().filter(|row| row.result != Finding::Current);
            if reported().next().is_none() {
                return Ok(String::new());
            }
            let header = ["RESULT", "ENVIRONMENT", "SECRET", "SEAL", "WHERE"];
            ui::table(&header, reported().map(ResealRow::cells)) + &reasons(rows)
        }
    })
}

/// Each reason once, with its places.
fn reasons(rows: &[ResealRow]) -> String {
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

/// The results in one line.
pub(super) fn summary(rows: &[ResealRow]) -> String {
    let count = |is: &dyn Fn(Finding) -> bool| rows.iter().filter(|row| is(row.result)).count();
    let counted = [
        ("resealed", count(&|finding| finding == Finding::Resealed)),
        ("stale", count(&|finding| finding == Finding::Stale)),
        (
            "already current",
            count(&|finding| finding == Finding::Current),
        ),
        ("could not be resealed", count(&Finding::is_failure)),
    ];
    let parts: Vec<_> = counted
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(what, count)| format!("{count} {what}"))
        .collect();
    match parts.as_slice() {
        [] => "found no SealedSecrets".to_owned(),
        parts => format!("seals: {}", parts.join(", ")),
    }
}

/// A count of seals, in words.
pub(crate) fn seals(count: usize) -> String {
    match count {
        1 => "1 seal".to_owned(),
        several => format!("{several} seals"),
    }
}
