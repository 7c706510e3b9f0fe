//! A SealedSecret that is edited in its file: found, judged, and written back whole or not at all.
//!
//! What is sealed, and which item changes, is for the commands to say; the bytes are the business
//! of `manifest`.

use std::path::Path;

use sealing::{
    Context, EnvironmentName, ItemName, Place, Recipient, Scope,
    envelope::{
        bitnami::{self as original, Label},
        native::{Envelope, MAX_SEALS, ParseError},
    },
    resource::{SealedSecret, SealedSecretSpec, bitnami},
};

use crate::{
    error::{CommandError, Result, with_causes},
    flags::TargetArguments,
    manifest::{self, Change, MaybeTemplated, Selector, Target},
    output::{self, Audience, NewFile},
    project::{self, Project},
    resolve::{self, Clues},
    sources::{self, Input, STDIN},
    ui::{self, Io},
};

/// A file that has been read, and the SealedSecret in it that is meant.
pub(crate) struct OpenFile<'a> {
    arguments: &'a TargetArguments,
    input: Input,
    pub(crate) target: Target,
}

/// Where a seal of a native SealedSecret may be opened.
pub(crate) struct NativePlace {
    pub(crate) envelope: Envelope,
    pub(crate) place: Place,
    pub(crate) context: Context,
}

impl<'a> OpenFile<'a> {
    /// Reads the file and finds the SealedSecret.
    pub(crate) fn open(arguments: &'a TargetArguments, io: &Io<'_>) -> Result<Self> {
        if arguments.file.as_os_str() == STDIN {
            return Err(CommandError::usage(
                "standard input cannot be edited in place",
            ));
        }
        let input = sources::read_file_input(&arguments.file, &io.directory)?;
        let choice = Selector {
            name: arguments.name.as_ref(),
            namespace: arguments.namespace.as_ref(),
        };
        let target = manifest::find(&input.label, &input.text, choice)?;
        Ok(Self {
            arguments,
            input,
            target,
        })
    }

    /// How the file is called.
    pub(crate) fn label(&self) -> &str {
        &self.input.label
    }

    /// The error that there is no such item.
    pub(crate) fn no_item(&self, item: &ItemName) -> CommandError {
        let place = self.target.place();
        let error = self.error(format_args!("{place} has no item `{item}`"));
        match self.target.item_names().as_slice() {
            [] => error.hint("it has no items"),
            names => error.hint(format!("it has {}", names.join(", "))),
        }
    }

    /// The error for something wrong with the SealedSecret as a whole.
    pub(crate) fn error(&self, problem: impl std::fmt::Display) -> CommandError {
        self.target.origin.error(problem)
    }

    /// Where the seals of a native SealedSecret may be opened.
    pub(crate) fn native_place(&self, sealed: &SealedSecret) -> Result<NativePlace> {
        let envelope =
            Envelope::parse(&sealed.spec).map_err(|error| self.error(with_causes(&error)))?;
        let place = self.place(match envelope.scope {
            Scope::Strict => Needed::NamespaceAndName,
            Scope::NamespaceWide => Needed::Namespace,
            Scope::EnvironmentWide => Needed::Nothing,
        })?;
        Ok(NativePlace {
            context: Context::new(envelope.scope, &envelope.environment, &place),
            envelope,
            place,
        })
    }

    /// Where the items of one of the original's may be opened.
    pub(crate) fn original_label(&self, sealed: &bitnami::SealedSecret) -> Result<Label> {
        if sealed.spec.encrypted_data.is_none() && sealed.spec.data.is_some() {
            return Err(self
                .error("the original's first version sealed it as a whole, so no item can be set")
                .hint("seal the Secret anew"));
        }
        let scope = original::Scope::of(&sealed.metadata);
        let place = self.place(match scope {
            original::Scope::Strict => Needed::NamespaceAndName,
            original::Scope::NamespaceWide => Needed::Namespace,
            original::Scope::ClusterWide => Needed::Nothing,
        })?;
        Ok(scope.label(&place))
    }

