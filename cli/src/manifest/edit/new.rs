//! What is written anew: as little as is needed of YAML, in block form and in brackets.

use super::{
    quotes::{quoted, written_name},
    source::Source,
    style::Style,
};
use crate::manifest::yaml::{
    layout::{Form, Part, Quoting, Shape},
    scalar,
};

/// A node that is written anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum New {
    Mapping(Vec<(String, Self)>),
    Null,
    /// A text without quotes: the reader of the field knows its type.
    Plain(String),
    /// A text in double quotes.
    Quoted(String),
    Sequence(Vec<Self>),
    /// A text in the quotes of the scalar that it replaces, or those that it needs.
    Text(String),
}

impl New {
    /// A scalar, or an empty collection.
    pub(super) fn short(&self, form: Form) -> Option<String> {
        match (self, form) {
            (Self::Mapping(entries), _) if entries.is_empty() => Some("{}".to_owned()),
            (Self::Sequence(elements), _) if elements.is_empty() => Some("[]".to_owned()),
            (Self::Mapping(_) | Self::Sequence(_), _) => None,
            (Self::Null, _) => Some("null".to_owned()),
            (Self::Plain(text), _) => Some(text.clone()),
            (Self::Text(text), Form::Block) if scalar::is_plain(text) => Some(text.clone()),
            (Self::Quoted(text) | Self::Text(text), _) => Some(quoted(text)),
        }
    }

    /// The text that takes the place of a scalar; nothing when there is none.
    pub(super) fn instead_of(&self, quoting: Quoting, form: Form) -> Option<String> {
        match (self, quoting) {
            (Self::Text(text), Quoting::Single) if !text.contains(char::is_control) => {
                Some(format!("'{}'", text.replace('\'', "''")))
            }
            (Self::Text(text), Quoting::Double) => Some(quoted(text)),
            (Self::Text(text), Quoting::Block | Quoting::Plain) if scalar::is_plain(text) => {
                Some(text.clone())
            }
            (Self::Mapping(_) | Self::Sequence(_), _) | (_, Quoting::Block) => None,
            _ => self.short(form),
        }
    }

    /// As an element of a collection in brackets.
    pub(super) fn in_brackets(&self, style: &Style<'_>, indent: &str) -> String {
        let inner = format!("{indent}{}", style.unit);
        match self {
            Self::Mapping(entries) if !entries.is_empty() => {
                let entries = entries.iter();
                let entries = entries.map(|(name, new)| new.entry_in_brackets(name, style, &inner));
                style.enclose('{', &entries.collect::<Vec<_>>(), '}', indent)
            }
            Self::Sequence(elements) if !elements.is_empty() => {
                let is_cuddled = is_cuddled(style, elements);
                let indent_of_element = if is_cuddled { indent } else { &inner };
                let elements = elements.iter();
                let elements = elements.map(|new| new.in_brackets(style, indent_of_element));
                let elements: Vec<String> = elements.collect();
                if is_cuddled {
                    format!("[{}]", elements.join(", "))
                } else {
                    style.enclose('[', &elements, ']', indent)
                }
            }
            _ => self.short(Form::Flow).unwrap_or_default(),
        }
    }

    /// As an entry of a mapping in brackets.
    pub(super) fn entry_in_brackets(&self, name: &str, style: &Style<'_>, indent: &str) -> String {
        let name = if style.quoted_names {
            quoted(name)
        } else {
            written_name(name)
        };
        let space = style.space;
        format!("{name}:{space}{}", self.in_brackets(style, indent))
    }
}

/// What is written in block form, indented as a sample is as far as there is one.
pub(super) struct Block<'a> {
    pub(super) source: &'a Source<'a>,
    pub(super) lines: Vec<String>,
}

impl Block<'_> {
    pub(super) fn entry(&mut self, indent: &str, name: &str, new: &New, sample: Option<&Part>) {
        let head = format!("{indent}{}:", written_name(name));
        if let Some(short) = new.short(Form::Block) {
            return self.lines.push(format!("{head} {short}"));
        }
        self.lines.push(head);
        match new {
            New::Mapping(entries) => {
                let inner = self
                    .indent_of(sample)
                    .unwrap_or_else(|| format!("{indent}  "));
                self.entries(&inner, entries, sample);
            }
            New::Sequence(elements) => {
                let dash = self.indent_of(sample).unwrap_or_else(|| indent.to_owned());
                for new in elements {
                    self.element(&dash, " ", new, None);
                }
            }
            _ => {}
        }
    }

    fn entries(&mut self, indent: &str, entries: &[(String, New)], sample: Option<&Part>) {
        for (name, new) in entries {
            let sample = sample.and_then(|sample| sample.entry(name));
            self.entry(indent, name, new, sample.map(|entry| &entry.value));
        }
    }

    pub(super) fn element(&mut self, dash: &str, gap: &str, new: &New, sample: Option<&Part>) {
        let first = self.lines.len();
        let indent = format!("{dash} {gap}");
        match new {
            New::Mapping(entries) if !entries.is_empty() => self.entries(&indent, entries, sample),
            New::Sequence(elements) if !elements.is_empty() => {
                for new in elements {
                    self.element(&indent, " ", new, None);
                }
            }
            _ => {
                let short = new.short(Form::Block).unwrap_or_default();
                self.lines.push(format!("{indent}{short}"));
            }
        }
        self.lines[first].replace_range(..indent.len(), &format!("{dash}-{gap}"));
    }

    fn indent_of(&self, sample: Option<&Part>) -> Option<String> {
        let is_block = |part: &&Part| {
            let form = Form::Block;
            matches!(&part.shape, Shape::Mapping(own, _) | Shape::Sequence(own, _) if *own == form)
        };
        self.source.column(sample.filter(is_block)?.range.start)
    }
}

/// Whether the elements of a new sequence share the lines of its brackets.
fn is_cuddled(style: &Style<'_>, elements: &[New]) -> bool {
    let is_collection = |new: &New| matches!(new, New::Mapping(_) | New::Sequence(_));
    style.lines && style.cuddled && elements.iter().all(is_collection)
}
