//! The documents of a file: where each begins and ends.
//!
//! They are cut apart before any is parsed, so that each can be named in an error and replaced in
//! place without touching a byte of its neighbours.

use std::{fmt::Write as _, ops::Range, rc::Rc};

use serde::de::IgnoredAny;
use zeroize::Zeroizing;

use super::tree::{self, Node};
use crate::manifest::Fault;

/// One document of a file that has content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Document<'text> {
    /// Counted from 1; empty documents do not count.
    pub(crate) number: usize,
    /// The line of the file where it begins, counted from 1.
    pub(crate) line: usize,
    /// Its bytes in the file, without the line `---` before it.
    pub(crate) range: Range<usize>,
    /// How it is written.
    pub(crate) syntax: Syntax,
    /// Where `text` begins in the file.
    pub(in crate::manifest) start: usize,
    /// All that is parsed: a line `---` before it included.
    pub(in crate::manifest) text: &'text str,
}

/// How a document is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Syntax {
    Json,
    Yaml,
}

impl Document<'_> {
    /// Parses it, as YAML: every JSON document is one.
    pub(in crate::manifest) fn parse(&self) -> Result<Rc<Node>, Fault> {
        let parsed = match self.syntax {
            Syntax::Json => tree::parse(&escaped(self.text), self.line),
            Syntax::Yaml => tree::parse(self.text, self.line),
        };
        parsed.map_err(|fault| {
            if self.text.contains("{{") {
                fault.hint(
                    "this looks like a template: render it first (for Helm, `helm template`) and seal the result",
                )
            } else {
                fault
            }
        })
    }

    /// Whether its text holds a word: what does not cannot be about it.
    pub(in crate::manifest) fn mentions(&self, word: &str) -> bool {
        self.text.contains(word)
    }
}

/// Cuts a text at each line `---`, and apart what JSON objects stand one after the other.
pub(crate) fn split(text: &str) -> Vec<Document<'_>> {
    let pieces = chunks(text)
        .into_iter()
        .flat_map(|chunk| split_json(text, chunk))
        .filter(|(range, _)| has_content(&text[range.clone()]));
    let (mut line, mut counted) = (1, 0);
    let mut documents = Vec::new();
    for (range, syntax) in pieces {
        line += text[counted..range.start].matches('\n').count();
        counted = range.start;
        documents.push(Document {
            number: documents.len() + 1,
            line,
            start: range.start,
            text: &text[range.clone()],
            range: content_range(text, range),
            syntax,
        });
    }
    documents
}

/// No line of a YAML document, not even in a quoted or block scalar, begins with `---`.
fn chunks(text: &str) -> Vec<Range<usize>> {
    let mut chunks = Vec::new();
    let (mut start, mut at) = (0, 0);
    for line in text.split_inclusive('\n') {
        if at > start && is_separator(line) {
            chunks.push(start..at);
            start = at;
        }
        at += line.len();
    }
    chunks.push(start..at);
    chunks
}

fn is_separator(line: &str) -> bool {
    line.strip_prefix("---")
        .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']))
}

fn has_content(chunk: &str) -> bool {
    chunk.lines().any(|line| {
        let line = line.strip_prefix('\u{feff}').unwrap_or(line);
        let line = line.strip_prefix("---").unwrap_or(line).trim();
        !line.is_empty() && line != "..." && !line.starts_with(['#', '%'])
    })
}

/// The values of a JSON stream; a chunk that is none, or is damaged, stays whole.
fn split_json(text: &str, chunk: Range<usize>) -> Vec<(Range<usize>, Syntax)> {
    let start = content_range(text, chunk.clone()).start;
    let content = &text[start..chunk.end];
    if !content.trim_start().starts_with('{') {
        return vec![(chunk, Syntax::Yaml)];
    }
    let mut values = serde_json::Deserializer::from_str(content).into_iter::<IgnoredAny>();
    let mut found = Vec::new();
    let mut from = start;
    while let Some(Ok(IgnoredAny)) = values.next() {
        let to = start + values.byte_offset();
        found.push((skip_space(text, from)..to, Syntax::Json));
        from = to;
    }
    let rest = skip_space(text, from)..chunk.end;
    match found.as_slice() {
        [] => vec![(chunk, Syntax::Yaml)],
        _ if rest.is_empty() => found,
        _ => {
            found.push((rest, Syntax::Json));
            found
        }
    }
}

/// JSON allows characters in its strings that YAML wants to be escaped; they stand nowhere else.
fn escaped(json: &str) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(json.len() + json.len() / 8));
    for character in json.chars() {
        if wants_escape(character) {
            push_escape(&mut text, character);
        } else {
            text.push(character);
        }
    }
    text
}

/// Whether YAML wants a character of a JSON string to be escaped.
pub(super) fn wants_escape(character: char) -> bool {
    match character {
        '\n' | '\r' | '\t' => false,
        '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => true,
        other => other.is_control(),
    }
}

fn push_escape(text: &mut String, character: char) {
    let _ = write!(text, "\\u{:04x}", u32::from(character));
}

fn skip_space(text: &str, from: usize) -> usize {
    let rest = &text[from..];
    from + (rest.len() - rest.trim_start().len())
}

/// Without the line `---`, when nothing but a comment follows on it.
fn content_range(text: &str, chunk: Range<usize>) -> Range<usize> {
    let whole = &text[chunk.clone()];
    let first = whole.split_inclusive('\n').next().unwrap_or_default();
    let start = if !is_separator(first) {
        chunk.start
    } else if matches!(first[3..].trim_start().chars().next(), None | Some('#')) {
        chunk.start + first.len()
    } else {
        chunk.start + 3
    };
    start..chunk.end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[(usize, &str)]) {
        let found: Vec<_> = split(text)
            .iter()
            .map(|document| (document.line, &text[document.range.clone()]))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn yaml_documents_end_at_separators() {
        check("a: 1\n---\nb: 2\n", &[(1, "a: 1\n"), (2, "b: 2\n")]);
        check("--- # first\na: 1\n", &[(1, "a: 1\n")]);
        check("--- {a: 1}\n", &[(1, " {a: 1}\n")]);
        check("a: |\n  ---\n----\n", &[(1, "a: |\n  ---\n----\n")]);
        check(
            "a: 1\r\n---\r\nb: 2\r\n",
            &[(1, "a: 1\r\n"), (2, "b: 2\r\n")],
        );
    }

    #[test]
    fn documents_without_content_do_not_count() {
        check("", &[]);
        check("\n# nothing\n---\n---\n%YAML 1.2\n...\n", &[]);
        assert_eq!(split("---\n---\na: 1\n")[0].number, 1);
    }

    #[test]
    fn json_objects_one_after_the_other_are_documents() {
        check("{\"a\":1}{\"b\":2}", &[(1, "{\"a\":1}"), (1, "{\"b\":2}")]);
        check(
            "{\"a\":1}\n{\"b\":2}\n",
            &[(1, "{\"a\":1}"), (2, "{\"b\":2}")],
        );
        check(
            "{\"a\":1}\n---\n{\"b\":2}\n",
            &[(1, "{\"a\":1}"), (3, "{\"b\":2}")],
        );
    }

    #[test]
    fn a_damaged_json_object_is_a_document_of_its_own() {
        check("{\"a\":1}\n{\"b\":", &[(1, "{\"a\":1}"), (2, "{\"b\":")]);
    }
}
