//! What is to become of a SealedSecret, as edits of the text it stands in.

use sealing::{
    ItemName,
    resource::{Seal, WrappedFileKey},
};
use zeroize::Zeroizing;

use super::{Sealed, locate::Located, target::Target};
use crate::{
    error::Result as CommandResult,
    manifest::{
        Fault,
        edit::{self, Edit, New, Operation, Step},
    },
};

/// What is to become of a SealedSecret.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Change<'a> {
    /// In the native format: an item is taken out of its seal, and a further seal is appended.
    Native {
        without: Option<&'a ItemName>,
        with: Option<&'a Seal>,
    },
    /// In the kubeseal format: an item is renamed.
    Rename {
        name: &'a ItemName,
        new_name: &'a ItemName,
    },
    /// In the kubeseal format: an item is replaced or added.
    Set { name: &'a ItemName, sealed: &'a str },
    /// In the kubeseal format: an item is removed.
    Unset { name: &'a ItemName },
}

/// The text of the file after the change.
pub(crate) fn edited(
    text: &str,
    target: &Target,
    change: Change<'_>,
) -> CommandResult<Zeroizing<String>> {
    if let Sealed::Bitnami(sealed) = &target.sealed
        && let Some((name, _)) = sealed
            .spec
            .encrypted_data
            .iter()
            .flatten()
            .find(|(_, value)| !value.is_string())
    {
        let problem = format!("the value of item `{name}` is not text");
        return Err(target.origin.error(problem));
    }
    let edits: Vec<Edit<'_>> = change
        .operations(&target.sealed)
        .into_iter()
        .map(|(path, operation)| Edit {
            document: target.document,
            path: [&target.steps, path.as_slice()].concat(),
            operation,
        })
        .collect();
    edit::edit(text, &edits).map_err(|fault| target.origin.fault(&fault))
}

impl<'a> Change<'a> {
    /// The operations, each with its path in the object.
    fn operations(self, sealed: &Sealed) -> Vec<(Vec<Step<'a>>, Operation<'a>)> {
        let item = |name: &'a ItemName| {
            ["spec", "encryptedData", name.as_str()]
                .map(Step::Field)
                .to_vec()
        };
        match (self, sealed) {
            (Self::Native { without, with }, Sealed::Native(sealed)) => {
                let seals = ["spec", "seals"].map(Step::Field);
                let append = with.map(|seal| (seals.to_vec(), Operation::Append(new_seal(seal))));
                let remove = without.and_then(|name| {
                    let index = holder(&sealed.spec.seals, name)?;
                    let is_empty = sealed.spec.seals[index].items.len() == 1;
                    let is_only = sealed.spec.seals.len() == 1 && with.is_none();
                    let mut path = [seals.as_slice(), &[Step::Index(index)]].concat();
                    if !is_empty || is_only {
                        path.extend([Step::Field("items"), Step::Field(name.as_str())]);
                    }
                    Some((path, Operation::Remove))
                });
                append.into_iter().chain(remove).collect()
            }
            (Self::Native { .. }, Sealed::Bitnami(_)) => Vec::new(),
            (Self::Rename { name, new_name }, _) => {
                vec![(item(name), Operation::Rename(new_name.as_str()))]
            }
            (Self::Set { name, sealed }, _) => {
                vec![(item(name), Operation::Set(New::Text(sealed.to_owned())))]
            }
            (Self::Unset { name }, _) => vec![(item(name), Operation::Remove)],
        }
    }
}

fn holder(seals: &[Seal], name: &ItemName) -> Option<usize> {
    let holds = |seal: &Seal| seal.items.contains_key(name.as_str());
    seals.iter().position(holds)
}

/// The seals that a change makes of these. A seal without items goes, unless it is the only one.
pub(crate) fn changed_seals(old: &[Seal], change: Change<'_>) -> Vec<Seal> {
    let Change::Native { without, with } = change else {
        return old.to_vec();
    };
    let mut seals: Vec<Seal> = old.iter().chain(with).cloned().collect();
    let held = without.and_then(|name| Some((holder(old, name)?, name)));
    if let Some((index, name)) = held {
        seals[index].items.remove(name.as_str());
        if seals[index].items.is_empty() && seals.len() > 1 {
            seals.remove(index);
        }
    }
    seals
}

fn new_seal(seal: &Seal) -> New {
    let items = seal
        .items
        .iter()
        .map(|(name, sealed)| (name.clone(), New::Text(sealed.clone())));
    let recipients = seal.recipients.iter().map(new_recipient);
    New::Mapping(vec![
        ("sealedAt".to_owned(), New::Text(seal.sealed_at.clone())),
        ("commitment".to_owned(), New::Text(seal.commitment.clone())),
        ("recipients".to_owned(), New::Sequence(recipients.collect())),
        ("items".to_owned(), New::Mapping(items.collect())),
    ])
}

