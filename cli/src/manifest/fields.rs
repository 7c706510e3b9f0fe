//! Single fields of a file that people keep: set by bytes, every other byte stays.
//!
//! The result is read again and compared with what was meant. Files are YAML of one document,
//! without templates: the project file, and the lists under `rotations/`.

use std::ops::Range;

use serde_json::Value;

use super::{
    Document, Fault, Syntax, split,
    yaml::{
        deserializer,
        layout::{self, Form, Part, Quoting, Shape},
    },
};

/// A field of a mapping, and what it shall be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Setting<'a> {
    /// The way to the mapping: names, and indexes written as numbers.
    pub(crate) way: Vec<Hop<'a>>,
    pub(crate) field: &'a str,
    pub(crate) scalar: Scalar,
}

/// A step on the way to a mapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hop<'a> {
    Field(&'a str),
    Index(usize),
}

/// A scalar as it is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Scalar {
    Null,
    /// A text without quotes: whoever reads the field knows what it is.
    Plain(String),
    /// A text in quotes.
    Quoted(String),
}

impl Scalar {
    fn written(&self) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::Plain(text) => text.clone(),
            Self::Quoted(text) => format!("\"{text}\""),
        }
    }

    fn value(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Plain(text) | Self::Quoted(text) => Value::from(text.as_str()),
        }
    }
}

