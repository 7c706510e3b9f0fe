//! The results of a drill: the JSON of `sceau keys drill -o json`.

use sealing::KeyId;
use serde::Serialize;

use crate::{
    error::Result,
    flags::ReportFormat,
    manifest::{self, Format, Located, ManifestLocation, Sealed, SourceSpan},
    ui,
};

/// The result of a SealedSecret.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DrillRow {
    #[serde(flatten)]
    pub(super) location: ManifestLocation,
    /// The kubeseal format does not name it.
    pub(super) environment: Option<String>,
    pub(super) result: DrillFinding,
    /// The keys that decrypted it, one for each seal.
    pub(super) decrypted_by: Vec<String>,
    /// The keys of which one is needed, if the manifest names them.
    pub(super) needs_one_of: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) message: Option<String>,
}

/// The result of a SealedSecret, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) enum DrillFinding {
    /// Its format is unknown or malformed.
    ///
    /// Cure: Seal the values again.
    Malformed,
    /// Decryption failed.
    ///
    /// Cure: Compare environment, namespace, name and scope with those it was sealed for.
    Refused,
    /// It is sealed for keys that were revoked.
    ///
    /// Cure: Rotate the values: `sceau set`.
    RevokedSealingKey,
    /// No key of the backup decrypts it.
    ///
    /// Cure: Back up the key that the message names: `sceau keys backup`.
    UnknownSealingKey,
    /// The document cannot be read.
    ///
    /// Cure: Correct the document. The message names the line.
    Unreadable,
    /// Every item was unsealed.
    ///
    /// Cure: Nothing.
    Unsealed,
}

impl DrillFinding {
    fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "Malformed",
            Self::Refused => "Refused",
            Self::RevokedSealingKey => "RevokedSealingKey",
            Self::UnknownSealingKey => "UnknownSealingKey",
            Self::Unreadable => "Unreadable",
            Self::Unsealed => "Unsealed",
        }
    }
}

impl DrillRow {
    /// A row for a document of which only the origin is known.
    pub(super) fn new(origin: &SourceSpan) -> Self {
        Self::at(ManifestLocation::at(origin))
    }

    fn at(location: ManifestLocation) -> Self {
        Self {
            location,
            environment: None,
            result: DrillFinding::Unsealed,
            decrypted_by: Vec::new(),
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

    /// The same row, with the keys that decrypted it.
    pub(super) fn decrypted_by(self, keys: &[KeyId]) -> Self {
        Self {
            decrypted_by: keys.iter().map(ToString::to_string).collect(),
            ..self
        }
    }

    /// The same row, with the keys of which one is needed.
    pub(super) fn needing(self, keys: &[KeyId]) -> Self {
        Self {
            needs_one_of: keys.iter().map(ToString::to_string).collect(),
            ..self
        }
    }

    /// The same row, with the reason of a failure.
    pub(super) fn with(self, result: DrillFinding, message: &str) -> Self {
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
            needed => format!("\n  it needs {}", needed.join(" or ")),
        };
        Some(format!("\n{place}: {message}{needed}\n"))
    }
}

/// The report. A table leaves out what was unsealed, and has the reasons below.
pub(super) fn render(rows: &[DrillRow], format: ReportFormat) -> Result<String> {
    Ok(match format {
        ReportFormat::Json => manifest::to_text(&rows, Format::Json)?.to_string(),
        ReportFormat::Yaml => manifest::to_text(&rows, Format::Yaml)?.to_string(),
        ReportFormat::Table => {
            let failed = || {
                rows.iter()
                    .filter(|row| row.result != DrillFinding::Unsealed)
            };
            if failed().next().is_none() {
                return Ok(String::new());
            }
            let header = ["RESULT", "ENVIRONMENT", "SECRET", "WHERE"];
            let reasons: String = failed().filter_map(DrillRow::reason).collect();
            ui::table(&header, failed().map(DrillRow::cells)) + &reasons
        }
    })
}

/// The number of unsealed ones, in one line.
pub(super) fn summary(rows: &[DrillRow]) -> String {
    let unsealed = rows
        .iter()
        .filter(|row| row.result == DrillFinding::Unsealed)
        .count();
    let all = sealed_secrets(rows.len());
    if unsealed == rows.len() {
        format!("{all}: every item was unsealed, and its value dropped at once")
    } else {
        format!("unsealed: {unsealed} of {all}")
    }
}

/// A count of SealedSecrets, in words.
pub(super) fn sealed_secrets(count: usize) -> String {
    match count {
        1 => "1 SealedSecret".to_owned(),
        several => format!("{several} SealedSecrets"),
    }
}
