//! dotenv files, restricted to what every reader reads in the same way.
//!
//! Programs disagree about quotes, comments and expansion. Ambiguous lines are errors here. An
//! error has the number of the line, never its contents.

use std::{collections::BTreeMap, fmt};

use sealing::{ItemName, Plaintext};
use zeroize::Zeroizing;

/// A line that is rejected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// Counted from 1.
    pub(super) line: usize,
    problem: Problem,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Problem {
    AfterQuote,
    Comment,
    Duplicate { name: ItemName, first: usize },
    Escape,
    Expansion,
    Name,
    NoEquals,
    Quote,
    Space,
    Unclosed,
}

impl Fault {
    /// How to fix the line.
    pub(super) fn hint(&self) -> Option<&'static str> {
        match self.problem {
            Problem::Comment | Problem::Expansion | Problem::Quote | Problem::Space => {
                Some("put the value in single quotes to keep it unchanged")
            }
            Problem::Unclosed => {
                Some("read a value of several lines from a file: `--from-file NAME=PATH`")
            }
            Problem::Escape => Some(
                "use only \\n \\r \\t \\\\ \\\" and \\$, or put the value in single quotes to keep a backslash",
            ),
            _ => None,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.problem {
            Problem::AfterQuote => "unexpected text after the closing quote",
            Problem::Comment => "` #` is ambiguous: it may begin a comment or belong to the value",
            Problem::Duplicate { name, first } => {
                return write!(f, "`{name}` is already set in line {first}");
            }
            Problem::Escape => "unknown escape sequence after a backslash",
            Problem::Expansion => "`$` is ambiguous: some readers replace a variable here",
            Problem::Name => {
                "the name before `=` is invalid: use letters, digits, `_`, `-` and `.`, with no digit first"
            }
            Problem::NoEquals => "the line is not NAME=VALUE",
            Problem::Quote => "a quote inside an unquoted value is ambiguous",
            Problem::Space => "white space around `=` or at the end is ambiguous",
            Problem::Unclosed => "the line has no closing quote",
        })
    }
}

/// Reads `NAME=VALUE` lines.
pub(super) fn parse(text: &str) -> Result<Vec<(ItemName, Plaintext)>, Fault> {
    let mut items = Vec::new();
    let mut lines = BTreeMap::new();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (number, line) in (1..).zip(text.lines()) {
        let at = |problem| Fault {
            line: number,
            problem,
        };
        let Some((name, value)) = parse_line(line).map_err(at)? else {
            continue;
        };
        if let Some(first) = lines.insert(name.clone(), number) {
            return Err(at(Problem::Duplicate { name, first }));
        }
        items.push((name, value));
    }
    Ok(items)
}

fn parse_line(line: &str) -> Result<Option<(ItemName, Plaintext)>, Problem> {
    let line = line.trim_start();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let line = line.strip_prefix("export ").map_or(line, str::trim_start);
    let (name, value) = line.split_once('=').ok_or(Problem::NoEquals)?;
    if name.ends_with(char::is_whitespace) || value.starts_with(char::is_whitespace) {
        return Err(Problem::Space);
    }
    Ok(Some((parse_name(name)?, parse_value(value)?)))
}

fn parse_name(name: &str) -> Result<ItemName, Problem> {
    match ItemName::parse(name) {
        Ok(item) if !name.starts_with(|first: char| first.is_ascii_digit()) => Ok(item),
        _ => Err(Problem::Name),
    }
}

fn parse_value(value: &str) -> Result<Plaintext, Problem> {
    match value.chars().next() {
        Some('\'') => single_quoted(&value[1..]),
        Some('"') => double_quoted(&value[1..]),
        _ => unquoted(value),
    }
}

fn unquoted(value: &str) -> Result<Plaintext, Problem> {
    if value.ends_with(char::is_whitespace) {
        return Err(Problem::Space);
    }
    if value.contains(" #") || value.contains("\t#") || value.starts_with('#') {
        return Err(Problem::Comment);
    }
    if value.contains(['\'', '"', '`']) {
        return Err(Problem::Quote);
    }
    if value.contains('\\') {
        return Err(Problem::Escape);
    }
    check_expansion(value)?;
    Ok(Plaintext::new(value.as_bytes().to_vec()))
}

fn single_quoted(rest: &str) -> Result<Plaintext, Problem> {
    let (value, after) = rest.split_once('\'').ok_or(Problem::Unclosed)?;
    check_after_quote(after)?;
    Ok(Plaintext::new(value.as_bytes().to_vec()))
}

fn double_quoted(rest: &str) -> Result<Plaintext, Problem> {
    let mut value = Zeroizing::new(Vec::with_capacity(rest.len()));
    let mut characters = rest.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => {
                check_after_quote(&rest[at + 1..])?;
                return Ok(Plaintext::new(value));
            }
            '\\' => {
                let (_, escaped) = characters.next().ok_or(Problem::Unclosed)?;
                value.push(unescape(escaped)?);
            }
            '$' => {
                if begins_variable(rest[at + 1..].chars().next()) {
                    return Err(Problem::Expansion);
                }
                value.push(b'$');
            }
            _ => value.extend(&rest.as_bytes()[at..at + character.len_utf8()]),
        }
    }
    Err(Problem::Unclosed)
}

fn unescape(escaped: char) -> Result<u8, Problem> {
    match escaped {
        'n' => Ok(b'\n'),
        'r' => Ok(b'\r'),
        't' => Ok(b'\t'),
        '\\' => Ok(b'\\'),
        '"' => Ok(b'"'),
        '$' => Ok(b'$'),
        _ => Err(Problem::Escape),
    }
}

/// Only white space and a comment may follow a closing quote.
fn check_after_quote(after: &str) -> Result<(), Problem> {
    let comment = after.trim_start();
    if comment.is_empty() || (comment.len() < after.len() && comment.starts_with('#')) {
        Ok(())
    } else {
        Err(Problem::AfterQuote)
    }
}

/// Every reader takes a `$` literally only where no variable can follow it.
fn check_expansion(value: &str) -> Result<(), Problem> {
    let mut next = value
        .match_indices('$')
        .map(|(at, _)| value[at + 1..].chars().next());
    if next.any(begins_variable) {
        Err(Problem::Expansion)
    } else {
        Ok(())
    }
}

fn begins_variable(next: Option<char>) -> bool {
    next.is_some_and(|next| next.is_ascii_alphanumeric() || "_{($".contains(next))
}
