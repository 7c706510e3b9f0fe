//! Replacing parts of SealedSecrets in the text they stand in: every other byte stays.
//!
//! What a replacement comes to is read again and compared with what was meant; a text in which
//! they differ, such as one whose recipients are an alias, is refused.

mod recipients;

use std::{ops::Range, rc::Rc};

use sealing::resource::WrappedFileKey;
use serde_json::Value;
use zeroize::Zeroizing;

use super::{
    Document, Fault, Sealed, SourceSpan,
    objects::kind,
    sealed::Format,
    split,
    yaml::{Content, Node, deserializer, documents::Offsets},
};

/// A SealedSecret in a text.
#[derive(Debug)]
pub(crate) struct Located {
    pub(crate) origin: SourceSpan,
    pub(crate) sealed: Sealed,
    /// Its index among the items of a List.
    item: Option<usize>,
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
        problem: match fault.hint {
            Some(hint) => format!("{fault}; {hint}"),
            None => fault.to_string(),
        },
    };
    let root = match document.parse() {
        Ok(root) => root,
        Err(fault) => return vec![Err(unreadable(fault))],
    };
    objects(&root)
        .into_iter()
        .filter_map(|(item, node)| {
            let format = sealed_format(node)?;
            let located = Sealed::read(node, format).map(|sealed| Located {
                origin: origin(node.line),
                sealed,
                item,
            });
            Some(located.map_err(unreadable))
        })
        .collect()
}

/// The object of a document, or those of a List with their indexes.
fn objects(root: &Rc<Node>) -> Vec<(Option<usize>, &Rc<Node>)> {
    let is_list = matches!(kind(root), Ok("List" | "SealedSecretList"));
    match root.field("items").map(|items| &items.content) {
        Some(Content::Sequence(items)) if is_list => items
            .iter()
            .enumerate()
            .map(|(index, item)| (Some(index), item))
            .collect(),
        _ => vec![(None, root)],
    }
}

fn sealed_format(node: &Node) -> Option<Format> {
    match kind(node) {
        Ok("SealedSecret") => Format::of(node.text_field("apiVersion")?),
        _ => None,
    }
}

/// A part of a SealedSecret that is replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    /// An item of the original's format, with its new text.
    Item(String, String),
    /// The recipients of the seal with this index.
    Recipients(usize, Vec<WrappedFileKey>),
    /// What the first version of the original's format sealed as one, with its new text.
    WholeSecret(String),
}

/// What is to be replaced in one SealedSecret of a text.
#[derive(Debug)]
pub(crate) struct Replacement<'a> {
    pub(crate) object: &'a Located,
    pub(crate) part: Part,
}

