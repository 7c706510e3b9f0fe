//! Secret manifests from files or standard input, with their ranges for a replacement.

use std::{ops::Range, path::Path};

use sealing::{EnvironmentName, Secret};
use zeroize::Zeroizing;

use super::SealArguments;
use crate::{
    error::{CommandError, Result},
    input::{self, Input, STDIN},
    manifest::{self, Document, Object, SourceSpan, Syntax},
    paths,
    project::{
        Project,
        resolve::{self, EnvironmentHints},
    },
    ui::{self, Io},
};

/// A file and the Secrets in it.
pub(super) struct PlainFile {
    /// The file as the user named it.
    pub(super) label: String,
    pub(super) text: Zeroizing<String>,
    pub(super) environment: EnvironmentName,
    pub(super) documents: Vec<PlainDocument>,
}

/// A document that holds Secrets: one, or those of a List.
pub(super) struct PlainDocument {
    /// Its bytes in the file.
    pub(super) range: Range<usize>,
    pub(super) syntax: Syntax,
    /// The Secrets; one from the command line has no origin.
    pub(super) secrets: Vec<(Option<SourceSpan>, Secret)>,
}

impl PlainFile {
    /// A Secret that no file holds.
    pub(super) fn of_command_line(environment: EnvironmentName, secret: Secret) -> Self {
        Self {
            label: String::new(),
            text: Zeroizing::default(),
            environment,
            documents: vec![PlainDocument {
                range: 0..0,
                syntax: Syntax::Yaml,
                secrets: vec![(None, secret)],
            }],
        }
    }

    /// Its Secrets with their origins.
    pub(super) fn secrets(&self) -> impl Iterator<Item = &(Option<SourceSpan>, Secret)> {
        self.documents.iter().flat_map(|document| &document.secrets)
    }
}

impl SealArguments {
    /// Every file on the command line, or standard input.
    pub(super) fn read_manifests(
        &self,
        project: &Project,
        io: &mut Io<'_>,
    ) -> Result<Vec<PlainFile>> {
        if self.in_place && self.files.iter().any(|path| path.as_os_str() == STDIN) {
            return Err(CommandError::usage(
                "standard input cannot be replaced in place",
            ));
        }
        input::read_inputs(&self.files, "Secret manifests", io)?
            .into_iter()
            .map(|input| {
                Ok(PlainFile {
                    environment: self.environment_of(input.path.as_deref(), project, io)?,
                    documents: self.read_documents(&input)?,
                    label: input.label,
                    text: input.text,
                })
            })
            .collect()
    }

    /// The environment to seal `input` for.
    pub(super) fn environment_of(
        &self,
        input: Option<&Path>,
        project: &Project,
        io: &mut Io<'_>,
    ) -> Result<EnvironmentName> {
        let target = self.write.as_ref();
        let target = target.map(|path| paths::absolute(&io.directory, path));
        let decision = resolve::environment(
            project,
            EnvironmentHints {
                requested: self.environment.as_ref(),
                input,
                target: target.as_deref(),
            },
        )?;
        if let Some(conflict) = decision.conflict {
            ui::warn(
                io,
                format_args!("sealed for `{}`, but {conflict}", decision.name),
            );
        }
        Ok(decision.name.clone())
    }

    fn read_documents(&self, input: &Input) -> Result<Vec<PlainDocument>> {
        let documents = manifest::split(&input.text);
        if documents.is_empty() {
            return Err(CommandError::user(format!(
                "{} has no document",
                input.label
            )));
        }
        let mut plain = Vec::new();
        for document in documents {
            let secrets = self.read_secrets(&input.label, &document)?;
            if !secrets.is_empty() {
                plain.push(PlainDocument {
                    range: document.range,
                    syntax: document.syntax,
                    secrets,
                });
            }
        }
        Ok(plain)
    }

    /// The Secrets of one document. A document without Secrets is accepted with `--in-place` only.
    fn read_secrets(
        &self,
        label: &str,
        document: &Document<'_>,
    ) -> Result<Vec<(Option<SourceSpan>, Secret)>> {
        let objects = manifest::read_objects(label, document)?;
        let is_secret = |object: &Object| matches!(object, Object::Secret(_));
        if self.in_place && !objects.iter().any(|(_, object)| is_secret(object)) {
            return Ok(Vec::new());
        }
        objects
            .into_iter()
            .map(|(origin, object)| {
                let secret = self.check(object).map_err(|error| error.at(&origin))?;
                Ok((Some(origin), secret))
            })
            .collect()
    }

    fn check(&self, object: Object) -> Result<Secret> {
        match object {
            Object::Secret(secret) => {
                resolve::secret(secret, self.namespace.as_ref(), self.empty())
            }
            Object::Sealed(_) => Err(self.no_secret("this is already sealed")),
            Object::Other(kind) => Err(self.no_secret(&format!("this is a {kind}, not a Secret"))),
        }
    }

    fn no_secret(&self, problem: &str) -> CommandError {
        CommandError::user(problem).hint(if self.in_place {
            "remove other kinds from the List: it is replaced as a whole"
        } else {
            "use `--in-place` to keep documents of other kinds unchanged"
        })
    }
}