fn new_recipient(recipient: &WrappedFileKey) -> New {
    let field = |(name, text): (&str, &str)| (name.to_owned(), New::Text(text.to_owned()));
    New::Mapping(fields(recipient).map(field).to_vec())
}

fn fields(recipient: &WrappedFileKey) -> [(&'static str, &str); 3] {
    [
        ("keyId", &recipient.key_id),
        ("suite", &recipient.suite),
        ("wrapped", &recipient.wrapped),
    ]
}

/// A part of a SealedSecret that is replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    /// An item of the kubeseal format, with its new text.
    Item(String, String),
    /// The recipients of the seal with this index.
    Recipients(usize, Vec<WrappedFileKey>),
    /// What the first version of the kubeseal format sealed as one, with its new text.
    WholeSecret(String),
}

/// What is to be replaced in one SealedSecret of a text.
#[derive(Debug)]
pub(crate) struct Replacement<'a> {
    pub(crate) object: &'a Located,
    pub(crate) part: Part,
}

/// The text with all the replacements.
///
/// # Errors
/// Why they cannot be made in place.
pub(crate) fn replaced(
    text: &str,
    replacements: &[Replacement<'_>],
) -> Result<Zeroizing<String>, Fault> {
    let edits: Vec<Edit<'_>> = replacements.iter().flat_map(Replacement::edits).collect();
    edit::edit(text, &edits)
}

impl Replacement<'_> {
    fn edits(&self) -> Vec<Edit<'_>> {
        let text = |path, text: &str| self.edit(path, Operation::Set(New::Text(text.to_owned())));
        match &self.part {
            Part::Item(name, new) => {
                vec![text(
                    self.path(&["encryptedData", name].map(Step::Field)),
                    new,
                )]
            }
            Part::WholeSecret(new) => vec![text(self.path(&[Step::Field("data")]), new)],
            Part::Recipients(seal, new) => {
                let path = [
                    Step::Field("seals"),
                    Step::Index(*seal),
                    Step::Field("recipients"),
                ];
                let old = match &self.object.sealed {
                    Sealed::Native(sealed) => sealed.spec.seals.get(*seal),
                    Sealed::Bitnami(_) => None,
                };
                let old = old.map_or(&[][..], |seal| &seal.recipients);
                self.recipients(&self.path(&path), old, new)
            }
        }
    }

    /// The way to what stands at the end of these steps in the object's `spec`.
    fn path<'a>(&self, steps: &[Step<'a>]) -> Vec<Step<'a>> {
        [&self.object.steps, [Step::Field("spec")].as_slice(), steps].concat()
    }

    fn edit<'a>(&self, path: Vec<Step<'a>>, operation: Operation<'a>) -> Edit<'a> {
        Edit {
            document: self.object.origin.document - 1,
            path,
            operation,
        }
    }

    /// Those of keys that are not among the new ones go first; what is left is changed field by
    /// field, so that whatever stays keeps its lines.
    fn recipients<'a>(
        &self,
        path: &[Step<'a>],
        old: &[WrappedFileKey],
        new: &[WrappedFileKey],
    ) -> Vec<Edit<'a>> {
        let mut surplus = old.len().saturating_sub(new.len());
        let mut staying: Vec<usize> = (0..old.len()).collect();
        staying.retain(|&index| {
            let is_wanted = new.iter().any(|new| new.key_id == old[index].key_id);
            let goes = surplus > 0 && !is_wanted;
            surplus -= usize::from(goes);
            !goes
        });
        staying.truncate(new.len());
        let mut edits = Vec::new();
        for index in (0..old.len()).filter(|index| !staying.contains(index)) {
            let path = [path, &[Step::Index(index)]].concat();
            edits.push(self.edit(path, Operation::Remove));
        }
        for (&index, new) in staying.iter().zip(new) {
            for ((name, new), (_, old)) in fields(new).into_iter().zip(fields(&old[index])) {
                if new != old {
                    let path = [path, &[Step::Index(index), Step::Field(name)]].concat();
                    edits.push(self.edit(path, Operation::Set(New::Text(new.to_owned()))));
                }
            }
        }
        let appended = new.iter().skip(staying.len()).map(new_recipient);
        edits.extend(appended.map(|new| self.edit(path.to_vec(), Operation::Append(new))));
        edits
    }
}

#[cfg(test)]
mod tests;
