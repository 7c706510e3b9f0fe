//! Changes of one mapping or sequence: entries are set, renamed and taken out.

use std::ops::Range;

use zeroize::Zeroizing;

use super::{
    super::{
        Fault,
        yaml::{
            layout::{self, Entry, Form, Part, Quoting, Shape},
            scalar,
        },
    },
    lines::Lines,
};

/// A collection, with the mapping or sequence that it stands in.
pub(super) struct Owner<'a> {
    pub(super) lines: Lines<'a>,
    pub(super) parent: &'a Part,
    pub(super) part: &'a Part,
}

type Changed = Result<Zeroizing<String>, Fault>;

impl Owner<'_> {
    pub(super) fn alias(&self) -> Fault {
        self.lines
            .fault(
                self.part.range.start,
                "it is written in a way that cannot be edited in place",
            )
            .hint("write it out as a mapping or a list, without anchors and aliases")
    }

    /// Replaces the text of an entry, or adds one at the end.
    pub(super) fn set(self, name: &str, value: &str) -> Changed {
        let Shape::Mapping(form, entries) = &self.part.shape else {
            return Err(self.alias());
        };
        match (form, self.part.entry(name), entries.last()) {
            (_, Some(entry), _) => self.replace_value(entry, value),
            (Form::Block, None, Some(last)) => {
                let indent = self.lines.indent(last.at.start)?;
                let line = format!("{indent}{}: {value}", written_name(name));
                Ok(self.lines.insert_after(last.end(), &[line]))
            }
            (_, None, _) => {
                let entry = format!("\"{name}\": \"{value}\"");
                let before = ranges(entries);
                Ok(self.lines.append_flow(&self.part.range, &before, &entry))
            }
        }
    }

    /// Its quotes stay, and so does the header of a block scalar.
    fn replace_value(&self, entry: &Entry, value: &str) -> Changed {
        let Range { start, end } = entry.value.range;
        match entry.value.shape {
            Shape::Scalar(Quoting::Double | Quoting::Single) => {
                Ok(self.lines.replace(start + 1..end - 1, value))
            }
            Shape::Scalar(_) | Shape::Alias if end > start => {
                Ok(self.lines.replace(start..end, value))
            }
            _ => Err(self.lines.fault(entry.at.start, "its value is no text")),
        }
    }

    /// Gives an entry another name; its quotes stay.
    pub(super) fn rename(self, name: &str, new_name: &str) -> Changed {
        let entry = self.part.entry(name).ok_or_else(|| self.alias())?;
        let Range { start, end } = entry.at;
        if self.lines.text[start..end].starts_with(['"', '\'']) {
            Ok(self.lines.replace(start + 1..end - 1, new_name))
        } else {
            Ok(self.lines.replace(start..end, &written_name(new_name)))
        }
    }

    /// Takes an entry out; a mapping that loses its last one becomes `{}`.
    pub(super) fn remove(self, name: &str) -> Changed {
        let Shape::Mapping(form, entries) = &self.part.shape else {
            return Err(self.alias());
        };
        let index = entries.iter().position(|entry| entry.name == name);
        let index = index.ok_or_else(|| self.alias())?;
        let entry = &entries[index];
        match form {
            Form::Flow => self.lines.remove_flow(&ranges(entries), index),
            Form::Block => {
                self.lines.indent(entry.at.start)?;
                if entries.len() > 1 {
                    return self.lines.remove(entry.at.start..entry.end());
                }
                let without = self.lines.remove(entry.at.start..entry.end())?;
                let lines = Lines {
                    text: &without,
                    ..self.lines
                };
                let at = self.after_colon()?;
                Ok(lines.replace(at..at, " {}"))
            }
        }
    }

    /// Behind the colon after which this mapping begins on a line of its own.
    fn after_colon(&self) -> Result<usize, Fault> {
        let is_this = |entry: &&Entry| entry.value.range == self.part.range;
        let owner = self.parent.entries().iter().find(is_this);
        let name_end = owner
            .map(|entry| entry.at.end)
            .ok_or_else(|| self.alias())?;
        let between = &self.lines.text[name_end..self.part.range.start];
        let first_line = between.lines().next().unwrap_or_default().trim();
        let rest = first_line.strip_prefix(':').map(str::trim_start);
        match (rest, between.find(':')) {
            (Some(rest), Some(colon)) if rest.is_empty() || rest.starts_with('#') => {
                Ok(name_end + colon + 1)
            }
            _ => Err(self.alias()),
        }
    }

    /// Takes one element out of a sequence.
    pub(super) fn remove_element(self, index: usize) -> Changed {
        let Shape::Sequence(form, parts) = &self.part.shape else {
            return Err(self.alias());
        };
        match form {
            Form::Flow => {
                let elements: Vec<_> = parts.iter().map(|part| part.range.clone()).collect();
                self.lines.remove_flow(&elements, index)
            }
            Form::Block => {
                let dash = layout::dash_before(self.lines.text, parts[index].range.start)
                    .ok_or_else(|| self.alias())?;
                self.lines.indent(dash)?;
                self.lines.remove(dash..parts[index].range.end)
            }
        }
    }
}

fn ranges(entries: &[Entry]) -> Vec<Range<usize>> {
    entries
        .iter()
        .map(|entry| entry.at.start..entry.end())
        .collect()
}

/// An item's name, in quotes where some reader would take it for something else than text.
pub(super) fn written_name(name: &str) -> String {
    let clear = name.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '_');
    if clear && scalar::misreading(name).is_none() {
        name.to_owned()
    } else {
        format!("\"{name}\"")
    }
}
