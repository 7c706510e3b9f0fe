//! `sceau seal`: Secrets in, SealedSecrets out.
//!
//! Everything is read and sealed before anything is written, so an error leaves no file behind.

mod batch;
mod manifests;
mod new_secret;
mod replace;

use std::path::{Path, PathBuf};

use clap::builder::{PossibleValuesParser, TypedValueParser};
use sealing::{EnvironmentName, Namespace, Scope};
use zeroize::Zeroizing;

use self::{batch::SealedFile, new_secret::NewSecretArguments};
use crate::{
    error::{CommandError, Result},
    manifest::{self, Format},
    output::{self, Audience, Existing, NewFile},
    project::{Project, resolve::Empty},
    ui::{self, Io},
};

/// Seal Secrets so that they can be committed
///
/// Reads Secret manifests, YAML or JSON, from files or standard input, and writes SealedSecrets.
/// Several documents, Lists and streams of JSON objects are read too. Without a manifest, `--name`
/// and `--namespace` name the Secret. `--from-file`, `--from-env-file`, `--from-stdin` and `--item`
/// name the sources of its items. Values are not accepted on the command line, where other programs
/// and the shell's history could see them.
///
/// A Secret is sealed for the environment of `--environment`, else for the one whose path rules in
/// sceau.yaml match the file that is read, else the file that is written.
///
/// Type, immutability, labels and annotations are kept in plain form in `spec.template`. sceau
/// removes what the API server sets: uid, resourceVersion, managedFields, ownerReferences and the
/// like, status, and kubectl's last-applied-configuration. An item of `stringData` replaces the
/// item of `data` with its name, as in Kubernetes. Ambiguous input is an error. Nothing is written
/// unless everything could be sealed.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct SealArguments {
    /// Files of Secret manifests; `-` or no file means standard input
    #[arg(value_name = "FILE", conflicts_with = "name")]
    files: Vec<PathBuf>,

    /// The environment to seal for, instead of the one of the path rules
    #[arg(long, value_name = "NAME")]
    environment: Option<EnvironmentName>,

    /// The namespace, for Secrets that name none
    #[arg(short, long, value_name = "NAME")]
    namespace: Option<Namespace>,

    /// Where the SealedSecret may be unsealed
    ///
    /// strict: in its namespace and under its name; namespace-wide: in its namespace under any
    /// name; environment-wide: in every namespace of the environment under any name.
    #[arg(long, default_value_t, value_name = "SCOPE", value_parser = scope_parser())]
    scope: Scope,

    /// Accept a Secret without items
    #[arg(long)]
    allow_empty: bool,

    /// The output format: yaml, unless the file to write ends with `.json`
    #[arg(short, long, value_name = "FORMAT", conflicts_with = "in_place")]
    output: Option<Format>,

    /// Write to this file, whole or not at all, instead of standard output
    #[arg(short, long, value_name = "FILE", conflicts_with = "in_place")]
    write: Option<PathBuf>,

    /// Replace each Secret in the files by its SealedSecret
    ///
    /// SealedSecrets and documents of other kinds stay unchanged, byte for byte.
    #[arg(long, requires = "files", conflicts_with = "name")]
    in_place: bool,

    #[command(flatten)]
    new_secret: NewSecretArguments,
}

fn scope_parser() -> impl TypedValueParser<Value = Scope> {
    PossibleValuesParser::new(Scope::ALL.map(Scope::as_str)).try_map(|text| text.parse())
}

const EXAMPLES: &str = "\
Examples:
  Seal for the environment whose path rules match the target:
    sceau seal secret.yaml --write deploy/api/prod/secret.yaml

  Seal what kubectl prints, without a file of plaintext:
    kubectl create secret generic api -n shop --from-file token --dry-run=client -o yaml |
      sceau seal --environment prod --write deploy/api/prod/secret.yaml

  Seal without a manifest; sceau prompts for the value of `password`:
    sceau seal --name db --namespace shop --item password --from-file ca.crt \\
      --write deploy/db/prod/secret.yaml

  Replace the Secrets in a file of many documents:
    sceau seal --in-place deploy/api/prod/all.yaml

dotenv files (--from-env-file):
  One NAME=VALUE a line, optionally after `export `. Blank lines and lines that begin with `#` are
  ignored. Unquoted values and values in single quotes are literal. In double quotes, \\n \\r \\t \\\\
  \\\" and \\$ are escape sequences. Variables are not expanded. Lines that dotenv readers read in
  different ways are errors: white space around `=` or at the end, ` #`, quotes or a backslash in an
  unquoted value, `$` before a possible variable outside single quotes, values of several lines, and
  duplicate names.";

pub(super) fn run(arguments: &SealArguments, io: &mut Io<'_>) -> Result<()> {
    let project = Project::load(&io.directory)?;
    let plain = if arguments.new_secret.name.is_some() {
        vec![arguments.read_new_secret(&project, io)?]
    } else {
        arguments.read_manifests(&project, io)?
    };
    let sealed = batch::seal(plain, &project, arguments.scope, io.now)?;
    match (&arguments.write, arguments.in_place) {
        (_, true) => replace_in_place(&sealed, io),
        (Some(path), false) => arguments.write_file(path, &sealed, io),
        (None, false) => ui::print(io, arguments.text(&sealed)?.as_bytes()),
    }
}

impl SealArguments {
    fn empty(&self) -> Empty {
        if self.allow_empty {
            Empty::Allowed
        } else {
            Empty::Refused
        }
    }

    fn text(&self, files: &[SealedFile]) -> Result<Zeroizing<String>> {
        let objects: Vec<_> = files.iter().flat_map(SealedFile::objects).collect();
        if objects.is_empty() {
            return Err(CommandError::user("the input has no Secret"));
        }
        let format = Format::choose(self.output, self.write.as_deref());
        manifest::join(&objects, format)
    }

    fn write_file(&self, path: &Path, files: &[SealedFile], io: &mut Io<'_>) -> Result<()> {
        output::write(&NewFile {
            directory: &io.directory,
            name: path,
            bytes: self.text(files)?.as_bytes(),
            audience: Audience::Everyone,
        })?;
        for file in files {
            file.report(&path.display().to_string(), io);
        }
        Ok(())
    }
}

fn replace_in_place(files: &[SealedFile], io: &mut Io<'_>) -> Result<()> {
    let mut staged = Vec::new();
    for file in files {
        if let Some(text) = replace::replaced(file)? {
            let file = NewFile {
                directory: &io.directory,
                name: Path::new(&file.label),
                bytes: text.as_bytes(),
                audience: Audience::Everyone,
            };
            staged.push(output::stage(&file, Existing::Replace)?);
        }
    }
    output::commit(staged)?;
    for file in files {
        file.report(&file.label, io);
    }
    Ok(())
}
