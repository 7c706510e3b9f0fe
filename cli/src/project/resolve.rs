//! Pure decisions from flags, project file and manifests. Nothing is read or written here.

use std::{collections::BTreeMap, path::Path};

use sealing::{EnvironmentName, Namespace, Secret, SecretRef};

use crate::{
    error::{CommandError, Result},
    manifest::SecretObject,
    project::{Environment, FILE_NAME, Project},
};

mod metadata;
#[cfg(test)]
mod tests;

/// What the environment of a file is decided from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EnvironmentHints<'a> {
    /// The value of `--environment`.
    pub(crate) requested: Option<&'a EnvironmentName>,
    /// The file that is read, absolute.
    pub(crate) input: Option<&'a Path>,
    /// The file that is written, absolute.
    pub(crate) target: Option<&'a Path>,
}

/// The decision on an environment.
#[derive(Debug)]
pub(crate) struct Decision<'a> {
    pub(crate) name: &'a EnvironmentName,
    /// How the path rules contradict it.
    pub(crate) conflict: Option<String>,
}

/// Decides the environment: `--environment`, else the path rules for the file that is read, else
/// the path rules for the file that is written.
pub(crate) fn environment<'a>(
    project: &'a Project,
    hints: EnvironmentHints<'_>,
) -> Result<Decision<'a>> {
    let input = by_path(project, hints.input)?;
    let target = by_path(project, hints.target)?;
    // An explicit flag wins over the path rules, but the caller warns: a value for the wrong
    // environment may be readable by other people.
    if let Some(requested) = hints.requested {
        let (name, _) = named(project, requested)?;
        let conflict = [input, target]
            .into_iter()
            .flatten()
            .find(|owned| owned.name != name);
        return Ok(Decision {
            name,
            conflict: conflict.map(|owned| owned.to_string()),
        });
    }
    match (input, target) {
        (Some(input), Some(target)) if input.name != target.name => {
            Err(CommandError::user(format!("{input}, but {target}"))
                .hint("choose one with `--environment`"))
        }
        (Some(owned), _) | (None, Some(owned)) => Ok(Decision {
            name: owned.name,
            conflict: None,
        }),
        (None, None) => Err(undecided(project, hints)),
    }
}

/// The environment of that name, or an error that suggests the nearest name.
pub(crate) fn named<'a>(
    project: &'a Project,
    requested: &EnvironmentName,
) -> Result<(&'a EnvironmentName, &'a Environment)> {
    project
        .environments
        .get_key_value(requested)
        .ok_or_else(|| {
            let error = CommandError::user(format!("{FILE_NAME} has no environment `{requested}`"));
            match nearest(project, requested) {
                Some(name) => error.hint(format!("use the similar name `{name}`")),
                None => error.hint(choice(project)),
            }
        })
}

/// A path that an environment's rules claim.
#[derive(Debug, Clone)]
struct Owned<'a> {
    path: String,
    name: &'a EnvironmentName,
}

impl std::fmt::Display for Owned<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} belongs to `{}` in {FILE_NAME}", self.path, self.name)
    }
}

fn by_path<'a>(project: &'a Project, path: Option<&Path>) -> Result<Option<Owned<'a>>> {
    let Some(path) = path.and_then(|path| project.relative(path)) else {
        return Ok(None);
    };
    let mut owners = project
        .environments
        .iter()
        .filter(|(_, environment)| environment.paths.is_match(&path));
    match (owners.next(), owners.next()) {
        (Some((one, _)), Some((other, _))) => Err(CommandError::user(format!(
            "`{one}` and `{other}` both claim {path} in {FILE_NAME}"
        ))
        .hint("change their `paths` so that only one matches")),
        (Some((name, _)), None) => Ok(Some(Owned { path, name })),
        (None, _) => Ok(None),
    }
}

