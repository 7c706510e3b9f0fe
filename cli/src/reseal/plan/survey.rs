//! Which seals of an environment there are, and whom they are wrapped for.

use sealing::{EnvironmentName, KeyId, resource::Seal};
use serde::Serialize;

use super::{Request, SealedFile, concerns, environment, texts};
use crate::{
    manifest::{Located, ManifestLocation, Sealed},
    project::Project,
};

/// A seal, a SealedSecret of the original, or a document that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FoundSeal {
    #[serde(flatten)]
    pub(crate) location: ManifestLocation,
    /// Counted from 1; the original's format knows no seals.
    pub(crate) seal: Option<usize>,
    /// The names of its items.
    pub(crate) items: Vec<String>,
    /// The ids of the keys that open it, or why they cannot be told.
    #[serde(skip)]
    pub(crate) recipients: Result<Vec<String>, String>,
}

const UNNAMED: &str = "the original's items do not say which key they are sealed to: ask `sceau reseal --dry-run --keys FILE`";

/// Every seal of one environment, and what may be of it.
pub(crate) fn survey(
    files: &[SealedFile],
    name: &EnvironmentName,
    project: &Project,
) -> Vec<FoundSeal> {
    let request = Request {
        environment: Some(name),
        namespace: None,
    };
    let mut found = Vec::new();
    for file in files {
        for object in &file.objects {
            match object {
                Ok(object) => {
                    let environment = environment(object, file, &request, project);
                    if concerns(&request, object, &environment) {
                        found.extend(seals_of(object));
                    }
                }
                Err(unreadable) => found.push(FoundSeal {
                    recipients: Err(unreadable.problem.clone()),
                    ..FoundSeal::at(ManifestLocation::at(&unreadable.origin))
                }),
            }
        }
    }
    found
}

fn seals_of(object: &Located) -> Vec<FoundSeal> {
    let whole = FoundSeal::at(ManifestLocation::of(object));
    match &object.sealed {
        Sealed::Native(sealed) => (1..)
            .zip(&sealed.spec.seals)
            .map(|(number, seal)| whole.with(number, seal))
            .collect(),
        Sealed::Bitnami(sealed) => match texts(&sealed.spec) {
            Ok(texts) if texts.is_empty() => Vec::new(),
            texts => vec![FoundSeal {
                items: sealed
                    .spec
                    .encrypted_data
                    .iter()
                    .flatten()
                    .map(|(name, _)| name.clone())
                    .collect(),
                recipients: Err(texts
                    .err()
                    .map_or_else(|| UNNAMED.to_owned(), |it| it.message)),
                ..whole
            }],
        },
    }
}

impl FoundSeal {
    fn at(location: ManifestLocation) -> Self {
        Self {
            location,
            seal: None,
            items: Vec::new(),
            recipients: Ok(Vec::new()),
        }
    }

    fn with(&self, number: usize, seal: &Seal) -> Self {
        Self {
            seal: Some(number),
            items: seal.items.keys().cloned().collect(),
            recipients: Ok(seal.recipients.iter().map(|it| it.key_id.clone()).collect()),
            ..self.clone()
        }
    }

    /// Whether it says that this key opens it.
    pub(crate) fn is_wrapped_for(&self, id: KeyId) -> bool {
        let id = id.to_string();
        self.recipients.iter().flatten().any(|it| *it == id)
    }
}
