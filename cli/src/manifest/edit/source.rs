//! A document's text by lines: what stands where, and what is a comment.

use std::ops::Range;

use crate::manifest::Fault;

/// What to do when an edit is refused.
pub(super) const REFUSAL: &str =
    "give each entry a line of its own, without anchors, aliases and tags, and try again";

/// A document's text.
pub(super) struct Source<'a> {
    /// As it stands in the file.
    pub(super) text: &'a str,
    /// As it was read: templates are masked, and each byte keeps its place.
    pub(super) view: &'a str,
    pub(super) comments: &'a [Range<usize>],
    /// The line in the file at which it begins, counted from 1.
    pub(super) first_line: usize,
}

impl<'a> Source<'a> {
    pub(super) fn fault(&self, at: usize, problem: impl Into<String>) -> Fault {
        let line = self.first_line + self.text[..at].matches('\n').count();
        Fault::new(line, problem).hint(REFUSAL)
    }

    pub(super) fn refuse(&self, at: usize) -> Fault {
        self.fault(
            at,
            "the way this is written does not allow an edit in place",
        )
    }

    pub(super) fn line_start(&self, at: usize) -> usize {
        self.view[..at].rfind('\n').map_or(0, |end| end + 1)
    }

    /// Behind the line break that ends a line.
    pub(super) fn line_end(&self, at: usize) -> usize {
        let rest = self.view[at..].find('\n');
        rest.map_or(self.view.len(), |end| at + end + 1)
    }

    /// The line break of the line that holds a place, or of the line before it.
    pub(super) fn line_break(&self, at: usize) -> &'static str {
        let end = self.line_end(at);
        let is_ended = self.view[..end].ends_with('\n');
        let end = if is_ended { end } else { self.line_start(at) };
        let line = &self.view[..end];
        if line.ends_with("\r\n") { "\r\n" } else { "\n" }
    }

    /// The white space at the beginning of the line that holds a place.
    pub(super) fn indent(&self, at: usize) -> &'a str {
        let line = &self.view[self.line_start(at)..at];
        &line[..line.len() - line.trim_start().len()]
    }

    /// The white space that puts something below a place: dashes before it count as space.
    /// Nothing when anything else stands before it on its line.
    pub(super) fn column(&self, at: usize) -> Option<String> {
        let before = &self.view[self.line_start(at)..at];
        let is_space = |character: char| matches!(character, ' ' | '\t' | '-');
        before
            .chars()
            .all(is_space)
            .then(|| before.replace('-', " "))
    }

    pub(super) fn is_first_on_line(&self, at: usize) -> bool {
        self.indent(at).len() == at - self.line_start(at)
    }

    /// Whether nothing but white space and a comment follows on the line.
    pub(super) fn is_last_on_line(&self, at: usize) -> bool {
        let rest = &self.view[at..self.line_end(at)];
        rest.trim().is_empty() || self.comment_behind(at).is_some()
    }

    /// The comment that follows on the line, with nothing but white space before it.
    pub(super) fn comment_behind(&self, at: usize) -> Option<&'a Range<usize>> {
        let rest = &self.view[at..self.line_end(at)];
        self.comment_at(at + rest.len() - rest.trim_start().len())
    }

    fn comment_at(&self, at: usize) -> Option<&'a Range<usize>> {
        let index = self.comments.partition_point(|comment| comment.start < at);
        self.comments
            .get(index)
            .filter(|comment| comment.start == at)
    }

    pub(super) fn comments_in(
        &self,
        range: Range<usize>,
    ) -> impl Iterator<Item = &'a Range<usize>> {
        let first = self
            .comments
            .partition_point(|comment| comment.start < range.start);
        let comments = self.comments[first..].iter();
        comments.take_while(move |comment| comment.start < range.end)
    }

    /// The lines of a range that hold nothing but a comment.
    pub(super) fn comment_lines(&self, range: Range<usize>) -> String {
        self.comments_in(range)
            .filter(|comment| self.is_first_on_line(comment.start))
            .map(|comment| &self.text[self.line_start(comment.start)..self.line_end(comment.start)])
            .collect()
    }

    /// The first place, from one on, that is neither white space nor in a comment.
    pub(super) fn skip_blank(&self, mut at: usize) -> usize {
        loop {
            let rest = &self.view[at..];
            at += rest.len() - rest.trim_start().len();
            match self.comment_at(at) {
                Some(comment) => at = comment.end,
                None => return at,
            }
        }
    }
}
