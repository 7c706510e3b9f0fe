//! Edits of a SealedSecret in its file: finding it, checking the change, and writing the whole file
//! or nothing.
//!
//! The commands decide which item changes. The bytes are edited in `manifest`.

use std::path::Path;

use sealing::{
    Context, EnvironmentName, ItemName, Recipient, Scope, SecretRef,
    envelope::{
        bitnami::{self as kubeseal, Label},
        native::{Envelope, MAX_SEALS, ParseError},
    },
    resource::{SealedSecret, SealedSecretSpec, bitnami},
};

use crate::{
    error::{CommandError, Result, with_causes},
    flags::TargetArguments,
    input::{self, Input, STDIN},
    manifest::{self, Change, MaybeTemplated, Selector, Target},
    output::{self, Audience, NewFile},
    project::{
        self, Project,
        resolve::{self, EnvironmentHints},
    },
    ui::{self, Io},
};

/// A file that was read, and the SealedSecret in it to edit.
pub(crate) struct OpenFile<'a> {
    arguments: &'a TargetArguments,
    input: Input,
    pub(crate) target: Target,
}

/// Where the seals of a native SealedSecret may be unsealed.
pub(crate) struct NativePlace {
    pub(crate) envelope: Envelope,
    pub(crate) place: SecretRef,
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
        let input = input::read_file_input(&arguments.file, &io.directory)?;
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

    /// The file as the user named it.
    pub(crate) fn label(&self) -> &str {
        &self.input.label
    }

    /// The error for an item that does not exist.
    pub(crate) fn no_item(&self, item: &ItemName) -> CommandError {
        let place = self.target.place();
        let error = self.error(format_args!("{place} has no item `{item}`"));
        match self.target.item_names().as_slice() {
            [] => error.hint("add it with `sceau set`: the SealedSecret has no items"),
            names => error.hint(format!("use one of its items: {}", names.join(", "))),
        }
    }

    /// An error about the SealedSecret as a whole.
    pub(crate) fn error(&self, problem: impl std::fmt::Display) -> CommandError {
        self.target.origin.error(problem)
    }

    /// Where the seals of a native SealedSecret may be unsealed.
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

    /// Where the items of a SealedSecret in the kubeseal format may be unsealed.
    pub(crate) fn bitnami_label(&self, sealed: &bitnami::SealedSecret) -> Result<Label> {
        if sealed.spec.encrypted_data.is_none() && sealed.spec.data.is_some() {
            return Err(self
                .error("the first kubeseal format sealed the Secret as a whole, so its items cannot be set")
                .hint("seal the Secret again"));
        }
        let scope = kubeseal::Scope::of(&sealed.metadata);
        let place = self.place(match scope {
            kubeseal::Scope::Strict => Needed::NamespaceAndName,
            kubeseal::Scope::NamespaceWide => Needed::Namespace,
            kubeseal::Scope::ClusterWide => Needed::Nothing,
        })?;
        Ok(scope.label(&place))
    }

    /// The place, as far as the scope binds a seal to it.
    fn place(&self, needed: Needed) -> Result<SecretRef> {
        let namespace = match (&self.target.namespace, &self.arguments.namespace) {
            (MaybeTemplated::Absent, Some(given)) => MaybeTemplated::Known(given.to_string()),
            (own, _) => own.clone(),
        };
        let needs_namespace = needed != Needed::Nothing;
        let needs_name = needed == Needed::NamespaceAndName;
        let namespace = self.known(&namespace, "namespace", needs_namespace)?;
        let name = self.known(&self.target.name, "name", needs_name)?;
        SecretRef::parse(namespace, name).map_err(|error| self.error(error))
    }

    /// The name, or a placeholder if the scope does not bind seals to it.
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
                    "metadata.{field} is a template, but the scope binds the value to it"
                ))
                .hint("write the name out, or seal for a wider scope")),
            _ => {
                let error = self.error(format_args!(
                    "metadata.{field} is missing, but the scope binds the value to it"
                ));
                Err(match field {
                    "namespace" => error.hint("pass `--namespace`"),
                    _ => error.hint("add it"),
                })
            }
        }
    }

    /// The environment to seal for, if the manifest does not name it.
    pub(crate) fn environment(
        &self,
        project: &Project,
        requested: Option<&EnvironmentName>,
        io: &mut Io<'_>,
    ) -> Result<EnvironmentName> {
        let hints = EnvironmentHints {
            requested,
            input: self.input.path.as_deref(),
            target: None,
        };
        let decision = resolve::environment(project, hints)?;
        if let Some(conflict) = decision.conflict {
            ui::warn(
                io,
                format_args!("sealed for `{}`, but {conflict}", decision.name),
            );
        }
        Ok(decision.name.clone())
    }

    /// Rejects a change that would exceed a limit of the format.
    pub(crate) fn check_bounds(&self, sealed: &SealedSecret, change: Change<'_>) -> Result<()> {
        let spec = SealedSecretSpec {
            seals: manifest::changed_seals(&sealed.spec.seals, change),
            ..sealed.spec.clone()
        };
        match Envelope::parse(&spec) {
            Ok(_) => Ok(()),
            Err(ParseError::Seals(_)) => Err(self
                .error(format_args!(
                    "it would have more than {MAX_SEALS} seals: each item that is set adds a seal"
                ))
                .hint(format!(
                    "put all items under one seal, with the private keys: `sceau unseal {0} --keys FILE | sceau seal --environment {1} --scope {2} --write {0}`",
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
        let present = input::read_file_input(name, &io.directory)?;
        if present.text != self.input.text {
            return Err(CommandError::user(format!(
                "{} changed during the edit, and nothing was written",
                self.label()
            ))
            .hint("run this again"));
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

/// The recipients of an environment.
pub(crate) fn recipients(
    project: &Project,
    environment: &EnvironmentName,
    io: &Io<'_>,
) -> Result<Vec<Recipient>> {
    let (name, settings) = resolve::named(project, environment)?;
    project::recipients(project, name, settings, io.now)
}
