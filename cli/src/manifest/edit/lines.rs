//! A document's text by lines and bytes: what is inserted and taken out, and what must stay.

use std::ops::Range;

use zeroize::Zeroizing;

use crate::manifest::Fault;

/// A document's text.
#[derive(Clone, Copy)]
pub(super) struct Lines<'a> {
    pub(super) text: &'a str,
    /// The line in the file at which it begins, counted from 1.
    pub(super) first_line: usize,
}

impl<'a> Lines<'a> {
    pub(super) fn fault(&self, at: usize, problem: impl Into<String>) -> Fault {
        let line = self.first_line + self.text[..at].matches('\n').count();
        Fault::new(line, problem)
    }

    /// The text with other bytes in place of a range.
    pub(super) fn replace(&self, range: Range<usize>, new: &str) -> Zeroizing<String> {
        let (head, tail) = (&self.text[..range.start], &self.text[range.end..]);
        Zeroizing::new([head, new, tail].concat())
    }

    fn start(&self, at: usize) -> usize {
        self.text[..at].rfind('\n').map_or(0, |end| end + 1)
    }

    /// Behind the line break that ends a line.
    fn end(&self, at: usize) -> usize {
        let rest = self.text[at..].find('\n');
        rest.map_or(self.text.len(), |end| at + end + 1)
    }

    /// The line break that the line before this place, or the first line, ends with.
    pub(super) fn line_break(&self, at: usize) -> &'static str {
        let line = &self.text[self.start(at)..self.end(at)];
        let line = if line.ends_with('\n') {
            line
        } else {
            &self.text[..self.start(at)]
        };
        if line.ends_with("\r\n") { "\r\n" } else { "\n" }
    }

    /// The white space before a place, when nothing else stands before it on its line.
    pub(super) fn indent(&self, at: usize) -> Result<&'a str, Fault> {
        let indent = &self.text[self.start(at)..at];
        if indent.chars().all(|character| character == ' ') {
            Ok(indent)
        } else {
            Err(self
                .fault(at, "something else stands before it on its line")
                .hint("give it a line of its own"))
        }
    }

    /// The text with further lines after the one that holds `at`. A file that does not end with a
    /// line break still does not.
    pub(super) fn insert_after(&self, at: usize, lines: &[String]) -> Zeroizing<String> {
        let line_break = self.line_break(at);
        let place = self.end(at);
        let joined = lines.join(line_break);
        if self.text[..place].ends_with('\n') {
            self.replace(place..place, &(joined + line_break))
        } else {
            self.replace(place..place, &(line_break.to_owned() + &joined))
        }
    }

    /// The text without the lines from one place to another. Comments with a line of their own
    /// stay.
    pub(super) fn remove(&self, range: Range<usize>) -> Result<Zeroizing<String>, Fault> {
        let end = self.end(range.end);
        let rest = self.text[range.end..end].trim();
        if !rest.is_empty() && !rest.starts_with('#') {
            return Err(self
                .fault(range.end, "something else follows it on its line")
                .hint("give it a line of its own"));
        }
        let start = self.start(range.start);
        let comments: String = self.text[start..end]
            .split_inclusive('\n')
            .filter(|line| line.trim_start().starts_with('#'))
            .collect();
        Ok(self.replace(start..end, &comments))
    }

    /// The text with a further element before the closing bracket of a collection that holds
    /// `elements`. It is set apart as the last of them is.
    pub(super) fn append_flow(
        &self,
        collection: &Range<usize>,
        elements: &[Range<usize>],
        new: &str,
    ) -> Zeroizing<String> {
        match elements.last() {
            None => {
                let at = collection.start + 1;
                self.replace(at..at, new)
            }
            Some(last) => {
                let space = self.space_before(collection, last);
                self.replace(last.end..last.end, &format!(",{space}{new}"))
            }
        }
    }

    /// The white space between a bracket or comma and an element.
    pub(super) fn space_before(
        &self,
        collection: &Range<usize>,
        element: &Range<usize>,
    ) -> &'a str {
        let before = &self.text[collection.start + 1..element.start];
        let space = &before[before.trim_end().len()..];
        // The first element of many may stand close to its bracket.
        if space.is_empty() && before.is_empty() {
            " "
        } else {
            space
        }
    }

    /// The text without one element of a collection in brackets, and without the comma beside it.
    pub(super) fn remove_flow(
        &self,
        elements: &[Range<usize>],
        index: usize,
    ) -> Result<Zeroizing<String>, Fault> {
        let element = &elements[index];
        let range = match (index.checked_sub(1), elements.get(index + 1)) {
            (Some(before), _) => elements[before].end..element.end,
            (None, Some(next)) => element.start..next.start,
            (None, None) => {
                let rest = &self.text[element.end..];
                let comma = rest.trim_start().starts_with(',');
                let length = if comma {
                    rest.find(',').map_or(0, |at| at + 1)
                } else {
                    0
                };
                element.start..element.end + length
            }
        };
        let beside = [
            &self.text[range.start..element.start.max(range.start)],
            &self.text[element.end.min(range.end)..range.end],
        ];
        if beside.iter().any(|text| text.contains('#')) {
            return Err(self
                .fault(
                    element.start,
                    "a comment stands between it and what is beside it",
                )
                .hint("move the comment out of the brackets"));
        }
        Ok(self.replace(range, ""))
    }
}
