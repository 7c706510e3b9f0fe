//! The pinned certificates of the environments to reseal.

use std::{collections::BTreeMap, path::PathBuf};

use jiff::Timestamp;
use sealing::{EnvironmentName, Recipient, resource::WrappedFileKey};

use super::{Request, SealedFile, concerns, environment};
use crate::{
    error::Result,
    project::{self, Project, resolve},
};

/// The pinned certificates by environment: seals are wrapped for them.
pub(in crate::reseal) struct Pins(BTreeMap<EnvironmentName, Vec<Pin>>);

/// A pinned certificate.
#[derive(Debug, Clone)]
pub(crate) struct Pin {
    /// Its file, as in the project file.
    pub(crate) certificate: PathBuf,
    pub(crate) recipient: Recipient,
}

impl Pin {
    /// Every pinned certificate of an environment, each usable at `now`.
    pub(crate) fn all(
        project: &Project,
        environment: &EnvironmentName,
        now: Timestamp,
    ) -> Result<Vec<Self>> {
        let (name, settings) = resolve::named(project, environment)?;
        let recipients = project::recipients(project, name, settings, now)?;
        let pins = settings.certificates.iter().cloned().zip(recipients);
        Ok(pins
            .map(|(certificate, recipient)| Self {
                certificate,
                recipient,
            })
            .collect())
    }

    /// The id of its key, as manifests write it.
    pub(in crate::reseal) fn id(&self) -> String {
        self.recipient.id().to_string()
    }

    pub(in crate::reseal) fn is_among(&self, recipients: &[WrappedFileKey]) -> bool {
        let id = self.id();
        recipients.iter().any(|recipient| recipient.key_id == id)
    }
}

impl Pins {
    /// Reads the certificates of every environment that a file has seals for.
    pub(in crate::reseal) fn read(
        files: &[SealedFile],
        request: &Request<'_>,
        project: &Project,
        now: Timestamp,
    ) -> Result<Self> {
        let mut pins = BTreeMap::new();
        for file in files {
            for object in file.objects.iter().flatten() {
                let found = environment(object, file, request, project);
                if let (true, Ok(name)) = (concerns(request, object, &found), &found)
                    && !pins.contains_key(*name)
                {
                    pins.insert((*name).clone(), Pin::all(project, name, now)?);
                }
            }
        }
        Ok(Self(pins))
    }

    /// Replaces the certificate of the same file.
    pub(in crate::reseal) fn replace(&mut self, environment: &EnvironmentName, new: &Pin) {
        let pins = self.0.get_mut(environment).into_iter().flatten();
        for pin in pins.filter(|pin| pin.certificate == new.certificate) {
            pin.clone_from(new);
        }
    }

    /// The pinned certificates of one environment.
    pub(in crate::reseal) fn of(&self, environment: &EnvironmentName) -> &[Pin] {
        self.0.get(environment).map_or(&[], Vec::as_slice)
    }
}
