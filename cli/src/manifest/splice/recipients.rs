//! The recipients of a seal: their scalars one by one as long as their number stays, else the
//! whole block, in the style it has.

use sealing::resource::WrappedFileKey;
use serde::Serialize as _;
use serde_json::{Serializer, ser::PrettyFormatter};

use super::{Edit, Source};
use crate::manifest::yaml::{Content, Node};

pub(super) fn edits(source: &Source<'_>, node: &Node, new: &[WrappedFileKey]) -> Option<Vec<Edit>> {
    let Content::Sequence(old) = &node.content else {
        return None;
    };
    if old.len() != new.len() {
        return block(source, node, new).map(|edit| vec![edit]);
    }
    let mut edits = Vec::new();
    for (old, new) in old.iter().zip(new) {
        for (name, text) in fields(new) {
            if old.text_field(name)? != text {
                edits.push(source.scalar(old.field(name)?, text)?);
            }
        }
    }
    Some(edits)
}

fn fields(recipient: &WrappedFileKey) -> [(&'static str, &str); 3] {
    [
        ("keyId", &recipient.key_id),
        ("suite", &recipient.suite),
        ("wrapped", &recipient.wrapped),
    ]
}

fn block(source: &Source<'_>, node: &Node, new: &[WrappedFileKey]) -> Option<Edit> {
    let range = source.range(node)?;
    let start = first_mark(source.text, range.start)?;
    let old = &source.text[start..range.end];
    let line = source.text[..start].rsplit('\n').next()?;
    let text = if old.starts_with('[') {
        flow(old, indentation(line), new)?
    } else {
        let above = &source.text[..start - line.len()];
        let line_break = if above.ends_with("\r\n") {
            "\r\n"
        } else {
            "\n"
        };
        entries(new).join(&format!("{line_break}{}", " ".repeat(line.chars().count())))
    };
    Some(Edit {
        range: start..range.end,
        text,
    })
}

/// Where a sequence begins. To the parser, one that is not indented below its name begins behind
/// its first `-`.
fn first_mark(text: &str, start: usize) -> Option<usize> {
    if text[start..].starts_with(['[', '-']) {
        return Some(start);
    }
    let before = text[..start].trim_end();
    before.ends_with('-').then(|| before.len() - 1)
}

fn indentation(line: &str) -> &str {
    &line[..line.len() - line.trim_start().len()]
}

/// The lines of a sequence in block style, without indentation.
fn entries(recipients: &[WrappedFileKey]) -> Vec<String> {
    let lines = recipients.iter().flat_map(|recipient| {
        let marks = ["- ", "  ", "  "];
        marks
            .into_iter()
            .zip(fields(recipient))
            .map(|(mark, (name, text))| format!("{mark}{name}: {text}"))
    });
    lines.collect()
}

/// A sequence in flow style is JSON; one of several lines keeps its indentation.
fn flow(old: &str, outer: &str, recipients: &[WrappedFileKey]) -> Option<String> {
    let Some((_, below)) = old.split_once('\n') else {
        return serde_json::to_string(recipients).ok();
    };
    let inner = indentation(below);
    let step = inner.strip_prefix(outer).filter(|it| !it.is_empty());
    let formatter = PrettyFormatter::with_indent(step.unwrap_or("  ").as_bytes());
    let mut json = Vec::new();
    recipients
        .serialize(&mut Serializer::with_formatter(&mut json, formatter))
        .ok()?;
    let json = String::from_utf8(json).ok()?;
    Some(json.replace('\n', &format!("\n{outer}")))
}
