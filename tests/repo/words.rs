//! Words that the glossary says not to use are used only where they are the field's own term.

mod exceptions;

use repo::{CRATES, code::Named};

use self::exceptions::{EXCEPTIONS, Exception, Place};
use crate::markdown::{Line, documents, lines};

const GLOSSARY: &str = "docs/glossary.md";
/// The help texts, in code blocks.
const HELP: &str = "docs/cli.md";
const ENDINGS: [&str; 6] = ["s", "es", "d", "ed", "ing", "er"];

/// A text that people read.
struct Text {
    place: String,
    words: String,
}

/// The words of the last column, without what is said of them in parentheses.
fn unwanted(glossary: &str) -> Vec<String> {
    let rows = glossary
        .lines()
        .filter(|line| line.starts_with('|'))
        .skip(2);
    let cells = rows.filter_map(|row| row.trim_end_matches('|').rsplit('|').next());
    let mut words: Vec<String> = cells
        .flat_map(|cell| {
            let said = cell.split('(').next().unwrap_or_default();
            said.split(',').map(|word| word.trim().to_owned())
        })
        .filter(|word| !word.is_empty())
        .collect();
    words.sort();
    words.dedup();
    words
}

/// Documents with the help texts among them, and what the programs say.
fn texts() -> Vec<Text> {
    let documents = documents().filter(|path| path != GLOSSARY);
    let documents = documents.map(|place| {
        let text = repo::read(&place);
        let is_said = |line: &Line<'_>| !line.is_code || place == HELP;
        let lines: Vec<&str> = lines(&text).filter(is_said).map(|line| line.text).collect();
        let words = normal(&lines.join("\n"));
        Text { place, words }
    });
    documents.chain(messages()).collect()
}

/// String literals that are phrases, outside of tests, without the names of their arguments.
fn messages() -> impl Iterator<Item = Text> {
    let parsed = CRATES.iter().map(|(folder, _)| repo::parsed(folder));
    let modules = parsed.flat_map(|parsed| &parsed.modules);
    let texts = modules.flat_map(|module| {
        module
            .mentions
            .iter()
            .filter_map(|mention| match &mention.named {
                Named::Text(text) => Some(Text {
                    place: format!("{}:{}", module.file, mention.line),
                    words: normal(&without_arguments(text)),
                }),
                _ => None,
            })
    });
    texts.filter(|text| text.words.contains(' '))
}

/// A format string without what stands in braces.
fn without_arguments(text: &str) -> String {
    let mut parts = text.split('{');
    let first = parts.next().unwrap_or_default();
    let rest = parts.map(|part| part.split_once('}').map_or(part, |(_, after)| after));
    std::iter::once(first)
        .chain(rest)
        .collect::<Vec<_>>()
        .join("{}")
}

/// Lower case, one space between words.
fn normal(text: &str) -> String {
    let lower = text.to_lowercase();
    lower.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Where a word stands alone or with an ending, as bytes.
fn places_of(word: &str, text: &str) -> Vec<(usize, usize)> {
    let is_inside = |next: Option<char>| next.is_some_and(char::is_alphanumeric);
    let found = text.match_indices(word).filter_map(|(start, _)| {
        let end = start + word.len();
        let begins = !is_inside(text[..start].chars().next_back());
        let tail: String = text[end..]
            .chars()
            .take_while(|next| next.is_alphanumeric())
            .collect();
        let ends = tail.is_empty() || ENDINGS.contains(&tail.as_str());
        (begins && ends).then_some((start, end + tail.len()))
    });
    found.collect()
}

impl Exception {
    fn excuses(&self, word: &str, text: &Text, (start, end): (usize, usize)) -> bool {
        self.word == word
            && match self.place {
                Place::Anywhere => true,
                Place::In(file) => text.place.split(':').next() == Some(file),
                Place::Phrase(phrase) => text
                    .words
                    .match_indices(phrase)
                    .any(|(at, _)| at <= start && end <= at + phrase.len()),
            }
    }
}

#[test]
fn words_that_the_glossary_replaces_are_not_used() {
    let words = unwanted(&repo::read(GLOSSARY));
    assert!(words.len() > 5, "the glossary has a column of them");
    let texts = texts();
    assert!(
        texts.iter().any(|text| text.place.starts_with("cli/src/")),
        "messages are found"
    );
    let mut used = vec![false; EXCEPTIONS.len()];
    let mut unwanted = Vec::new();
    for text in &texts {
        for word in &words {
            for (start, end) in places_of(word, &text.words) {
                let excuse = EXCEPTIONS
                    .iter()
                    .position(|exception| exception.excuses(word, text, (start, end)));
                match excuse {
                    Some(at) => used[at] = true,
                    None => unwanted.push(format!("{}: {}", text.place, around(text, start, end))),
                }
            }
        }
    }
    assert!(unwanted.is_empty(), "{}", unwanted.join("\n"));
    let idle = EXCEPTIONS.iter().zip(used).filter(|(_, used)| !used);
    let idle: Vec<String> = idle
        .map(|(exception, _)| format!("{}: {}", exception.word, exception.why))
        .collect();
    assert!(idle.is_empty(), "exceptions that nothing needs: {idle:?}");
}

fn around(text: &Text, start: usize, end: usize) -> String {
    let from = text.words[..start].char_indices().rev().nth(30);
    let to = text.words[end..].char_indices().nth(30);
    let from = from.map_or(0, |(at, _)| at);
    let to = to.map_or(text.words.len(), |(at, _)| end + at);
    text.words[from..to].to_owned()
}

#[test]
fn a_word_is_found_with_its_endings_and_not_inside_another() {
    let found = |word, text: &str| places_of(word, &normal(text)).len();
    assert_eq!(
        found(
            "rotate",
            "Rotate, rotated; rotates ROTATE\nrotating rotations"
        ),
        4
    );
    assert_eq!(found("scan", "scandal, `scan`, scanning, re-scan"), 2);
    assert_eq!(found("session key", "one session\n  key, session keys"), 2);
    let glossary =
        "| word | means | do not say |\n|--|--|--|\n| a | b | one, two (of c, d) |\n| e | f | |";
    assert_eq!(unwanted(glossary), ["one", "two"]);
}
