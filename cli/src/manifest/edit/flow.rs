//! Collections in brackets: entries are taken out and appended among commas and comments.

use std::ops::Range;

use super::{
    ByteEdit, New,
    collection::CollectionChange,
    slots::{Slot, slots},
    source::Source,
    style::Style,
};
use crate::manifest::yaml::layout::Part;

/// A collection in brackets while it is changed.
pub(super) struct Flow<'a> {
    source: &'a Source<'a>,
    part: &'a Part,
    slots: Vec<Slot>,
    style: Style<'a>,
    bytes: Vec<ByteEdit>,
}

impl<'a> Flow<'a> {
    pub(super) fn new(source: &'a Source<'a>, part: &'a Part, style: Style<'a>) -> Option<Self> {
        Some(Self {
            source,
            part,
            slots: slots(source, part)?,
            style,
            bytes: Vec::new(),
        })
    }

    pub(super) fn change(mut self, own: &CollectionChange<'_>) -> Vec<ByteEdit> {
        let Self { source, part, .. } = self;
        let inside = part.range.start + 1..part.range.end - 1;
        let goes = |index: usize| own.removed.contains(&index);
        let is_emptied = own.added.is_empty() && (0..self.slots.len()).all(goes);
        if is_emptied && source.comments_in(inside.clone()).next().is_none() {
            self.replace(inside, String::new());
            return self.bytes;
        }
        let mut added = own.added.as_slice();
        for &index in &own.removed {
            let is_last = index + 1 == self.slots.len();
            match added {
                [(name, new), rest @ ..] if is_last && !self.has_own_lines(index) => {
                    let Slot { start, end, .. } = self.slots[index];
                    let text = self.kept(start..end) + &self.written(*name, new);
                    self.replace(start..end, text);
                    added = rest;
                }
                _ => self.remove(index, goes(index.wrapping_sub(1))),
            }
        }
        if own.added.is_empty() {
            self.drop_comma(goes);
        } else if self.slots.is_empty() {
            self.fill(inside, added);
        } else {
            let last_stays = !goes(self.slots.len() - 1) || added.len() < own.added.len();
            self.append(added, last_stays);
        }
        self.bytes
    }

    fn replace(&mut self, range: Range<usize>, text: String) {
        self.bytes.push(ByteEdit { range, text });
    }

    /// Whether nothing else stands on the lines of an entry.
    fn has_own_lines(&self, index: usize) -> bool {
        let slot = &self.slots[index];
        self.source.is_first_on_line(slot.start)
            && !self.source.view[slot.end..slot.tail()].contains('\n')
            && self.source.is_last_on_line(slot.tail())
    }

    fn remove(&mut self, index: usize, previous_goes: bool) {
        let (source, slot) = (self.source, &self.slots[index]);
        if self.has_own_lines(index) {
            let lines = source.line_start(slot.start)..source.line_end(slot.tail());
            return self.replace(lines.clone(), source.comment_lines(lines));
        }
        let is_long = source.view[slot.start..slot.tail()].contains('\n');
        let comment = source.comment_behind(slot.tail());
        let next = self.slots.get(index + 1).map(|next| next.start);
        let mut range = slot.start..slot.tail();
        let close = next.filter(|&next| source.comments_in(range.end..next).next().is_none());
        match (close, comment) {
            (Some(next), _) => range.end = next,
            (None, Some(comment)) if is_long => range.end = comment.end,
            _ => {}
        }
        if close.is_none() && !previous_goes {
            range.start = self.without_space(range.start);
        }
        let kept = self.kept(range.clone());
        self.replace(range, kept);
    }

    /// Where the white space before a place begins, unless it sets the place apart from a comment.
    fn without_space(&self, at: usize) -> usize {
        let before = &self.source.view[..at];
        let start = before.trim_end().len();
        let comment = self.source.comments_in(self.part.range.start..at).last();
        let is_apart = comment.is_some_and(|comment| comment.end >= start);
        if is_apart { at } else { start }
    }

