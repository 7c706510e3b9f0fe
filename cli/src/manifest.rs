//! Manifests: Kubernetes objects as YAML or JSON text, read strictly and written in one way.
//!
//! Reading never guesses: what two readers could take for two things is an error with its place.
//! What is read may be plaintext, so an error knows a line and a field and never a value.

mod edit;
mod emit;
mod objects;
mod sealed;
mod secret;
mod yaml;

pub(crate) use edit::{Edit, New, Operation, Step, edit};
pub(crate) use emit::{Format, SecretManifest, join, to_list, to_text};
pub(crate) use objects::{Object, read_all, read_objects};
pub(crate) use sealed::{
    Sealed,
    change::{Change, Part, Replacement, changed_seals, edited, replaced},
    locate::{Located, Unreadable, locate},
    location::ManifestLocation,
    target::{MaybeTemplated, Selector, Target, find, survey},
};
pub(crate) use secret::{LAST_APPLIED, SecretObject};
pub(crate) use yaml::documents::{Document, Syntax, split};

use std::fmt;

use serde::de::DeserializeOwned;

use self::yaml::deserializer;
use crate::error::CommandError;

/// Something wrong at one place of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The line in the file, counted from 1.
    pub(crate) line: usize,
    /// The field, such as `stringData.pin`; empty for a whole document.
    pub(crate) path: String,
    /// What is wrong there, without a value.
    pub(crate) problem: String,
    /// What to do about it.
    pub(crate) hint: Option<&'static str>,
}

impl Fault {
    pub(crate) fn new(line: usize, problem: impl Into<String>) -> Self {
        Self {
            line,
            path: String::new(),
            problem: problem.into(),
            hint: None,
        }
    }

    pub(crate) fn hint(mut self, hint: &'static str) -> Self {
        self.hint = Some(hint);
        self
    }

    /// What is wrong, and what to do about it.
    pub(crate) fn with_hint(&self) -> String {
        match self.hint {
            Some(hint) => format!("{self}; {hint}"),
            None => self.to_string(),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_str() {
            "" => f.write_str(&self.problem),
            path => write!(f, "{path}: {}", self.problem),
        }
    }
}

/// Where an object stands, as errors and notes name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SourceSpan {
    /// The file as the user named it.
    pub(crate) file: String,
    /// The document in the file, counted from 1.
    pub(crate) document: usize,
    /// The line in the file where the object begins.
    pub(crate) line: usize,
}

impl SourceSpan {
    /// The error for something wrong with the object as a whole.
    pub(crate) fn error(&self, problem: impl fmt::Display) -> CommandError {
        CommandError::user(format!("{self}: {problem}"))
    }

    /// The error for a fault in the object's document.
    pub(crate) fn fault(&self, fault: &Fault) -> CommandError {
        let place = Self {
            line: fault.line,
            ..self.clone()
        };
        place.error(fault).hints(fault.hint)
    }
}

impl fmt::Display for SourceSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file,
            document,
            line,
        } = self;
        write!(f, "{file}:{line} (document {document})")
    }
}

/// Reads the one document of a text that is not a manifest, such as the project file; an empty text
/// stands for the default.
pub(crate) fn read_one<T: DeserializeOwned + Default>(text: &str) -> Result<T, Fault> {
    Ok(read_any(text)?.unwrap_or_default())
}

/// Reads the one document of a text that must have one.
pub(crate) fn read_document<T: DeserializeOwned>(text: &str) -> Result<T, Fault> {
    read_any(text)?.ok_or_else(|| Fault::new(1, "it is empty"))
}

fn read_any<T: DeserializeOwned>(text: &str) -> Result<Option<T>, Fault> {
    match split(text).as_slice() {
        [] => Ok(None),
        [only] => deserializer::read(&*only.parse()?).map(Some),
        [_, second, ..] => Err(Fault::new(second.line, "there is more than one document")),
    }
}
