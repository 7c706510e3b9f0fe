//! Where each node of a document stands in its text, to the byte.
//!
//! It tells places and forms, and takes for granted that `yaml` has read the same text: what a
//! document means, and whether it may, is not looked at here.

use std::ops::Range;

use serde_saphyr::granit_parser::{Event, Parser, ScalarStyle, StructureStyle, options};

/// Where everything in a document stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::manifest) struct Layout {
    pub(in crate::manifest) root: Part,
    /// The bytes of every comment, in their order, without line breaks.
    pub(in crate::manifest) comments: Vec<Range<usize>>,
}

/// A node's place and form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::manifest) struct Part {
    /// Its bytes: without anchor and tag, and without what follows its content.
    pub(in crate::manifest) range: Range<usize>,
    pub(in crate::manifest) shape: Shape,
}

/// The form of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::manifest) enum Shape {
    /// `*name`.
    Alias,
    Mapping(Form, Vec<Entry>),
    Scalar(Quoting),
    Sequence(Form, Vec<Part>),
}

/// How a collection is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::manifest) enum Form {
    /// By indentation.
    Block,
    /// In brackets.
    Flow,
}

/// How a scalar is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::manifest) enum Quoting {
    /// `|` or `>`: its range is its content.
    Block,
    Double,
    Plain,
    Single,
}

/// An entry of a mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::manifest) struct Entry {
    pub(in crate::manifest) name: String,
    /// The bytes of its name, quotes included.
    pub(in crate::manifest) at: Range<usize>,
    pub(in crate::manifest) value: Part,
}

impl Entry {
    /// Where its content ends. The place of a value that is not there lies before the colon.
    pub(in crate::manifest) fn end(&self) -> usize {
        self.at.end.max(self.value.range.end)
    }
}

/// One step on the way to a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step<'a> {
    Field(&'a str),
    Index(usize),
}

impl Part {
    /// The entry of that name, when this is a mapping that has it.
    pub(in crate::manifest) fn entry(&self, name: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.name == name)
    }

    /// The entries of a mapping; none of anything else.
    pub(in crate::manifest) fn entries(&self) -> &[Entry] {
        match &self.shape {
            Shape::Mapping(_, entries) => entries,
            _ => &[],
        }
    }

    /// The values of a mapping or the elements of a sequence.
    pub(in crate::manifest) fn children(&self) -> impl DoubleEndedIterator<Item = &Self> {
        let elements = match &self.shape {
            Shape::Sequence(_, elements) => elements.as_slice(),
            _ => &[],
        };
        let values = self.entries().iter().map(|entry| &entry.value);
        values.chain(elements)
    }

    /// How a collection is written.
    pub(in crate::manifest) fn form(&self) -> Option<Form> {
        match self.shape {
            Shape::Mapping(form, _) | Shape::Sequence(form, _) => Some(form),
            Shape::Alias | Shape::Scalar(_) => None,
        }
    }

    pub(in crate::manifest) fn is_mapping(&self) -> bool {
        matches!(self.shape, Shape::Mapping(..))
    }

    /// Which of the children a step leads to.
    pub(in crate::manifest) fn index(&self, step: Step<'_>) -> Option<usize> {
        match (step, &self.shape) {
            (Step::Field(name), _) => self.entries().iter().position(|entry| entry.name == name),
            (Step::Index(index), Shape::Sequence(_, parts)) => {
                Some(index).filter(|&it| it < parts.len())
            }
            (Step::Index(_), _) => None,
        }
    }

    /// The node at the end of a way through mappings and sequences.
    pub(in crate::manifest) fn walk(&self, steps: &[Step<'_>]) -> Option<&Self> {
        steps
            .iter()
            .try_fold(self, |part, step| part.children().nth(part.index(*step)?))
    }
}

/// Reads where the nodes of a text of one document stand; nothing when it is not to be parsed.
pub(in crate::manifest) fn read(text: &str) -> Option<Layout> {
    let options = options! { emit_comments: true };
    let mut open: Vec<Open> = Vec::new();
    let mut root = None;
    let mut comments = Vec::new();
    for event in Parser::new_from_str_with_options(text, options) {
        let (event, span) = event.ok()?;
        let range = span.byte_range()?;
        let part = match event {
            Event::MappingStart(style, ..) => {
                open.push(Open::new(Kind::Mapping, style, range.start));
                continue;
            }
            Event::SequenceStart(style, ..) => {
                open.push(Open::new(Kind::Sequence, style, range.start));
                continue;
            }
            Event::MappingEnd | Event::SequenceEnd => open.pop()?.close(text, range.end),
            Event::Scalar(_, style, ..) => scalar(text, range, style),
            Event::Alias(_) => Part {
                range,
                shape: Shape::Alias,
            },
            Event::Comment(..) => {
                comments.push(range);
                continue;
            }
            _ => continue,
        };
        match open.last_mut() {
            Some(parent) => parent.children.push(part),
            None => root = Some(part),
        }
    }
    // The parser looks ahead, and tells of some comments late.
    comments.sort_by_key(|comment| comment.start);
    Some(Layout {
        root: root?,
        comments,
    })
}