    /// The place, as far as the scope binds a seal to it.
    fn place(&self, needed: Needed) -> Result<Place> {
        let namespace = match (&self.target.namespace, &self.arguments.namespace) {
            (MaybeTemplated::Absent, Some(given)) => MaybeTemplated::Known(given.to_string()),
            (own, _) => own.clone(),
        };
        let needs_namespace = needed != Needed::Nothing;
        let needs_name = needed == Needed::NamespaceAndName;
        let namespace = self.known(&namespace, "namespace", needs_namespace)?;
        let name = self.known(&self.target.name, "name", needs_name)?;
        Place::parse(namespace, name).map_err(|error| self.error(error))
    }

    /// A name that the scope leaves out of the context may be anything.
    fn known<'n>(
        &self,
        named: &'n MaybeTemplated,
        field: &str,
        is_needed: bool,
    ) -> Result<&'n str> {
        match named {
            MaybeTemplated::Known(name) if is_needed => Ok(name),
            _ if !is_needed => Ok("any"),
            MaybeTemplated::Templated => Err(self
                .error(format_args!(
                    "metadata.{field} is a template, and the scope binds the value to it"
                ))
                .hint("write it out, or seal for a wider scope")),
            _ => {
                let error = self.error(format_args!(
                    "it has no metadata.{field}, and the scope binds the value to it"
                ));
                Err(match field {
                    "namespace" => error.hint("name it with `--namespace`"),
                    _ => error.hint("write it out"),
                })
            }
        }
    }

    /// The environment to seal for, when the manifest does not say it.
    pub(crate) fn environment(
        &self,
        project: &Project,
        requested: Option<&EnvironmentName>,
        io: &mut Io<'_>,
    ) -> Result<EnvironmentName> {
        let clues = Clues {
            requested,
            input: self.input.path.as_deref(),
            target: None,
        };
        let decision = resolve::environment(project, clues)?;
        if let Some(doubt) = decision.doubt {
            ui::warn(
                io,
                format_args!("this is sealed for `{}`, but {doubt}", decision.name),
            );
        }
        Ok(decision.name.clone())
    }

    /// Refuses a native SealedSecret that would pass a bound of the format.
    pub(crate) fn check_bounds(&self, sealed: &SealedSecret, change: Change<'_>) -> Result<()> {
        let spec = SealedSecretSpec {
            seals: manifest::changed_seals(&sealed.spec.seals, change),
            ..sealed.spec.clone()
        };
        match Envelope::parse(&spec) {
            Ok(_) => Ok(()),
            Err(ParseError::Seals(_)) => Err(self
                .error(format_args!(
                    "it would have more than {MAX_SEALS} seals: each item that is set is a seal of its own"
                ))
                .hint(format!(
                    "whoever has the keys puts all items under one seal: `sceau unseal {0} --keys FILE | sceau seal --environment {1} --scope {2} --write {0}`",
                    self.label(),
                    spec.environment,
                    spec.scope,
                ))),
            Err(error) => Err(self.error(with_causes(&error))),
        }
    }

    /// Makes the change in the file.
    pub(crate) fn write(&self, change: Change<'_>, io: &Io<'_>) -> Result<()> {
        let text = manifest::edited(&self.input.text, &self.target, change)?;
        let name: &Path = &self.arguments.file;
        let present = sources::read_file_input(name, &io.directory)?;
        if present.text != self.input.text {
            return Err(CommandError::user(format!(
                "{} was changed by somebody else meanwhile",
                self.label()
            ))
            .hint("nothing was written: try again"));
        }
        output::write(&NewFile {
            directory: &io.directory,
            name,
            bytes: text.as_bytes(),
            audience: Audience::Everyone,
        })
    }
}

/// What a scope binds a seal to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Needed {
    Namespace,
    NamespaceAndName,
    Nothing,
}

/// Everybody that an environment's values are sealed to.
pub(crate) fn recipients(
    project: &Project,
    environment: &EnvironmentName,
    io: &Io<'_>,
) -> Result<Vec<Recipient>> {
    let (name, settings) = resolve::named(project, environment)?;
    project::recipients(project, name, settings, io.now)
}