fn undecided(project: &Project, hints: EnvironmentHints<'_>) -> CommandError {
    let path = hints.target.or(hints.input);
    let relative = path.and_then(|path| project.relative(path));
    let error = match relative {
        Some(path) => CommandError::user(format!(
            "no path rule of {FILE_NAME} matches {path}, so its environment is unknown"
        )),
        None => CommandError::user("the environment is unknown"),
    };
    error.hint(choice(project))
}

/// The hint to choose one of the project's environments.
fn choice(project: &Project) -> String {
    let names: Vec<&str> = project
        .environments
        .keys()
        .map(EnvironmentName::as_str)
        .collect();
    match names.as_slice() {
        [] => format!("add an environment to {FILE_NAME}"),
        names => format!("pass `--environment` with one of: {}", names.join(", ")),
    }
}

fn nearest<'a>(project: &'a Project, requested: &EnvironmentName) -> Option<&'a str> {
    project
        .environments
        .keys()
        .map(|name| {
            (
                strsim::damerau_levenshtein(name.as_str(), requested.as_str()),
                name,
            )
        })
        .filter(|(distance, _)| *distance <= 2)
        .min()
        .map(|(_, name)| name.as_str())
}

/// Whether a secret may have no items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Empty {
    Allowed,
    Refused,
}

/// The secret of a Secret manifest, after all checks on what must not be sealed.
///
/// The namespace is the manifest's own, else `namespace`. It never comes from anywhere else.
pub(crate) fn secret(
    object: SecretObject,
    namespace: Option<&Namespace>,
    empty: Empty,
) -> Result<Secret> {
    if let Some(annotation) = object.scope_annotation() {
        return Err(CommandError::user(format!(
            "the annotation {annotation} sets a scope for kubeseal, which sceau does not read"
        ))
        .hint("remove it, and pass `--scope namespace-wide` or `--scope environment-wide`"));
    }
    let place = place(&object, namespace)?;
    let secret = Secret {
        place,
        template: object.template,
        items: object.items,
    };
    check_type(&secret)?;
    if secret.items.is_empty() && empty == Empty::Refused {
        return Err(CommandError::user("the Secret has no items")
            .hint("pass `--allow-empty` to seal it anyway"));
    }
    metadata::check(&secret)?;
    Ok(secret)
}

fn place(object: &SecretObject, namespace: Option<&Namespace>) -> Result<SecretRef> {
    let name = object
        .name
        .clone()
        .ok_or_else(|| CommandError::user("the Secret has no metadata.name"))?;
    let namespace = match (&object.namespace, namespace) {
        (Some(own), Some(given)) if own != given => {
            return Err(CommandError::user(format!(
                "the Secret is in namespace `{own}`, but you passed `--namespace {given}`"
            )));
        }
        (Some(one), _) | (None, Some(one)) => one.clone(),
        (None, None) => {
            return Err(CommandError::user("the Secret has no metadata.namespace")
                .hint("add it, or pass `--namespace`: sceau never takes it from a kubeconfig"));
        }
    };
    Ok(SecretRef { namespace, name })
}

/// Kubernetes fills such a Secret itself, with credentials of the cluster.
const SERVICE_ACCOUNT_TOKEN: &str = "kubernetes.io/service-account-token";

fn check_type(secret: &Secret) -> Result<()> {
    if secret.template.secret_type() == SERVICE_ACCOUNT_TOKEN {
        return Err(CommandError::user(format!(
            "Secrets of type {SERVICE_ACCOUNT_TOKEN} cannot be sealed: Kubernetes would fill them with credentials of the cluster"
        )));
    }
    Ok(())
}

/// Finds the first two equal places in one environment.
pub(crate) fn first_duplicate<'a, T>(
    places: impl IntoIterator<Item = (&'a EnvironmentName, &'a SecretRef, T)>,
) -> Option<(T, T)> {
    let mut seen = BTreeMap::new();
    for (environment, place, origin) in places {
        if let Some(first) = seen.remove(&(environment, place)) {
            return Some((first, origin));
        }
        seen.insert((environment, place), origin);
    }
    None
}