/// A collection whose end has not been read.
struct Open {
    kind: Kind,
    form: Form,
    start: usize,
    children: Vec<Part>,
}

#[derive(Clone, Copy)]
enum Kind {
    Mapping,
    Sequence,
}

impl Open {
    fn new(kind: Kind, style: StructureStyle, start: usize) -> Self {
        let form = match style {
            StructureStyle::Block => Form::Block,
            StructureStyle::Flow => Form::Flow,
        };
        Self {
            kind,
            form,
            start,
            children: Vec::new(),
        }
    }

    /// In block form the parser sees the end only where the next thing begins.
    fn close(self, text: &str, end: usize) -> Part {
        let last = self.children.iter().map(|child| child.range.end).max();
        let end = match self.form {
            Form::Block => last.unwrap_or(self.start),
            Form::Flow => end,
        };
        let start = match (self.kind, self.form, self.children.first()) {
            (Kind::Sequence, Form::Block, Some(first)) => {
                dash_before(text, first.range.start).unwrap_or(self.start)
            }
            _ => self.start,
        };
        let shape = match self.kind {
            Kind::Mapping => Shape::Mapping(self.form, entries(text, self.children)),
            Kind::Sequence => Shape::Sequence(self.form, self.children),
        };
        Part {
            range: start..end,
            shape,
        }
    }
}

/// The dash before an element of a sequence in block form: on its line, or on one above it that
/// only comments separate from it.
pub(in crate::manifest) fn dash_before(text: &str, element: usize) -> Option<usize> {
    let mut end = element;
    loop {
        let start = text[..end].rfind('\n').map_or(0, |end| end + 1);
        let line = &text[start..end];
        let trimmed = line.trim_start();
        if trimmed.starts_with('-') {
            return Some(start + line.len() - trimmed.len());
        }
        if start == 0 || !(trimmed.is_empty() || trimmed.starts_with('#')) {
            return None;
        }
        end = start - 1;
    }
}

/// Names and values come in turn.
fn entries(text: &str, children: Vec<Part>) -> Vec<Entry> {
    let mut children = children.into_iter();
    let mut entries = Vec::new();
    while let (Some(name), Some(value)) = (children.next(), children.next()) {
        entries.push(Entry {
            name: plain_name(text, &name),
            at: name.range,
            value,
        });
    }
    entries
}

/// The text of a name. One with an escape in it is not looked for by anybody, and stays escaped.
fn plain_name(text: &str, name: &Part) -> String {
    let written = &text[name.range.clone()];
    match name.shape {
        Shape::Scalar(Quoting::Double | Quoting::Single) => {
            written.get(1..written.len() - 1).unwrap_or_default()
        }
        _ => written,
    }
    .to_owned()
}

/// The range of a block scalar reaches over the blank lines after it.
fn scalar(text: &str, range: Range<usize>, style: ScalarStyle) -> Part {
    let quoting = match style {
        ScalarStyle::SingleQuoted => Quoting::Single,
        ScalarStyle::DoubleQuoted => Quoting::Double,
        ScalarStyle::Literal | ScalarStyle::Folded => Quoting::Block,
        ScalarStyle::Plain => Quoting::Plain,
    };
    let content = text[range.clone()].trim_end().len();
    Part {
        range: range.start..range.start + content,
        shape: Shape::Scalar(quoting),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, steps: &[Step<'_>], expected: &str) {
        let layout = read(text).unwrap();
        let part = layout.root.walk(steps).unwrap();
        assert_eq!(&text[part.range.clone()], expected);
    }

    #[test]
    fn a_node_is_its_content() {
        let text =
            "\u{feff}a: &x 'é' # c\nb:\n- |\n  one\n  two\n\n# c\n- {c: [d, *x]} # e\nf: g\n  h\n";
        check(text, &[Step::Field("a")], "'é'");
        check(text, &[Step::Field("b"), Step::Index(0)], "one\n  two");
        check(text, &[Step::Field("b"), Step::Index(1)], "{c: [d, *x]}");
        let deep = [Step::Field("b"), Step::Index(1), Step::Field("c")];
        check(text, &deep, "[d, *x]");
        check(
            text,
            &[Step::Field("b")],
            "- |\n  one\n  two\n\n# c\n- {c: [d, *x]}",
        );
        check(text, &[Step::Field("f")], "g\n  h");
    }

    #[test]
    fn what_is_no_yaml_has_no_layout() {
        assert_eq!(read("a: [b"), None);
    }
}