/// The text with all the replacements, or why they cannot be made in place.
pub(crate) fn splice(
    text: &str,
    replacements: &[Replacement<'_>],
) -> Result<Zeroizing<String>, String> {
    let documents = split(text);
    let mut edits = Vec::new();
    let mut meant = Vec::new();
    for document in &documents {
        let own: Vec<_> = replacements
            .iter()
            .filter(|it| it.object.origin.document == document.number)
            .collect();
        if !own.is_empty() {
            meant.push((document.number, edit(document, text, &own, &mut edits)?));
        }
    }
    let spliced = apply(text, edits).ok_or(NOT_IN_PLACE)?;
    let is_meant = documents.len() == split(&spliced).len() && reads_as(&spliced, &meant);
    is_meant
        .then_some(spliced)
        .ok_or_else(|| NOT_IN_PLACE.to_owned())
}

const NOT_IN_PLACE: &str = "it is written in a way that cannot be changed in place, for example \
    with an alias: write its recipients and items out, and try again";

/// Collects the edits of one document, and returns what it shall read as.
fn edit(
    document: &Document<'_>,
    text: &str,
    replacements: &[&Replacement<'_>],
    edits: &mut Vec<Edit>,
) -> Result<Value, String> {
    let root = document.parse().map_err(|fault| fault.to_string())?;
    let mut meant = value(&root).ok_or(NOT_IN_PLACE)?;
    let source = Source {
        offsets: document.offsets(),
        text,
    };
    for Replacement { object, part } in replacements {
        let steps = part.steps(object.item);
        let node = part.find(&root, object.item).ok_or(NOT_IN_PLACE)?;
        let place = meant.pointer_mut(&steps).ok_or(NOT_IN_PLACE)?;
        let made = match part {
            Part::Item(_, new) | Part::WholeSecret(new) => {
                *place = Value::from(format!("{new}{}", line_breaks_behind(place)));
                source.scalar(node, new).map(|edit| vec![edit])
            }
            Part::Recipients(_, new) => {
                *place = serde_json::to_value(new).map_err(|error| error.to_string())?;
                recipients::edits(&source, node, new)
            }
        };
        edits.extend(made.ok_or(NOT_IN_PLACE)?);
    }
    Ok(meant)
}

/// A block scalar may end with line breaks, which base64 allows in the original's format.
fn line_breaks_behind(value: &Value) -> &str {
    let text = value.as_str().unwrap_or_default();
    &text[text.trim_end_matches('\n').len()..]
}

impl Part {
    /// Where it stands in a document, as a JSON pointer (RFC 6901). The names of items hold no
    /// character that would have to be escaped.
    fn steps(&self, item: Option<usize>) -> String {
        let object = item.map_or_else(String::new, |index| format!("/items/{index}"));
        match self {
            Self::Item(name, _) => format!("{object}/spec/encryptedData/{name}"),
            Self::Recipients(seal, _) => format!("{object}/spec/seals/{seal}/recipients"),
            Self::WholeSecret(_) => format!("{object}/spec/data"),
        }
    }

    fn find<'node>(&self, root: &'node Rc<Node>, item: Option<usize>) -> Option<&'node Node> {
        let (_, object) = objects(root)
            .into_iter()
            .find(|(index, _)| *index == item)?;
        let spec = object.field("spec")?;
        let node = match self {
            Self::Item(name, _) => spec.field("encryptedData")?.field(name)?,
            Self::Recipients(seal, _) => match &spec.field("seals")?.content {
                Content::Sequence(seals) => seals.get(*seal)?.field("recipients")?,
                _ => return None,
            },
            Self::WholeSecret(_) => spec.field("data")?,
        };
        Some(node)
    }
}

/// Bytes of a text and what takes their place.
struct Edit {
    range: Range<usize>,
    text: String,
}

/// A document and the text of its whole file.
struct Source<'a> {
    offsets: Offsets,
    text: &'a str,
}

impl Source<'_> {
    /// The bytes of a node in the file. The parser counts what follows a block scalar, up to the
    /// next thing, among its bytes.
    fn range(&self, node: &Node) -> Option<Range<usize>> {
        let start = self.offsets.in_file(node.span.start);
        let end = self.offsets.in_file(node.span.end);
        let length = self.text.get(start..end)?.trim_end().len();
        Some(start..start + length)
    }

    /// Puts another text into a scalar, quoted as it is; the header of a block scalar stays.
    fn scalar(&self, node: &Node, new: &str) -> Option<Edit> {
        let range = self.range(node)?;
        let text = match self.text[range.clone()].chars().next()? {
            quote @ ('"' | '\'') => format!("{quote}{new}{quote}"),
            _ => new.to_owned(),
        };
        Some(Edit { range, text })
    }
}

/// Makes all edits; nothing when two of them overlap or one cuts a character apart. Other
/// documents may hold plaintext, so the result is wiped when dropped, and never grows.
fn apply(text: &str, mut edits: Vec<Edit>) -> Option<Zeroizing<String>> {
    edits.sort_by_key(|edit| edit.range.start);
    let added: usize = edits.iter().map(|edit| edit.text.len()).sum();
    let mut spliced = Zeroizing::new(String::with_capacity(text.len() + added));
    let mut copied = 0;
    for Edit { range, text: new } in edits {
        spliced.push_str(text.get(copied..range.start)?);
        spliced.push_str(&new);
        copied = range.end;
    }
    spliced.push_str(text.get(copied..)?);
    Some(spliced)
}

fn reads_as(text: &str, meant: &[(usize, Value)]) -> bool {
    let documents = split(text);
    meant.iter().all(|(number, meant)| {
        let document = documents.iter().find(|it| it.number == *number);
        let root = document.and_then(|it| it.parse().ok());
        root.and_then(|root| value(&root)).as_ref() == Some(meant)
    })
}

fn value(root: &Node) -> Option<Value> {
    deserializer::read(root).ok()
}

#[cfg(test)]
mod tests;
