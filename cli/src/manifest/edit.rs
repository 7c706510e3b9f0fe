//! Changes of one SealedSecret in the text of its file: only the lines that must change do.
//!
//! Each change is made by bytes, then the result is read again as strictly as before and compared
//! with what was meant: an edit that would touch anything else is refused. Nothing is sealed here.

mod check;
mod collection;
mod lines;
mod seal_text;

use sealing::{ItemName, resource::Seal};
use zeroize::Zeroizing;

pub(crate) use self::check::changed_seals;
use self::{collection::Owner, lines::Lines};
use super::{
    Document, Fault, Sealed,
    sealed::target::Target,
    split,
    yaml::{
        layout::{self, Form, Part, Shape, Step},
        templating,
    },
};
use crate::error::Result as CommandResult;

/// What is to become of a SealedSecret.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Change<'a> {
    /// In the native format: an item is taken out of its seal, and a further seal is appended.
    Native {
        without: Option<&'a ItemName>,
        with: Option<&'a Seal>,
    },
    /// In the original's format: an item is renamed.
    Rename {
        name: &'a ItemName,
        new_name: &'a ItemName,
    },
    /// In the original's format: an item is replaced or added.
    Set { name: &'a ItemName, sealed: &'a str },
    /// In the original's format: an item is taken out.
    Unset { name: &'a ItemName },
}

/// The text of the file after the change.
pub(crate) fn edited(
    text: &str,
    target: &Target,
    change: Change<'_>,
) -> CommandResult<Zeroizing<String>> {
    edit(text, target, change).map_err(|fault| target.origin.fault(&fault))
}

fn edit(text: &str, target: &Target, change: Change<'_>) -> Result<Zeroizing<String>, Fault> {
    let documents = split(text);
    let document = documents
        .get(target.document)
        .ok_or_else(|| Fault::new(1, "the document is gone"))?;
    let changed = Editor::new(document, target).apply(change)?;
    let end = document.start + document.text.len();
    let whole = [&text[..document.start], &changed, &text[end..]].concat();
    let whole = Zeroizing::new(whole);
    check::only_meant(&documents, &whole, target, change)?;
    Ok(whole)
}

/// A document while it is edited, one change after the other.
struct Editor<'a> {
    text: Zeroizing<String>,
    first_line: usize,
    target: &'a Target,
}

impl<'a> Editor<'a> {
    fn new(document: &Document<'_>, target: &'a Target) -> Self {
        Self {
            text: Zeroizing::new(document.text.to_owned()),
            first_line: document.line,
            target,
        }
    }

    fn apply(mut self, change: Change<'_>) -> Result<Zeroizing<String>, Fault> {
        const ITEMS: [Step; 2] = [Step::Field("spec"), Step::Field("encryptedData")];
        match change {
            Change::Native { without, with } => {
                if let Some(seal) = with {
                    self.text = self.append_seal(seal)?;
                }
                if let Some(name) = without {
                    self.text = self.remove_native(name)?;
                }
            }
            Change::Set { name, sealed } => {
                self.text = self.change(&ITEMS, |owner| owner.set(name.as_str(), sealed))?;
            }
            Change::Unset { name } => {
                self.text = self.change(&ITEMS, |owner| owner.remove(name.as_str()))?;
            }
            Change::Rename { name, new_name } => {
                let rename = |owner: Owner<'_>| owner.rename(name.as_str(), new_name.as_str());
                self.text = self.change(&ITEMS, rename)?;
            }
        }
        Ok(self.text)
    }

    /// The text after a change of the collection at the end of `way`, which begins at the object.
    fn change(
        &self,
        way: &[Step],
        change: impl FnOnce(Owner<'_>) -> Result<Zeroizing<String>, Fault>,
    ) -> Result<Zeroizing<String>, Fault> {
        let lines = Lines {
            text: &self.text,
            first_line: self.first_line,
        };
        let layout = self.layout()?;
        let whole: Vec<Step> = self.target.steps.iter().chain(way).copied().collect();
        let last = whole.len() - 1;
        let (Some(parent), Some(part)) = (layout.walk(&whole[..last]), layout.walk(&whole)) else {
            let deepest = (0..last).rev().find_map(|end| layout.walk(&whole[..end]));
            let at = deepest.map_or(0, |part| part.range.start);
            return Err(missing(&lines, at, way));
        };
        change(Owner {
            lines,
            parent,
            part,
        })
    }

    fn layout(&self) -> Result<Part, Fault> {
        let read = || layout::read(&self.text);
        let masked = || layout::read(&templating::masked(&self.text)?);
        read()
            .or_else(masked)
            .ok_or_else(|| Fault::new(self.first_line, "the edited document is no valid YAML"))
    }

    fn append_seal(&self, seal: &Seal) -> Result<Zeroizing<String>, Fault> {
        let way = [Step::Field("spec"), Step::Field("seals")];
        self.change(&way, |owner| match &owner.part.shape {
            Shape::Sequence(Form::Block, seals) => {
                let text = seal_text::block(&owner.lines, owner.part, seals, seal)?;
                Ok(owner.lines.insert_after(owner.part.range.end, &text))
            }
            Shape::Sequence(Form::Flow, seals) => {
                let text = seal_text::flow(&owner.lines, owner.part, seals, seal);
                let before: Vec<_> = seals.iter().map(|seal| seal.range.clone()).collect();
                Ok(owner.lines.append_flow(&owner.part.range, &before, &text))
            }
            _ => Err(owner.alias()),
        })
    }

    /// Takes an item out of its seal; a seal without items goes too, unless it is the only one.
    fn remove_native(&self, name: &ItemName) -> Result<Zeroizing<String>, Fault> {
        let Sealed::Native(sealed) = &self.target.sealed else {
            return Ok(self.text.clone());
        };
        let holds = |seal: &Seal| seal.items.contains_key(name.as_str());
        let Some(index) = sealed.spec.seals.iter().position(holds) else {
            return Ok(self.text.clone());
        };
        let seals = [Step::Field("spec"), Step::Field("seals")];
        let is_last_item = sealed.spec.seals[index].items.len() == 1;
        self.change(&seals, |owner| {
            let Shape::Sequence(_, parts) = &owner.part.shape else {
                return Err(owner.alias());
            };
            if is_last_item && parts.len() > 1 {
                return owner.remove_element(index);
            }
            let [spec, seals] = seals;
            let items = [spec, seals, Step::Index(index), Step::Field("items")];
            self.change(&items, |owner| owner.remove(name.as_str()))
        })
    }
}

fn missing(lines: &Lines<'_>, at: usize, way: &[Step]) -> Fault {
    let names: Vec<String> = way
        .iter()
        .map(|step| match step {
            Step::Field(name) => (*name).to_owned(),
            Step::Index(index) => format!("[{index}]"),
        })
        .collect();
    let names = names.join(".");
    lines.fault(
        at,
        format!("`{names}` is not there, or an alias stands in its place"),
    )
}
