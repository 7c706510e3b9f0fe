//! The SealedSecrets of a text: objects of their own, or items of a List.

use std::rc::Rc;

use super::{Format, Sealed};
use crate::manifest::{
    Document, Fault, SourceSpan, split,
    yaml::{Content, Node, layout::Step},
};

/// A SealedSecret in a text.
#[derive(Debug)]
pub(crate) struct Located {
    pub(crate) origin: SourceSpan,
    pub(crate) sealed: Sealed,
    /// The way to it in its document.
    pub(in crate::manifest) steps: Vec<Step<'static>>,
}

/// A document that speaks of SealedSecrets and cannot be read.
#[derive(Debug)]
pub(crate) struct Unreadable {
    pub(crate) origin: SourceSpan,
    pub(crate) problem: String,
}

/// Finds the SealedSecrets of a text that its user calls `label`, and what may be one but is
/// unreadable. Documents of other kinds are passed over, whatever is wrong with them.
pub(crate) fn locate(label: &str, text: &str) -> Vec<Result<Located, Unreadable>> {
    let documents = split(text);
    let candidates = documents
        .iter()
        .filter(|document| document.mentions("SealedSecret"));
    candidates
        .flat_map(|document| locate_in(label, document))
        .collect()
}

fn locate_in(label: &str, document: &Document<'_>) -> Vec<Result<Located, Unreadable>> {
    let origin = |line| SourceSpan {
        file: label.to_owned(),
        document: document.number,
        line,
    };
    let unreadable = |fault: Fault| Unreadable {
        origin: origin(fault.line),
        problem: fault.with_hint(),
    };
    let root = match document.parse() {
        Ok(root) => root,
        Err(fault) => return vec![Err(unreadable(fault))],
    };
    objects(&root)
        .map(|(steps, format, node)| {
            let located = Sealed::read(node, format).map(|sealed| Located {
                origin: origin(node.line),
                sealed,
                steps,
            });
            located.map_err(unreadable)
        })
        .collect()
}

/// The SealedSecrets of a document, each with its format and the way to it: the document itself, or
/// items of a List.
pub(in crate::manifest) fn objects(
    root: &Rc<Node>,
) -> impl Iterator<Item = (Vec<Step<'static>>, Format, &Rc<Node>)> {
    let is_sealed = |node: &Node| node.text_field("kind") == Some("SealedSecret");
    let items = match root.field("items").map(|items| &items.content) {
        Some(Content::Sequence(items)) if !is_sealed(root) => items.as_slice(),
        _ => &[],
    };
    let items = items.iter().enumerate();
    let items = items.map(|(index, item)| (vec![Step::Field("items"), Step::Index(index)], item));
    let all = std::iter::once((Vec::new(), root)).chain(items);
    all.filter_map(move |(steps, node)| {
        let format = Format::of(node.text_field("apiVersion")?)?;
        is_sealed(node).then_some((steps, format, node))
    })
}
