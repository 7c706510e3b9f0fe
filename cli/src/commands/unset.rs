//! `sceau unset`: removes one item of a SealedSecret from its file, without a private key.

use sealing::ItemName;

use crate::{
    edit::OpenFile,
    error::Result,
    flags::TargetArguments,
    manifest::{Change, Sealed},
    ui::{self, Io},
};

/// Remove one item of a SealedSecret from its file
///
/// Everything else in the file stays unchanged: comments on their own lines, order, quotes,
/// indentation and other documents. A seal that loses its last item is removed too, unless it is
/// the only one. Neither a private key nor the project file is needed.
///
/// The value stays in git's history: a key that decrypted it still does.
#[derive(Debug, clap::Args)]
pub(crate) struct UnsetArguments {
    #[command(flatten)]
    target: TargetArguments,

    /// The item to remove
    #[arg(value_name = "ITEM")]
    item: ItemName,
}

pub(super) fn run(arguments: &UnsetArguments, io: &mut Io<'_>) -> Result<()> {
    let UnsetArguments { target, item } = arguments;
    let file = OpenFile::open(target, io)?;
    if !file.target.holds(item) {
        return Err(file.no_item(item));
    }
    match &file.target.sealed {
        Sealed::Native(sealed) => {
            let change = Change::Native {
                without: Some(item),
                with: None,
            };
            file.check_bounds(sealed, change)?;
            file.write(change, io)?;
        }
        Sealed::Bitnami(_) => file.write(Change::Unset { name: item }, io)?,
    }
    let place = file.target.place();
    ui::note(
        io,
        format_args!("removed item `{item}` of {place} in {}", file.label()),
    );
    Ok(())
}
