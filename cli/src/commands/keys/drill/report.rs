//! Which SealedSecrets open, as a value: the JSON of `sceau keys drill -o json`.

use sealing::KeyId;
use serde::Serialize;

use crate::{
    error::Result,
    flags::ReportFormat,
    manifest::{self, Format, Located, ManifestLocation, Sealed, SourceSpan},
    ui,
};

/// Whether a SealedSecret opens.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Row {
    #[serde(flatten)]
    pub(super) location: ManifestLocation,
    /// The original's format does not say it.
    pub(super) environment: Option<String>,
    pub(super) result: Finding,
    /// The keys that opened it, one for each seal.
    pub(super) opened_by: Vec<String>,
    /// The keys of which one would open what does not, as far as it says so.
    pub(super) needs_one_of: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) message: Option<String>,
}

/// Whether a SealedSecret opens, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) enum Finding {
    /// It is of no format that is known.
    Malformed,
    /// Every item of it was unsealed.
    Opens,
    /// It belongs elsewhere, or was changed since it was sealed.
    Refused,
    /// It is sealed for keys that were revoked.
    RevokedSealingKey,
    /// No key of the backup opens it.
    UnknownSealingKey,
    /// The document cannot be read.
    Unreadable,
}

impl Finding {
    fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "Malformed",
            Self::Opens => "Opens",
            Self::Refused => "Refused",
            Self::RevokedSealingKey => "RevokedSealingKey",
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

    fn at(location: ManifestLocation) -> Self {
        Self {
            location,
            environment: None,
            result: Finding::Opens,
            opened_by: Vec::new(),
            needs_one_of: Vec::new(),
            message: None,
        }
    }

    /// A row for a SealedSecret.
    pub(super) fn of(object: &Located) -> Self {
        Self {
            environment: match &object.sealed {
                Sealed::Bitnami(_) => None,
                Sealed::Native(sealed) => Some(sealed.spec.environment.clone()),
            },
            ..Self::at(ManifestLocation::of(object))
        }
    }

    /// The same, with the keys that opened it.
    pub(super) fn opened_by(self, keys: &[KeyId]) -> Self {
        Self {
            opened_by: keys.iter().map(ToString::to_string).collect(),
            ..self
        }
    }

    /// The same, with the keys that would have opened it.
    pub(super) fn needing(self, keys: &[KeyId]) -> Self {
        Self {
            needs_one_of: keys.iter().map(ToString::to_string).collect(),
            ..self
        }
    }

    /// The same, with why it does not open.
    pub(super) fn with(self, result: Finding, message: &str) -> Self {
        Self {
            result,
            message: Some(message.to_owned()),
            ..self
        }
    }

    fn cells(&self) -> Vec<String> {
        vec![
            self.result.as_str().to_owned(),
            self.environment.clone().unwrap_or_else(|| "?".to_owned()),
            self.location.secret(),
            self.location.place(),
        ]
    }

    fn reason(&self) -> Option<String> {
        let message = self.message.as_ref()?;
        let place = self.location.place();
        let needed = match self.needs_one_of.as_slice() {
            [] => String::new(),
            needed => format!("\n  it takes {}", needed.join(" or ")),
        };
        Some(format!("\n{place}: {message}{needed}\n"))
    }
}

/// The report. A table leaves out what opens, and has the reasons below it.
pub(super) fn render(rows: &[Row], format: ReportFormat) -> Result<String> {
    Ok(match format {
        ReportFormat::Json => manifest::to_text(&rows, Format::Json)?.to_string(),
        ReportFormat::Yaml => manifest::to_text(&rows, Format::Yaml)?.to_string(),
        ReportFormat::Table => {
            let told = || rows.iter().filter(|row| row.result != Finding::Opens);
            if told().next().is_none() {
                return Ok(String::new());
            }
            let header = ["RESULT", "ENVIRONMENT", "SECRET", "WHERE"];
            let reasons: String = told().filter_map(Row::reason).collect();
            ui::table(&header, told().map(Row::cells)) + &reasons
        }
    })
}

/// How many open, in one line.
pub(super) fn summary(rows: &[Row]) -> String {
    let open = rows
        .iter()
        .filter(|row| row.result == Finding::Opens)
        .count();
    let all = sealed_secrets(rows.len());
    if open == rows.len() {
        format!("{all}: every item was unsealed, and dropped at once")
    } else {
        format!("{open} of {all} open")
    }
}

/// So many SealedSecrets.
pub(super) fn sealed_secrets(count: usize) -> String {
    match count {
        1 => "1 SealedSecret".to_owned(),
        several => format!("{several} SealedSecrets"),
    }
}
