//! `sceau unseal`: recovery with private keys, without a cluster.
//!
//! Either all documents are unsealed or nothing is written.

use std::{collections::BTreeSet, path::PathBuf};

use sealing::{
    KeyRing, Namespace, Secret, UnsealError,
    resource::{
        SecretTemplate, TemplateMetadata,
        bitnami::{self, CLUSTER_WIDE, NAMESPACE_WIDE},
    },
};

use crate::{
    error::{CommandError, Result, with_causes},
    flags::KeysArguments,
    input,
    keys::files,
    manifest::{self, Format, Object, Sealed, SecretManifest, SourceSpan},
    output::{self, Audience, NewFile},
    ui::{self, Io},
};

/// Unseal SealedSecrets with private keys, for recovery
///
/// Reads SealedSecrets in the sceau format and the kubeseal format, with several documents and
/// Lists too, and writes their Secrets, with values in base64. It needs no cluster, but the private
/// keys: a backup of the key Secrets, or the key of a recovery recipient.
///
/// Either every item of every document is unsealed or nothing is written. Templates in the kubeseal
/// format (`spec.template.data`) are not rendered.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct UnsealArguments {
    /// Files of SealedSecrets; `-` or no file means standard input
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,

    #[command(flatten)]
    keys: KeysArguments,

    /// The namespace, for SealedSecrets that name none
    #[arg(short, long, value_name = "NAME")]
    namespace: Option<Namespace>,

    /// The output format: yaml, unless the file to write ends with `.json`
    #[arg(short, long, value_name = "FORMAT")]
    output: Option<Format>,

    /// Write to this file, readable by you only, instead of standard output
    #[arg(short, long, value_name = "FILE")]
    write: Option<PathBuf>,

    /// Write plaintext to standard output even if it is a terminal
    #[arg(long)]
    show: bool,
}

const EXAMPLES: &str = "\
Examples:
  Recover a Secret and apply it, without plaintext on disk:
    sceau unseal api.yaml --keys backup.yaml | kubectl apply -f -

  Recover the Secrets of a cluster with the Bitnami controller:
    kubectl get sealedsecrets -A -o yaml | sceau unseal --keys keys.yaml --write secrets.yaml";

pub(super) fn run(arguments: &UnsealArguments, io: &mut Io<'_>) -> Result<()> {
    if arguments.write.is_none() && io.terminals.stdout && !arguments.show {
        return Err(
            CommandError::user("the terminal would show plaintext").hint(
                "pipe it to a program, write it with `--write FILE`, or pass `--show` to print it",
            ),
        );
    }
    let ring = files::read_key_ring(&arguments.keys.keys, io)?;
    let sealed = read(&arguments.files, io)?;
    let secrets = unseal_all(&sealed, arguments.namespace.as_ref(), &ring)?;
    for (origin, sealed) in &sealed {
        report_unrendered(origin, sealed, io);
    }
    let manifests: Vec<_> = secrets.iter().map(SecretManifest::of).collect();
    let format = Format::choose(arguments.output, arguments.write.as_deref());
    let text = manifest::join(&manifests, format)?;
    match &arguments.write {
        Some(path) => output::write(&NewFile {
            directory: &io.directory,
            name: path,
            bytes: text.as_bytes(),
            audience: Audience::Owner,
        }),
        None => ui::print(io, text.as_bytes()),
    }
}

fn read(files: &[PathBuf], io: &mut Io<'_>) -> Result<Vec<(SourceSpan, Sealed)>> {
    let mut sealed = Vec::new();
    for input in input::read_inputs(files, "SealedSecrets", io)? {
        for (origin, object) in manifest::read_all(&input.label, &input.text)? {
            match object {
                Object::Sealed(object) => sealed.push((origin, object)),
                Object::Secret(_) => return Err(origin.error("this is a Secret and not sealed")),
                Object::Other(kind) => {
                    return Err(
                        origin.error(format_args!("this is a {kind}, which cannot be unsealed"))
                    );
                }
            }
        }
    }
    if sealed.is_empty() {
        return Err(CommandError::user("the input has no SealedSecret"));
    }
    Ok(sealed)
}

/// Unseals all of them, or reports every one that fails.
fn unseal_all(
    sealed: &[(SourceSpan, Sealed)],
    namespace: Option<&Namespace>,
    ring: &KeyRing,
) -> Result<Vec<Secret>> {
    let mut secrets = Vec::new();
    let mut problems = Vec::new();
    let mut hints = BTreeSet::new();
    for (origin, sealed) in sealed {
        match unseal(sealed, namespace, ring) {
            Ok(secret) => secrets.push(secret),
            Err(error) => {
                problems.push(format!("{origin}: {}", error.message));
                hints.extend(error.hints);
            }
        }
    }
    if problems.is_empty() {
        Ok(secrets)
    } else {
        Err(CommandError::user(problems.join("\n"))
            .hints(hints)
            .hint("remove these documents to unseal the others: nothing was written"))
    }
}

/// The error of unsealing. Another key only helps if none was found.
fn explain(error: &UnsealError) -> CommandError {
    let explained = CommandError::user(with_causes(error));
    match error {
        UnsealError::NoKeyOpens(_) | UnsealError::UnknownSealingKey(_) => {
            explained.hint("pass further key files with `--keys`")
        }
        _ => explained,
    }
}

fn unseal(sealed: &Sealed, namespace: Option<&Namespace>, ring: &KeyRing) -> Result<Secret> {
    let place = sealed.place(namespace).map_err(CommandError::user)?;
    match sealed {
        Sealed::Native(sealed) => {
            let unsealed =
                sealing::unseal(&sealed.spec, &place, ring).map_err(|error| explain(&error))?;
            Ok(Secret {
                place,
                template: sealed.spec.template.clone(),
                items: unsealed.items,
            })
        }
        Sealed::Bitnami(sealed) => {
            let unsealed =
                sealing::unseal_bitnami(sealed, &place, ring).map_err(|error| explain(&error))?;
            Ok(Secret {
                place,
                template: unsealed.template.unwrap_or_else(|| template(sealed)),
                items: unsealed.items,
            })
        }
    }
}

/// The metadata that the Bitnami controller sets on the Secret, without its own scope annotations.
fn template(sealed: &bitnami::SealedSecret) -> SecretTemplate {
    let template = sealed.spec.template.clone().unwrap_or_default();
    let metadata = template.metadata.unwrap_or_default();
    let mut annotations = metadata.annotations.unwrap_or_default();
    annotations.retain(|name, _| ![CLUSTER_WIDE, NAMESPACE_WIDE].contains(&name.as_str()));
    SecretTemplate {
        secret_type: template
            .secret_type
            .filter(|secret_type| !secret_type.is_empty()),
        immutable: template.immutable,
        metadata: TemplateMetadata {
            labels: metadata.labels.unwrap_or_default(),
            annotations,
        },
    }
}

fn report_unrendered(origin: &SourceSpan, sealed: &Sealed, io: &mut Io<'_>) {
    let Sealed::Bitnami(sealed) = sealed else {
        return;
    };
    let templates = sealed.spec.template.as_ref();
    let texts = templates.and_then(|template| template.data.as_ref());
    for name in texts.into_iter().flat_map(|texts| texts.keys()) {
        ui::warn(
            io,
            format_args!("{origin}: spec.template.data.{name} is not rendered"),
        );
    }
}
