//! `sceau rename`: renames one item of a SealedSecret in its file.

use std::path::PathBuf;

use sealing::{ItemName, resource::SealedSecret};

use crate::{
    edit::{self, NativePlace, OpenFile},
    error::{Result, with_causes},
    flags::TargetArguments,
    keys::files,
    manifest::{Change, Sealed},
    project::Project,
    ui::{self, Io},
};

/// Rename one item of a SealedSecret in its file
///
/// Everything else in the file stays unchanged. The key of an item is derived from its name, so
/// this needs the private key of its seal. sceau decrypts the item and seals it again under its new
/// name, for the environment's current certificates. The value and the time of its seal stay the
/// same.
///
/// In the kubeseal format, names are not bound to values, so no key is needed.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct RenameArguments {
    #[command(flatten)]
    target: TargetArguments,

    /// The item to rename
    #[arg(value_name = "ITEM")]
    item: ItemName,

    /// Its new name
    #[arg(value_name = "NEW")]
    new_name: ItemName,

    /// A file with private keys, PEM or exported key Secrets; may be repeated
    #[arg(long, value_name = "FILE")]
    keys: Vec<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  sceau rename deploy/api/prod/secret.yaml DB_URL DATABASE_URL --keys backup.yaml";

pub(super) fn run(arguments: &RenameArguments, io: &mut Io<'_>) -> Result<()> {
    let RenameArguments { item, new_name, .. } = arguments;
    let file = OpenFile::open(&arguments.target, io)?;
    if !file.target.holds(item) {
        return Err(file.no_item(item));
    }
    if file.target.holds(new_name) {
        return Err(file
            .error(format_args!("item `{new_name}` already exists"))
            .hint("remove it first with `sceau unset`, or choose another name"));
    }
    match &file.target.sealed {
        Sealed::Native(sealed) => arguments.rename_native(&file, sealed, io)?,
        Sealed::Bitnami(_) => {
            let name = item;
            file.write(Change::Rename { name, new_name }, io)?;
        }
    }
    ui::note(
        io,
        format_args!(
            "renamed item `{item}` of {} to `{new_name}` in {}",
            file.target.place(),
            file.label()
        ),
    );
    Ok(())
}

impl RenameArguments {
    fn rename_native(
        &self,
        file: &OpenFile<'_>,
        sealed: &SealedSecret,
        io: &mut Io<'_>,
    ) -> Result<()> {
        if self.keys.is_empty() {
            return Err(file
                .error(format_args!(
                    "renaming `{}` needs the private key of its seal: the key of an item is derived from its name",
                    self.item
                ))
                .hint("pass it with `--keys FILE`, or use `sceau set` under the new name and then `sceau unset`"));
        }
        let project = Project::load(&io.directory)?;
        let NativePlace {
            mut envelope,
            place,
            context,
        } = file.native_place(sealed)?;
        let environment = file.environment(&project, Some(&envelope.environment), io)?;
        let recipients = edit::recipients(&project, &environment, io)?;
        let ring = files::read_key_ring(&self.keys, io)?;
        envelope
            .seals
            .retain(|seal| seal.item_sizes().any(|(name, _)| *name == self.item));
        let sealed_at = envelope.seals.first().map_or(io.now, |seal| seal.sealed_at);
        let mut items = envelope
            .open(&place, &ring)
            .map_err(|error| file.error(with_causes(&error)))?
            .items;
        items.retain(|name, _| *name == self.item);
        let items = items
            .into_values()
            .map(|plaintext| (self.new_name.clone(), plaintext))
            .collect();
        let seal = sealing::seal_items(&items, &context, &recipients, sealed_at)
            .map_err(|error| file.error(error))?;
        let change = Change::Native {
            without: Some(&self.item),
            with: Some(&seal),
        };
        file.check_bounds(sealed, change)?;
        file.write(change, io)
    }
}
