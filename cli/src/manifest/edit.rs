//! The one way to change YAML or JSON that people keep: by bytes, so that all else stays.
//!
//! An edit says what to do at the end of a path through a document. It becomes ranges of bytes and
//! what takes their place. The result is read again, as strictly, and held against what the edits
//! mean: one that would touch anything else is refused.

mod block;
mod collection;
mod flow;
mod meaning;
mod new;
mod plan;
mod quotes;
mod slots;
mod source;
mod style;

use std::{collections::BTreeMap, ops::Range, rc::Rc};

use zeroize::Zeroizing;

pub(crate) use self::new::New;
use self::{meaning::Meaning, source::REFUSAL};
pub(crate) use super::yaml::layout::Step;
use super::{
    Document, Fault, split,
    yaml::{Node, reading::Reading},
};

/// What to do at one place of one document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Edit<'a> {
    /// Which of the text's documents, counted from 0.
    pub(crate) document: usize,
    /// The way to the place. Indexes count the elements that stand there before any edit.
    pub(crate) path: Vec<Step<'a>>,
    pub(crate) operation: Operation<'a>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Operation<'a> {
    /// A sequence gets a further element.
    Append(New),
    /// An entry or an element goes.
    Remove,
    /// An entry gets another name.
    Rename(&'a str),
    /// A scalar becomes another one; an entry that is not there is added.
    Set(New),
}

/// Bytes of a document, and what takes their place.
#[derive(Debug, PartialEq, Eq)]
struct ByteEdit {
    range: Range<usize>,
    text: String,
}

/// The text after all edits. Other documents may hold plaintext, so it is wiped when dropped.
///
/// # Errors
/// Why this cannot be done in place, with the line.
pub(crate) fn edit(text: &str, edits: &[Edit<'_>]) -> Result<Zeroizing<String>, Fault> {
    let documents = split(text);
    let mut by_document: BTreeMap<usize, Vec<&Edit<'_>>> = BTreeMap::new();
    for edit in edits {
        by_document.entry(edit.document).or_default().push(edit);
    }
    let mut bytes = Vec::new();
    let mut edited = BTreeMap::new();
    for (index, own) in by_document {
        let document = documents.get(index);
        let document = document.ok_or_else(|| Fault::new(1, "the document does not exist"))?;
        let reading = Reading::of(document)?;
        bytes.extend(plan::bytes(document, &reading, &own)?);
        edited.insert(index, (reading.node, own));
    }
    bytes.sort_by_key(|edit| (edit.range.start, edit.range.end));
    let line = bytes
        .first()
        .map_or(1, |edit| line_of(text, edit.range.start));
    let refused =
        || Fault::new(line, "an edit in place would change something else too").hint(REFUSAL);
    let after = splice(text, &bytes).ok_or_else(refused)?;
    if is_meant(&documents, &split(&after), &edited) {
        Ok(after)
    } else {
        Err(refused())
    }
}

fn line_of(text: &str, at: usize) -> usize {
    1 + text[..at].matches('\n').count()
}

/// Makes all edits; nothing when two of them overlap. The text never grows while it is made.
fn splice(text: &str, edits: &[ByteEdit]) -> Option<Zeroizing<String>> {
    let added: usize = edits.iter().map(|edit| edit.text.len()).sum();
    let mut spliced = Zeroizing::new(String::with_capacity(text.len() + added));
    let mut copied = 0;
    for ByteEdit { range, text: new } in edits {
        spliced.push_str(text.get(copied..range.start)?);
        // A line break before what comes at the end of a file is of no use once the last line went.
        let new = if spliced.ends_with('\n') && range.start == text.len() {
            new.trim_start_matches(['\r', '\n'])
        } else {
            new
        };
        spliced.push_str(new);
        copied = range.end;
    }
    spliced.push_str(text.get(copied..)?);
    Some(spliced)
}

/// The edited documents before the edits, with these.
type Edited<'a> = BTreeMap<usize, (Rc<Node>, Vec<&'a Edit<'a>>)>;

/// Whether every document says what it said before, but for what the edits mean, and those that
/// are not edited are the same text.
fn is_meant(before: &[Document<'_>], after: &[Document<'_>], edited: &Edited<'_>) -> bool {
    let stays = |(index, (old, new)): (usize, (&Document<'_>, &Document<'_>))| {
        let Some((node, edits)) = edited.get(&index) else {
            return old.text == new.text;
        };
        let meaning = Meaning::of(node, edits);
        let read = Reading::of(new);
        old.syntax == new.syntax
            && meaning.is_some_and(|meaning| read.is_ok_and(|new| meaning.is_of(&new.node)))
    };
    before.len() == after.len() && before.iter().zip(after).enumerate().all(stays)
}

#[cfg(test)]
mod tests;
