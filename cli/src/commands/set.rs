//! `sceau set`: sets one item of a SealedSecret in its file, without a private key.

use std::{collections::BTreeMap, path::PathBuf};

use sealing::{
    EnvironmentName, ItemName, Plaintext,
    envelope::{bitnami::seal_item, native::MAX_BYTES},
    resource::{SealedSecret, bitnami},
};

use crate::{
    edit::{self, OpenFile},
    error::{CommandError, Result},
    flags::TargetArguments,
    input::{self, Recipe, ValueSource},
    manifest::{Change, Sealed},
    project::Project,
    ui::{self, Io},
};

/// Set one item of a SealedSecret in its file
///
/// Replaces the value of an item, or adds an item. Everything else in the file stays unchanged:
/// comments, order, quotes, indentation and other documents. No private key is needed. sceau
/// prompts for the value without echo, unless a flag names another source. Values are not accepted
/// on the command line.
///
/// The new value gets a seal of its own, for the environment, scope, namespace and name in the
/// manifest, and for the environment's current certificates. In the kubeseal format, the item is
/// sealed to the one certificate of the environment of `--environment` or of the path rules.
///
/// Templates (Helm) can be edited if no template action is in the edited part or decides what it is
/// sealed for. If an edit is not safe, sceau reports an error and does not write the file. The old
/// value stays in git's history: a key that decrypted it still does.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct SetArguments {
    #[command(flatten)]
    target: TargetArguments,

    /// The item to set
    #[arg(value_name = "ITEM")]
    item: ItemName,

    /// Take the value from a file, byte for byte
    #[arg(long, value_name = "FILE", group = "source")]
    from_file: Option<PathBuf>,

    /// Take the value from standard input, byte for byte
    #[arg(long, group = "source")]
    from_stdin: bool,

    /// Generate a random value without showing it, such as 32:base64
    ///
    /// 16 to 4096 random bytes, written as base64, base64url (without padding) or hex.
    #[arg(long, value_name = "BYTES:ENCODING", group = "source")]
    generate: Option<Recipe>,

    /// The environment to seal for; only for manifests in the kubeseal format
    #[arg(long, value_name = "NAME")]
    environment: Option<EnvironmentName>,
}

const EXAMPLES: &str = "\
Examples:
  Rotate an item; sceau prompts for the new value:
    sceau set deploy/api/prod/secret.yaml DATABASE_URL

  Generate a random password without showing it:
    sceau set deploy/api/prod/secret.yaml SESSION_SECRET --generate 32:base64

  Take the value from another program:
    pass show stripe | sceau set deploy/api/prod/secret.yaml STRIPE_KEY --from-stdin";

pub(super) fn run(arguments: &SetArguments, io: &mut Io<'_>) -> Result<()> {
    let project = Project::load(&io.directory)?;
    let file = OpenFile::open(&arguments.target, io)?;
    let environment = match &file.target.sealed {
        Sealed::Native(sealed) => arguments.set_native(&file, sealed, &project, io)?,
        Sealed::Bitnami(sealed) => arguments.set_bitnami(&file, sealed, &project, io)?,
    };
    let how = match (&arguments.generate, file.target.holds(&arguments.item)) {
        (Some(recipe), _) => format!("set to {recipe}"),
        (None, true) => "replaced".to_owned(),
        (None, false) => "added".to_owned(),
    };
    ui::note(
        io,
        format_args!(
            "item `{}` of {} was {how}, and sealed for {environment}, in {}",
            arguments.item,
            file.target.place(),
            file.label()
        ),
    );
    Ok(())
}

impl SetArguments {
    fn set_native(
        &self,
        file: &OpenFile<'_>,
        sealed: &SealedSecret,
        project: &Project,
        io: &mut Io<'_>,
    ) -> Result<EnvironmentName> {
        let place = file.native_place(sealed)?;
        let own = place.envelope.environment;
        if let Some(requested) = self
            .environment
            .as_ref()
            .filter(|requested| **requested != own)
        {
            return Err(file.error(format_args!(
                "the manifest is sealed for `{own}`, but you passed `--environment {requested}`"
            )));
        }
        let environment = file.environment(project, Some(&own), io)?;
        let recipients = edit::recipients(project, &environment, io)?;
        let items = BTreeMap::from([(self.item.clone(), self.read_value(io)?)]);
        let seal = sealing::seal_items(&items, &place.context, &recipients, io.now)
            .map_err(|error| file.error(error))?;
        let change = Change::Native {
            without: file.target.holds(&self.item).then_some(&self.item),
            with: Some(&seal),
        };
        file.check_bounds(sealed, change)?;
        file.write(change, io)?;
        Ok(environment)
    }

    fn set_bitnami(
        &self,
        file: &OpenFile<'_>,
        sealed: &bitnami::SealedSecret,
        project: &Project,
        io: &mut Io<'_>,
    ) -> Result<EnvironmentName> {
        let label = file.bitnami_label(sealed)?;
        let environment = file.environment(project, self.environment.as_ref(), io)?;
        let recipients = edit::recipients(project, &environment, io)?;
        let [recipient] = recipients.as_slice() else {
            return Err(file
                .error(format_args!(
                    "an item in the kubeseal format is sealed to one certificate, but `{environment}` has {}",
                    recipients.len()
                ))
                .hint("pass `--environment` with one that has one certificate, or seal the Secret again in the sceau format"));
        };
        let plaintext = self.read_value(io)?;
        if plaintext.len() > MAX_BYTES {
            return Err(file.error(format_args!(
                "the value has {} bytes; a Secret has at most {MAX_BYTES}",
                plaintext.len()
            )));
        }
        let text = seal_item(recipient, &label, &plaintext).map_err(CommandError::user)?;
        let change = Change::Set {
            name: &self.item,
            sealed: &text,
        };
        file.write(change, io)?;
        Ok(environment)
    }

    fn read_value(&self, io: &mut Io<'_>) -> Result<Plaintext> {
        let source = match (&self.from_file, self.generate) {
            (Some(path), _) => ValueSource::File(path.clone()),
            (None, Some(recipe)) => ValueSource::Generated(recipe),
            (None, None) if self.from_stdin => ValueSource::Stdin,
            (None, None) => ValueSource::Prompt,
        };
        input::read_value(&self.item, &source, io)
    }
}