/// The text with every field as it shall be; each was a scalar before, or was not there.
///
/// # Errors
/// Why this cannot be done in place, with the line.
pub(crate) fn set_fields(text: &str, settings: &[Setting<'_>]) -> Result<String, Fault> {
    let documents = split(text);
    let [document] = documents.as_slice() else {
        return Err(Fault::new(1, "one document is expected"));
    };
    let layout = layout::read(document.text)
        .filter(|_| document.syntax == Syntax::Yaml)
        .ok_or_else(|| unmeant(document.line))?;
    let mut edits = Vec::new();
    for setting in settings {
        let edit = edit(document.text, &layout, setting);
        edits.push(edit.ok_or_else(|| unmeant(document.line))?);
    }
    edits.sort_by_key(|edit| edit.range.start);
    let mut whole = text[..document.start].to_owned();
    let mut copied = 0;
    for edit in edits {
        let between = document.text.get(copied..edit.range.start);
        whole.push_str(between.ok_or_else(|| unmeant(document.line))?);
        whole.push_str(&edit.text);
        copied = edit.range.end;
    }
    whole.push_str(&text[document.start + copied..]);
    if is_meant(document, &whole, settings) {
        Ok(whole)
    } else {
        Err(unmeant(document.line))
    }
}

fn unmeant(line: usize) -> Fault {
    Fault::new(
        line,
        "the way this is written does not allow to change a field in place",
    )
    .hint(
        "aliases, or brackets over several lines, may be the reason: write them out and try again",
    )
}

/// Bytes of a document and what takes their place.
struct Edit {
    range: Range<usize>,
    text: String,
}

fn edit(text: &str, layout: &Part, setting: &Setting<'_>) -> Option<Edit> {
    let mapping = setting
        .way
        .iter()
        .try_fold(layout, |part, hop| match (hop, &part.shape) {
            (Hop::Field(name), _) => Some(&part.entry(name)?.value),
            (Hop::Index(index), Shape::Sequence(_, parts)) => parts.get(*index),
            (Hop::Index(_), _) => None,
        })?;
    let written = setting.scalar.written();
    match mapping.entry(setting.field) {
        Some(entry) => replace(text, entry, &written),
        None => insert(text, mapping, &format!("{}: {written}", setting.field)),
    }
}

/// The value of an entry that is there already, or has a name only.
fn replace(text: &str, entry: &layout::Entry, written: &str) -> Option<Edit> {
    let range = entry.value.range.clone();
    match entry.value.shape {
        Shape::Scalar(Quoting::Block) | Shape::Alias | Shape::Mapping(..) | Shape::Sequence(..) => {
            None
        }
        Shape::Scalar(_) if range.start >= entry.at.end && !range.is_empty() => Some(Edit {
            range,
            text: written.to_owned(),
        }),
        Shape::Scalar(_) => {
            let colon = entry.at.end + text[entry.at.end..].find(':')? + 1;
            Some(Edit {
                range: colon..colon,
                text: format!(" {written}"),
            })
        }
    }
}

/// A further entry behind the last one of a mapping.
fn insert(text: &str, mapping: &Part, entry: &str) -> Option<Edit> {
    let Shape::Mapping(form, entries) = &mapping.shape else {
        return None;
    };
    let (at, text) = match (form, entries.first(), entries.last()) {
        (Form::Flow, _, Some(last)) => (last.end(), format!(", {entry}")),
        (Form::Flow, ..) => (mapping.range.start + 1, entry.to_owned()),
        (Form::Block, Some(first), Some(last)) => {
            let line_break = if text.contains("\r\n") { "\r\n" } else { "\n" };
            let line = text[..first.at.start].rfind('\n').map_or(0, |end| end + 1);
            // The first entry of a sequence's element stands behind its dash.
            let indent = " ".repeat(text[line..first.at.start].chars().count());
            let end = text[last.end()..].find('\n');
            match end {
                Some(end) => (last.end() + end + 1, format!("{indent}{entry}{line_break}")),
                None => (text.len(), format!("{line_break}{indent}{entry}")),
            }
        }
        (Form::Block, ..) => return None,
    };
    Some(Edit {
        range: at..at,
        text,
    })
}

fn is_meant(before: &Document<'_>, after: &str, settings: &[Setting<'_>]) -> bool {
    let value = |document: &Document<'_>| -> Option<Value> {
        deserializer::read(&*document.parse().ok()?).ok()
    };
    let after = split(after);
    let ([after], Some(mut meant)) = (after.as_slice(), value(before)) else {
        return false;
    };
    for setting in settings {
        let mapping = setting
            .way
            .iter()
            .try_fold(&mut meant, |value, hop| match hop {
                Hop::Field(name) => value.get_mut(name),
                Hop::Index(index) => value.get_mut(index),
            });
        let Some(Value::Object(mapping)) = mapping else {
            return false;
        };
        mapping.insert(setting.field.to_owned(), setting.scalar.value());
    }
    value(after).as_ref() == Some(&meant)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(before: &str, expected: Option<&str>) {
        let setting = Setting {
            way: vec![Hop::Field("people"), Hop::Field("alice")],
            field: "left",
            scalar: Scalar::Plain("2026-06-01".to_owned()),
        };
        assert_eq!(set_fields(before, &[setting]).ok().as_deref(), expected);
    }

    #[test]
    fn only_the_line_of_the_field_changes() {
        check(
            "# who\npeople:\n  alice: {operates: [a], left: null} # c\n  bob: {}\n",
            Some("# who\npeople:\n  alice: {operates: [a], left: 2026-06-01} # c\n  bob: {}\n"),
        );
        check(
            "people:\n  \"alice\":\n    left:   # not yet\n    operates: [a]\n",
            Some("people:\n  \"alice\":\n    left: 2026-06-01   # not yet\n    operates: [a]\n"),
        );
        check(
            "people: {alice: {}}\n",
            Some("people: {alice: {left: 2026-06-01}}\n"),
        );
        check(
            "people: {alice: {left: '2026-01-01'}}",
            Some("people: {alice: {left: 2026-06-01}}"),
        );
        check(
            "people:\r\n  alice:\r\n    operates:\r\n    - a # c\r\n\r\n  bob: {}\r\n",
            Some(
                "people:\r\n  alice:\r\n    operates:\r\n    - a # c\r\n    left: 2026-06-01\r\n\r\n  bob: {}\r\n",
            ),
        );
        check(
            "people:\n  alice:\n    operates: [a]",
            Some("people:\n  alice:\n    operates: [a]\n    left: 2026-06-01"),
        );
    }

    #[test]
    fn what_would_change_more_is_refused() {
        check("people: {alice: &a {}, bob: *a}\n", None);
        check("people: {bob: &b {}, alice: *b}\n", None);
        check("people: {alice: {left: {}}}\n", None);
        check("people: {alice: null}\n", None);
        check("{\"people\": {\"alice\": {}}}\n", None);
        check("people: {}\n", None);
    }

    #[test]
    fn several_fields_of_elements_are_set_at_once() {
        let of = |index, field| Setting {
            way: vec![Hop::Field("items"), Hop::Index(index)],
            field,
            scalar: Scalar::Quoted("x".to_owned()),
        };
        let text = "items:\n- a: 1\n  b: [2]\n- a: null\nclosed: null\n";
        let edited = set_fields(text, &[of(1, "a"), of(0, "c"), of(0, "d")]).unwrap();
        assert_eq!(
            edited,
            "items:\n- a: 1\n  b: [2]\n  c: \"x\"\n  d: \"x\"\n- a: \"x\"\nclosed: null\n"
        );
    }
}
