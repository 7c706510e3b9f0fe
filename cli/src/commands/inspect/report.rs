//! The public facts about a SealedSecret: the JSON of `sceau inspect -o json`.

use jiff::Timestamp;
use sealing::{
    Scope,
    envelope::{
        bitnami as kubeseal,
        native::{Envelope, ParsedSeal},
    },
    resource::{SealedSecret, bitnami},
};
use serde::Serialize;

use crate::{
    error::with_causes,
    manifest::{Sealed, SourceSpan},
};

/// The public facts about a SealedSecret.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    pub(super) file: String,
    pub(super) document: usize,
    pub(super) line: usize,
    /// The API group and version.
    pub(super) api_version: &'static str,
    pub(super) namespace: Option<String>,
    pub(super) name: Option<String>,
    /// The kubeseal format has no environments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) environment: Option<String>,
    pub(super) scope: &'static str,
    #[serde(rename = "type")]
    pub(super) secret_type: String,
    pub(super) seals: Vec<SealReport>,
}

/// The public facts about a seal.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SealReport {
    /// When these values were sealed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sealed_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) age_seconds: Option<i64>,
    /// The keys that decrypt it; the kubeseal format does not name them.
    pub(super) recipients: Vec<RecipientReport>,
    pub(super) items: Vec<ItemReport>,
}

/// A key that decrypts a seal.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RecipientReport {
    pub(super) key_id: String,
    pub(super) suite: &'static str,
}

/// An item, whose name and size are public.
#[derive(Debug, Serialize)]
pub(super) struct ItemReport {
    pub(super) name: String,
    pub(super) bytes: usize,
}

impl Report {
    /// Reports on a SealedSecret. The error says why it is malformed.
    pub(super) fn of(sealed: &Sealed, origin: &SourceSpan, now: Timestamp) -> Result<Self, String> {
        let (name, namespace) = sealed.names();
        let report = Self {
            file: origin.file.clone(),
            document: origin.document,
            line: origin.line,
            api_version: "",
            namespace: namespace.map(str::to_owned),
            name: name.map(str::to_owned),
            environment: None,
            scope: Scope::Strict.as_str(),
            secret_type: String::new(),
            seals: Vec::new(),
        };
        match sealed {
            Sealed::Native(sealed) => report.native(sealed, now),
            Sealed::Bitnami(sealed) => report.bitnami(sealed),
        }
    }

    fn native(self, sealed: &SealedSecret, now: Timestamp) -> Result<Self, String> {
        let envelope = Envelope::parse(&sealed.spec).map_err(|error| with_causes(&error))?;
        let seals = envelope.seals.iter();
        Ok(Self {
            api_version: "sceau.dev/v1alpha1",
            environment: Some(envelope.environment.to_string()),
            scope: envelope.scope.as_str(),
            secret_type: sealed.spec.template.secret_type().to_owned(),
            seals: seals.map(|seal| SealReport::native(seal, now)).collect(),
            ..self
        })
    }

    fn bitnami(self, sealed: &bitnami::SealedSecret) -> Result<Self, String> {
        let secret_type = sealed
            .spec
            .template
            .as_ref()
            .and_then(|template| template.secret_type.clone())
            .filter(|secret_type| !secret_type.is_empty());
        Ok(Self {
            api_version: "bitnami.com/v1alpha1",
            scope: kubeseal::Scope::of(&sealed.metadata).as_str(),
            secret_type: secret_type.unwrap_or_else(|| "Opaque".to_owned()),
            seals: vec![SealReport::bitnami(&sealed.spec)?],
            ..self
        })
    }
}

impl SealReport {
    fn native(seal: &ParsedSeal, now: Timestamp) -> Self {
        Self {
            sealed_at: Some(seal.sealed_at),
            age_seconds: Some(now.as_second() - seal.sealed_at.as_second()),
            recipients: seal
                .recipients
                .iter()
                .map(|recipient| RecipientReport {
                    key_id: recipient.key_id.to_string(),
                    suite: recipient.suite.as_str(),
                })
                .collect(),
            items: seal
                .item_sizes()
                .map(|(name, bytes)| ItemReport {
                    name: name.to_string(),
                    bytes,
                })
                .collect(),
        }
    }

    /// The first kubeseal format sealed a Secret as a whole, so its items have no names.
    fn bitnami(spec: &bitnami::Spec) -> Result<Self, String> {
        let sealed = spec.encrypted_data.iter().flatten();
        let mut items = sealed
            .map(|(name, value)| {
                let text = value
                    .as_str()
                    .ok_or_else(|| format!("item `{name}` is not a string"))?;
                item(name, text)
            })
            .collect::<Result<Vec<_>, String>>()?;
        if let (true, Some(whole)) = (items.is_empty(), &spec.data) {
            items.push(item("(the whole Secret)", whole)?);
        }
        Ok(Self {
            sealed_at: None,
            age_seconds: None,
            recipients: Vec::new(),
            items,
        })
    }
}

fn item(name: &str, text: &str) -> Result<ItemReport, String> {
    let parsed = kubeseal::Item::parse(text).map_err(|error| format!("item `{name}`: {error}"))?;
    Ok(ItemReport {
        name: name.to_owned(),
        bytes: parsed.size(),
    })
}