    /// The comments with a line of their own within bytes that go, on lines of their own.
    fn kept(&self, range: Range<usize>) -> String {
        let comments = self.source.comment_lines(range.clone());
        if comments.is_empty() {
            return comments;
        }
        let indent = self.source.indent(range.start);
        format!("{}{comments}{indent}", self.source.line_break(range.start))
    }

    /// If the last entry goes, that before it has no comma behind it unless the last one had.
    fn drop_comma(&mut self, goes: impl Fn(usize) -> bool) {
        let last = self.slots.len().checked_sub(1);
        let Some(last) = last.filter(|&last| goes(last) && self.slots[last].comma.is_none()) else {
            return;
        };
        let stays = (0..last).rev().find(|&index| !goes(index));
        let Some(Slot {
            end,
            comma: Some(comma),
            ..
        }) = stays.map(|index| &self.slots[index])
        else {
            return;
        };
        // A comma may stand at the beginning of the next line.
        let is_close = self.source.comments_in(*end..*comma).next().is_none();
        let start = if is_close { *end } else { *comma };
        self.replace(start..comma + 1, String::new());
    }

    /// An entry as the last one is written.
    fn written(&self, name: Option<&str>, new: &New) -> String {
        let indent = match self.slots.last() {
            Some(last) => self.source.indent(last.start).to_owned(),
            None => format!(
                "{}{}",
                self.source.indent(self.part.range.start),
                self.style.unit
            ),
        };
        let style = match self.part.children().last() {
            Some(sibling) => self.style.beside(self.source, sibling),
            None => self.style,
        };
        let written = match name {
            Some(name) => new.entry_in_brackets(name, &self.style, &indent),
            None => new.in_brackets(&style, &indent),
        };
        written.replace('\n', self.source.line_break(self.part.range.start))
    }

    /// Appends to entries that are there.
    fn append(&mut self, added: &[(Option<&str>, &New)], last_stays: bool) {
        let Some(last) = self.slots.last().filter(|_| !added.is_empty()) else {
            return;
        };
        let (start, end, tail, has_comma) =
            (last.start, last.end, last.tail(), last.comma.is_some());
        let source = self.source;
        let (indent, line_break) = (source.indent(start), source.line_break(start));
        let written = added.iter().map(|(name, new)| self.written(*name, new));
        let written: Vec<String> = written.collect();
        let on_lines = source.is_first_on_line(start) || source.comment_behind(tail).is_some();
        if on_lines && source.is_last_on_line(tail) {
            if last_stays && !has_comma {
                self.replace(end..end, ",".to_owned());
            }
            let mut text = String::new();
            for (index, new) in written.iter().enumerate() {
                let comma = if has_comma || index + 1 < written.len() {
                    ","
                } else {
                    ""
                };
                text.extend([indent, new, comma, line_break]);
            }
            let at = source.line_end(tail);
            self.replace(at..at, text);
        } else {
            let space = if on_lines {
                format!("{line_break}{indent}")
            } else {
                self.style.space.to_owned()
            };
            let (before, behind) = if has_comma { ("", ",") } else { (",", "") };
            let text = written
                .iter()
                .flat_map(|written| [before, &space, written, behind])
                .collect();
            self.replace(tail..tail, text);
        }
    }

    /// Puts entries where there are none.
    fn fill(&mut self, inside: Range<usize>, added: &[(Option<&str>, &New)]) {
        let (source, open) = (self.source, self.part.range.start);
        let written: Vec<String> = added
            .iter()
            .map(|(name, new)| self.written(*name, new))
            .collect();
        let line_break = source.line_break(open);
        let outer = source.indent(open);
        let is_long = source.view[inside.clone()].contains('\n');
        let style = Style {
            lines: self.style.lines || is_long,
            ..self.style
        };
        let whole = style.enclose('[', &written, ']', outer);
        let text = whole[1..whole.len() - 1]
            .replace("\r\n", "\n")
            .replace('\n', line_break);
        if is_long {
            let close = source.line_start(inside.end);
            let text = text.trim_start_matches(['\r', '\n']);
            let text = &text[..text.len() - outer.len()];
            self.replace(close..close, text.to_owned());
        } else {
            self.replace(inside, text);
        }
    }
}
