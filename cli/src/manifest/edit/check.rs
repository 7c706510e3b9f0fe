//! What an edit did, held against what was meant.

use std::collections::BTreeMap;

use sealing::resource::{Seal, bitnami};

use super::{
    super::{
        Document, Fault, Sealed,
        sealed::{
            Format,
            target::{self, Readable, Target},
        },
        split,
        yaml::{Content, Node, layout::Step},
    },
    Change,
};

/// Refuses a text that differs from the one it was made of in anything but the change.
pub(super) fn only_meant(
    before: &[Document<'_>],
    after: &str,
    target: &Target,
    change: Change<'_>,
) -> Result<(), Fault> {
    let after = split(after);
    let (Some(old), Some(new)) = (before.get(target.document), after.get(target.document)) else {
        return Err(unmeant(target));
    };
    let others_stay = before.len() == after.len()
        && before
            .iter()
            .zip(&after)
            .all(|(old, new)| old.number == target.document + 1 || old.text == new.text);
    let (old, new) = (
        target::read(old)?,
        target::read(new).map_err(|_| unmeant(target))?,
    );
    let field = match target.sealed {
        Sealed::Bitnami(_) => "encryptedData",
        Sealed::Native(_) => "seals",
    };
    let spec = [Step::Field("spec"), Step::Field(field)];
    let way: Vec<Step> = target.steps.iter().copied().chain(spec).collect();
    let is_meant = others_stay
        && differ_only_at(&old.node, &new.node, &way)
        && sealed_at(&new, &target.steps)
            .is_some_and(|new| is_result(&target.sealed, &new, change));
    if is_meant {
        Ok(())
    } else {
        Err(unmeant(target))
    }
}

fn unmeant(target: &Target) -> Fault {
    Fault::new(
        target.origin.line,
        "the edit would change more than it should: the way this is written does not allow it",
    )
    .hint("aliases, or values over several lines, may be the reason: write them out and try again")
}

fn sealed_at(readable: &Readable, steps: &[Step]) -> Option<Sealed> {
    let mut node = &*readable.node;
    for step in steps {
        node = match (step, &node.content) {
            (Step::Index(index), Content::Sequence(nodes)) => nodes.get(*index)?,
            (Step::Field(name), _) => node.field(name)?,
            (Step::Index(_), _) => return None,
        };
    }
    let format = Format::of(node.text_field("apiVersion")?)?;
    readable.sealed(node, format).ok()
}

/// Whether two nodes say the same in the same order, but for what stands at the end of `way`.
fn differ_only_at(old: &Node, new: &Node, way: &[Step]) -> bool {
    match (&old.content, &new.content) {
        (Content::Mapping(old), Content::Mapping(new)) => {
            old.len() == new.len()
                && old.iter().zip(new).all(|(old, new)| {
                    let same_name = *old.name.text == *new.name.text;
                    same_name && below(&old.node, &new.node, Step::is_field(way, &old.name.text))
                })
        }
        (Content::Sequence(old), Content::Sequence(new)) => {
            old.len() == new.len()
                && (0..)
                    .zip(old.iter().zip(new))
                    .all(|(index, (old, new))| below(old, new, Step::is_index(way, index)))
        }
        (Content::Scalar(old), Content::Scalar(new)) => {
            *old.text == *new.text && old.style == new.style
        }
        _ => false,
    }
}

/// `rest` is what is left of the way when it leads through these nodes.
fn below(old: &Node, new: &Node, rest: Option<&[Step]>) -> bool {
    match rest {
        Some([]) => true,
        Some(rest) => differ_only_at(old, new, rest),
        None => differ_only_at(old, new, &[]),
    }
}

impl Step {
    fn is_field<'a>(way: &'a [Self], name: &str) -> Option<&'a [Self]> {
        match way {
            [Self::Field(field), rest @ ..] if *field == name => Some(rest),
            _ => None,
        }
    }

    fn is_index(way: &[Self], index: usize) -> Option<&[Self]> {
        match way {
            [Self::Index(it), rest @ ..] if *it == index => Some(rest),
            _ => None,
        }
    }
}

fn is_result(old: &Sealed, new: &Sealed, change: Change<'_>) -> bool {
    match (old, new, change) {
        (Sealed::Native(old), Sealed::Native(new), Change::Native { .. }) => {
            changed_seals(&old.spec.seals, change) == new.spec.seals
        }
        (Sealed::Bitnami(old), Sealed::Bitnami(new), _) => {
            let expected = changed_items(sealed_items(&old.spec), change);
            expected.is_some() && expected == sealed_items(&new.spec)
        }
        _ => false,
    }
}

/// The seals that a change makes of these.
pub(crate) fn changed_seals(old: &[Seal], change: Change<'_>) -> Vec<Seal> {
    let Change::Native { without, with } = change else {
        return old.to_vec();
    };
    let mut seals: Vec<Seal> = old.iter().chain(with).cloned().collect();
    let holder = without.and_then(|name| {
        let holds = |seal: &Seal| seal.items.contains_key(name.as_str());
        Some((old.iter().position(holds)?, name))
    });
    if let Some((index, name)) = holder {
        seals[index].items.remove(name.as_str());
        if seals[index].items.is_empty() && seals.len() > 1 {
            seals.remove(index);
        }
    }
    seals
}

type Items = BTreeMap<String, String>;

/// Line breaks mean nothing in the original's base64. Nothing when a value is no text.
fn sealed_items(spec: &bitnami::Spec) -> Option<Items> {
    let items = spec.encrypted_data.iter().flatten();
    items
        .map(|(name, value)| {
            let text: String = value.as_str()?.split(['\r', '\n']).collect();
            Some((name.clone(), text))
        })
        .collect()
}

fn changed_items(items: Option<Items>, change: Change<'_>) -> Option<Items> {
    let mut items = items?;
    match change {
        Change::Set { name, sealed } => {
            items.insert(name.to_string(), sealed.to_owned());
        }
        Change::Unset { name } => {
            items.remove(name.as_str())?;
        }
        Change::Rename { name, new_name } => {
            let value = items.remove(name.as_str())?;
            if items.insert(new_name.to_string(), value).is_some() {
                return None;
            }
        }
        Change::Native { .. } => return None,
    }
    Some(items)
}
