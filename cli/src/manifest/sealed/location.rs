//! Where a SealedSecret stands and what it is called, as reports tell it.

use serde::Serialize;

use crate::manifest::{Located, SourceSpan};

/// A SealedSecret in a file, or a document that may be one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct ManifestLocation {
    pub(crate) file: String,
    pub(crate) document: usize,
    pub(crate) line: usize,
    pub(crate) namespace: Option<String>,
    pub(crate) name: Option<String>,
}

impl ManifestLocation {
    /// Of a document of which nothing more is known.
    pub(crate) fn at(origin: &SourceSpan) -> Self {
        Self {
            file: origin.file.clone(),
            document: origin.document,
            line: origin.line,
            namespace: None,
            name: None,
        }
    }

    /// Of a SealedSecret.
    pub(crate) fn of(object: &Located) -> Self {
        let (name, namespace) = object.sealed.names();
        Self {
            name: name.map(str::to_owned),
            namespace: namespace.map(str::to_owned),
            ..Self::at(&object.origin)
        }
    }

    /// Namespace and name, as far as they are known.
    pub(crate) fn secret(&self) -> String {
        let or_unknown = |text: &Option<String>| text.clone().unwrap_or_else(|| "?".to_owned());
        format!("{}/{}", or_unknown(&self.namespace), or_unknown(&self.name))
    }

    /// File and line.
    pub(crate) fn place(&self) -> String {
        format!("{}:{}", self.file, self.line)
    }
}
