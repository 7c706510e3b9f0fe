//! A Secret that has no manifest yet: its names and the sources of its items.

use std::path::PathBuf;

use sealing::{
    ItemName, SecretName,
    resource::{SecretTemplate, TemplateMetadata},
};

use super::{SealArguments, manifests::PlainFile};
use crate::{
    error::Result,
    input::{self, ItemFile, ItemSources},
    manifest::SecretObject,
    project::{Project, resolve},
    ui::Io,
};

/// Flags that describe a Secret without a manifest.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Without a manifest")]
pub(super) struct NewSecretArguments {
    /// The name of the Secret
    #[arg(long, value_name = "NAME", requires = "namespace")]
    pub(super) name: Option<SecretName>,

    /// An item from a file, byte for byte, named like the file unless NAME is given; may be
    /// repeated
    #[arg(long, value_name = "[NAME=]FILE", requires = "name")]
    from_file: Vec<ItemFile>,

    /// Items from a dotenv file, see below; may be repeated
    #[arg(long, value_name = "FILE", requires = "name")]
    from_env_file: Vec<PathBuf>,

    /// An item from standard input, byte for byte
    #[arg(long, value_name = "NAME", requires = "name")]
    from_stdin: Option<ItemName>,

    /// An item from a prompt without echo; may be repeated
    #[arg(long, value_name = "NAME", requires = "name")]
    item: Vec<ItemName>,

    /// The type of the Secret; Opaque by default
    #[arg(long = "type", value_name = "TYPE", requires = "name")]
    secret_type: Option<String>,

    /// A label of the Secret; may be repeated
    #[arg(long, value_name = "NAME=VALUE", requires = "name", value_parser = parse_pair)]
    label: Vec<(String, String)>,

    /// An annotation of the Secret; may be repeated
    #[arg(long, value_name = "NAME=VALUE", requires = "name", value_parser = parse_pair)]
    annotation: Vec<(String, String)>,

    /// Make the Secret immutable
    #[arg(long, requires = "name")]
    immutable: bool,
}

fn parse_pair(text: &str) -> std::result::Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

impl NewSecretArguments {
    fn sources(&self) -> ItemSources {
        ItemSources {
            files: self.from_file.clone(),
            dotenv_files: self.from_env_file.clone(),
            stdin: self.from_stdin.clone(),
            prompted: self.item.clone(),
        }
    }

    fn template(&self) -> SecretTemplate {
        SecretTemplate {
            secret_type: self.secret_type.clone(),
            immutable: self.immutable.then_some(true),
            metadata: TemplateMetadata {
                labels: self.label.iter().cloned().collect(),
                annotations: self.annotation.iter().cloned().collect(),
            },
        }
    }
}

impl SealArguments {
    /// The one Secret that the flags describe.
    pub(super) fn read_new_secret(&self, project: &Project, io: &mut Io<'_>) -> Result<PlainFile> {
        let environment = self.environment_of(None, project, io)?;
        let object = SecretObject {
            name: self.new_secret.name.clone(),
            namespace: self.namespace.clone(),
            template: self.new_secret.template(),
            items: input::read_items(&self.new_secret.sources(), io)?,
        };
        let secret = resolve::secret(object, None, self.empty())?;
        Ok(PlainFile::of_command_line(environment, secret))
    }
}
