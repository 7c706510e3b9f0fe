//! The project file `sceau.yaml`: the environments, their certificates and paths, and the people.
//!
//! It is checked as a whole when it is read. `resolve` decides which environment a command uses.

mod certificates;
mod file;
pub(crate) mod resolve;

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use jiff::Timestamp;
use sealing::EnvironmentName;

use crate::{
    error::{CommandError, Result},
    input, manifest,
};

pub(crate) use certificates::{parse_certificate, read_pinned, recipients};
pub(crate) use file::Day;
pub use file::schema;

/// The name of the project file.
pub(crate) const FILE_NAME: &str = "sceau.yaml";

/// The root of the git repository of a directory.
pub(crate) fn repository_root(directory: &Path) -> Option<&Path> {
    directory
        .ancestors()
        .find(|ancestor| ancestor.join(".git").exists())
}

/// A checked project file.
#[derive(Debug)]
pub(crate) struct Project {
    /// Its directory; its paths are relative to it.
    pub(crate) root: PathBuf,
    pub(crate) environments: BTreeMap<EnvironmentName, Environment>,
    /// The people, by their names.
    pub(crate) people: BTreeMap<String, Person>,
}

/// A person in the project file.
#[derive(Debug)]
pub(crate) struct Person {
    /// Their own certificate.
    pub(crate) certificate: Option<PathBuf>,
    /// The environments whose values they can read.
    operates: Vec<EnvironmentName>,
    /// The day they left.
    pub(crate) left: Option<Day>,
}

impl Person {
    /// The environments whose values they can read at `now`: none after the day that they left.
    pub(crate) fn operates(&self, now: Timestamp) -> &[EnvironmentName] {
        match self.left {
            Some(left) if left.end() <= now => &[],
            _ => &self.operates,
        }
    }
}

/// An environment in the project file.
#[derive(Debug)]
pub(crate) struct Environment {
    /// The certificates that its secrets are sealed to.
    pub(crate) certificates: Vec<PathBuf>,
    /// The files that belong to it, relative to the root.
    pub(crate) paths: GlobSet,
    /// The kubeconfig context of its cluster.
    pub(crate) context: Option<String>,
}

impl Project {
    /// Reads the nearest project file, in `directory` or above it.
    pub(crate) fn load(directory: &Path) -> Result<Self> {
        let root = directory
            .ancestors()
            .find(|ancestor| ancestor.join(FILE_NAME).is_file())
            .ok_or_else(|| {
                CommandError::user(format!(
                    "{FILE_NAME} does not exist in {} or above it",
                    directory.display()
                ))
                .hint("create it with `sceau init`")
            })?;
        let text = input::read_text(root, Path::new(FILE_NAME))?;
        Self::parse(root.to_owned(), &text)
    }

    /// Checks the text of the project file in `root`.
    pub(crate) fn parse(root: PathBuf, text: &str) -> Result<Self> {
        let file: file::ProjectFile = manifest::read_one(text).map_err(|fault| {
            CommandError::user(format!("{FILE_NAME}:{}: {fault}", fault.line)).hints(fault.hint)
        })?;
        Self::check(root, file).map_err(|error| error.at(FILE_NAME))
    }

    fn check(root: PathBuf, file: file::ProjectFile) -> Result<Self> {
        check_paths_are_distinct(&file)?;
        check_people(&file)?;
        Ok(Self {
            root,
            environments: file
                .environments
                .into_iter()
                .map(|(name, settings)| Ok((name, Environment::check(settings)?)))
                .collect::<Result<_>>()?,
            people: file
                .people
                .into_iter()
                .map(|(name, person)| (name, Person::from(person)))
                .collect(),
        })
    }

    /// A path below the root, relative to it and with `/` between its parts.
    pub(crate) fn relative(&self, path: &Path) -> Option<String> {
        let below = path.strip_prefix(&self.root).ok()?;
        let parts: Option<Vec<&str>> = below.iter().map(|part| part.to_str()).collect();
        Some(parts?.join("/"))
    }
}

impl From<file::Person> for Person {
    fn from(person: file::Person) -> Self {
        Self {
            certificate: person.certificate,
            operates: person.operates,
            left: person.left,
        }
    }
}

impl Environment {
    fn check(settings: file::Environment) -> Result<Self> {
        Ok(Self {
            certificates: settings.certificates,
            paths: glob_set(&settings.paths)?,
            context: settings.context,
        })
    }
}

fn glob_set(patterns: &[String]) -> Result<GlobSet> {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        let unusable = |problem: &dyn fmt::Display| {
            CommandError::user(format!("the path rule `{pattern}`: {problem}"))
        };
        if pattern.starts_with('!') {
            return Err(unusable(&"rules that exclude paths are not supported")
                .hint("list only the environment's own paths"));
        }
        if pattern.starts_with(['/', '.']) && !is_hidden(pattern) {
            return Err(
                unusable(&"it matches no path: paths are relative to this file")
                    .hint("begin the rule with the first directory, such as `deploy/**`"),
            );
        }
        let glob = GlobBuilder::new(pattern).literal_separator(true).build();
        set.add(glob.map_err(|error| unusable(error.kind()))?);
    }
    set.build().map_err(CommandError::bug)
}

/// Whether a path begins with a hidden name, such as `.github/**`.
fn is_hidden(path: &str) -> bool {
    let first = path.split('/').next().unwrap_or_default();
    !["", ".", ".."].contains(&first)
}

/// Rejects a rule that two environments have. Other overlaps are only found at a path.
fn check_paths_are_distinct(file: &file::ProjectFile) -> Result<()> {
    let mut owners = BTreeMap::new();
    for (name, settings) in &file.environments {
        for path in &settings.paths {
            match owners.insert(path, name) {
                Some(other) if other != name => {
                    return Err(CommandError::user(format!(
                        "`{other}` and `{name}` both claim the path `{path}`"
                    )));
                }
                _ => {}
            }
        }
    }
    Ok(())
}

fn check_people(file: &file::ProjectFile) -> Result<()> {
    // People who left may name environments that were removed since.
    let present = file
        .people
        .iter()
        .filter(|(_, person)| person.left.is_none());
    for (name, person) in present {
        let unknown = |operated: &&EnvironmentName| !file.environments.contains_key(*operated);
        if let Some(unknown) = person.operates.iter().find(unknown) {
            return Err(CommandError::user(format!(
                "people.{name}.operates: environment `{unknown}` does not exist"
            )));
        }
    }
    Ok(())
}
