//! Reading pinned certificates, the recipients of an environment.

use std::{collections::BTreeMap, path::Path};

use jiff::Timestamp;
use sealing::{Certificate, CertificateError, EnvironmentName, KeyId, Recipient};

use super::{Environment, FILE_NAME, Project};
use crate::{
    error::{CommandError, Result},
    input,
};

/// Reads the one certificate of a PEM file, without checking its dates.
fn read_certificate(directory: &Path, file: &Path) -> Result<Certificate> {
    let text = input::read_text(directory, file)?;
    parse_certificate(&text).map_err(|error| error.at(file.display()))
}

/// Reads a PEM text to pin: one certificate and no private key. Anything else in the file would be
/// ignored in silence, so it is an error.
pub(crate) fn parse_certificate(text: &str) -> Result<Certificate> {
    let begins = |label: &'static str| {
        let labels = text
            .lines()
            .filter_map(|line| line.strip_prefix("-----BEGIN "));
        labels.filter(move |line| line.trim_end().ends_with(label))
    };
    if begins("PRIVATE KEY-----").next().is_some() {
        return Err(CommandError::user("the file holds a private key")
            .hint("keep it out of the repository, and renew it if it was committed"));
    }
    if begins("CERTIFICATE-----").nth(1).is_some() {
        return Err(
            CommandError::user("the file holds more than one certificate")
                .hint("put each in a file of its own, and list the files under `certificates:`"),
        );
    }
    Certificate::parse_pem(text).map_err(CommandError::user)
}

/// Reads a certificate, whose file may not exist yet.
pub(crate) fn read_pinned(directory: &Path, file: &Path) -> Result<Option<Certificate>> {
    if directory.join(file).exists() {
        read_certificate(directory, file).map(Some)
    } else {
        Ok(None)
    }
}

/// The recipients of an environment: every one of its certificates, each usable at `now`.
pub(crate) fn recipients(
    project: &Project,
    name: &EnvironmentName,
    environment: &Environment,
    now: Timestamp,
) -> Result<Vec<Recipient>> {
    if environment.certificates.is_empty() {
        return Err(CommandError::user(format!(
            "{FILE_NAME}: environment `{name}` has no certificates to seal to"
        ))
        .hint(format!(
            "add one under environments.{name}.certificates, and run `sceau certificate fetch --environment {name}`"
        )));
    }
    let people = people_by_key(project)?;
    let others = others_by_key(project, name);
    environment
        .certificates
        .iter()
        .map(|relative| {
            let certificate =
                read_pinned(&project.root, relative)?.ok_or_else(|| missing(name, relative))?;
            if let Some(person) = people.get(&certificate.key_id()) {
                return Err(belongs_to_person(name, relative, person));
            }
            if let Some((other, file)) = others.get(&certificate.key_id()) {
                return Err(belongs_to_other(name, relative, other, file));
            }
            certificate
                .check_validity(now)
                .map_err(|error| unusable(relative, &error).hint(fetch_hint(name)))?;
            Ok(certificate.recipient)
        })
        .collect()
}

fn people_by_key(project: &Project) -> Result<BTreeMap<KeyId, &str>> {
    project
        .people
        .iter()
        .filter_map(|(person, settings)| Some((person, settings.certificate.as_ref()?)))
        .map(|(person, relative)| {
            let certificate = read_certificate(&project.root, relative)?;
            Ok((certificate.key_id(), person.as_str()))
        })
        .collect()
}

/// The certificates of the other environments. Unreadable ones are reported when they are sealed
/// to.
fn others_by_key<'a>(
    project: &'a Project,
    name: &EnvironmentName,
) -> BTreeMap<KeyId, (&'a EnvironmentName, &'a Path)> {
    let others = project
        .environments
        .iter()
        .filter(|(other, _)| *other != name);
    others
        .flat_map(|(other, environment)| {
            environment
                .certificates
                .iter()
                .map(move |file| (other, file))
        })
        .filter_map(|(other, file)| {
            let certificate = read_pinned(&project.root, file).ok()??;
            Some((certificate.key_id(), (other, file.as_path())))
        })
        .collect()
}

/// A person's key must not decrypt the values of an environment.
fn belongs_to_person(name: &EnvironmentName, relative: &Path, person: &str) -> CommandError {
    let relative = relative.display();
    CommandError::user(format!(
        "{relative} is the certificate of `{person}`, so environment `{name}` cannot be sealed to it"
    ))
    .hint(format!(
        "remove it from environments.{name}.certificates: only certificates of clusters belong there"
    ))
}

/// A key of one environment must not decrypt the values of another.
fn belongs_to_other(
    name: &EnvironmentName,
    relative: &Path,
    other: &EnvironmentName,
    file: &Path,
) -> CommandError {
    CommandError::user(format!(
        "{} of environment `{name}` has the key of {} of environment `{other}`",
        relative.display(),
        file.display(),
    ))
    .hint(format!(
        "fetch the certificates of both environments again, first with `sceau certificate fetch --environment {name}`"
    ))
}

fn missing(name: &EnvironmentName, relative: &Path) -> CommandError {
    CommandError::user(format!(
        "environment `{name}` is sealed to {}, which does not exist",
        relative.display()
    ))
    .hint(fetch_hint(name))
}

fn unusable(file: &Path, error: &CertificateError) -> CommandError {
    CommandError::user(format!("{}: {error}", file.display()))
}

fn fetch_hint(name: &EnvironmentName) -> String {
    format!("fetch the current certificate with `sceau certificate fetch --environment {name}`")
}
