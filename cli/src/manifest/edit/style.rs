//! How brackets are written: JSON, KYAML or another style. New text follows it.

use super::{quotes::written_name, slots::slots, source::Source};
use crate::manifest::{
    Syntax,
    yaml::layout::{Entry, Part, Shape},
};

#[derive(Debug, Clone, Copy)]
pub(super) struct Style<'a> {
    /// Each entry has a line of its own.
    pub(super) lines: bool,
    /// What the entries of such a collection are indented by.
    pub(super) unit: &'a str,
    /// A comma if one follows the last entry too.
    pub(super) end: &'static str,
    pub(super) quoted_names: bool,
    /// What follows each colon and comma on a line.
    pub(super) space: &'static str,
    /// The brackets of a sequence and those of its elements share their lines.
    pub(super) cuddled: bool,
}

impl<'a> Style<'a> {
    pub(super) fn of(syntax: Syntax) -> Self {
        Self {
            lines: false,
            unit: "  ",
            end: "",
            quoted_names: syntax == Syntax::Json,
            space: " ",
            cuddled: false,
        }
    }

    /// The style of what stands in a collection.
    pub(super) fn within(mut self, source: &Source<'a>, part: &Part) -> Self {
        let slots = slots(source, part).unwrap_or_default();
        let ([first, .., last] | [first @ last]) = slots.as_slice() else {
            return self;
        };
        self.lines = source.is_first_on_line(last.start);
        if self.lines {
            let outer = source.indent(part.range.start);
            let unit = source.indent(last.start).strip_prefix(outer);
            self.unit = unit.filter(|unit| !unit.is_empty()).unwrap_or(self.unit);
            self.end = if last.comma.is_some() { "," } else { "" };
        }
        match &part.shape {
            Shape::Mapping(_, entries) => {
                let is_quoted = |at: usize| source.view[at..].starts_with(['"', '\'']);
                let plain = entries.iter().any(|entry| !is_quoted(entry.at.start));
                let needless = |name: &str| written_name(name) == name;
                let quoted = entries.iter().any(|entry| needless(&entry.name));
                self.quoted_names = !plain && (quoted || self.quoted_names);
                let behind = |entry: &Entry| source.view[entry.at.end..].strip_prefix(':');
                if let Some(rest) = entries.iter().find_map(behind) {
                    let is_spaced = rest.starts_with(char::is_whitespace);
                    self.space = if is_spaced { " " } else { "" };
                }
            }
            Shape::Sequence(_, elements)
                if elements.iter().all(|part| part.form().is_some())
                    && source.view[first.start..first.end].contains('\n') =>
            {
                self.cuddled = !source.is_first_on_line(first.start);
            }
            _ => {}
        }
        self
    }

    /// The style of what becomes a sibling of a node.
    pub(super) fn beside(self, source: &Source<'a>, sibling: &Part) -> Self {
        let style = self.throughout(source, sibling);
        Self {
            lines: self.within(source, sibling).lines,
            ..style
        }
    }

    fn throughout(self, source: &Source<'a>, part: &Part) -> Self {
        let own = self.within(source, part);
        part.children()
            .fold(own, |style, child| style.throughout(source, child))
    }

    /// A collection of these elements, which begins on a line with this indentation.
    pub(super) fn enclose(
        &self,
        open: char,
        parts: &[String],
        close: char,
        indent: &str,
    ) -> String {
        let Self {
            lines,
            unit,
            end,
            space,
            ..
        } = self;
        if *lines {
            let inner = format!("\n{indent}{unit}");
            let parts = parts.join(&format!(",{inner}"));
            format!("{open}{inner}{parts}{end}\n{indent}{close}")
        } else {
            format!("{open}{}{close}", parts.join(&format!(",{space}")))
        }
    }
}
