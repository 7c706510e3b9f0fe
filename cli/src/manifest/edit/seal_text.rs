//! A new seal as text, indented as the seals that stand there already.

use std::ops::Range;

use sealing::resource::Seal;
use serde::Serialize as _;
use serde_json::ser::{PrettyFormatter, Serializer};

use super::{
    super::{
        Fault,
        yaml::layout::{Form, Part, Shape},
    },
    collection::written_name,
    lines::Lines,
};

/// How the lines of a seal are indented.
struct Indents<'a> {
    /// Before the dash.
    dash: &'a str,
    /// Between the dash and the first field.
    gap: &'a str,
    /// Before the dash of a recipient.
    recipient: String,
    /// Before an item.
    item: String,
}

impl<'a> Indents<'a> {
    /// As the last seal is indented, and as `sceau seal` does it where that seal is in brackets.
    fn of(lines: &Lines<'a>, sequence: &Part, seals: &[Part]) -> Result<Self, Fault> {
        let dash = lines.indent(sequence.range.start)?;
        let last = seals.last().filter(|seal| is_block(seal));
        let gap = last.map(|seal| seal.range.start).and_then(|first| {
            let before = &lines.text[..first];
            let gap = &before[before.trim_end_matches(' ').len()..];
            (before.trim_end_matches(' ').ends_with('-') && !gap.is_empty()).then_some(gap)
        });
        let gap = gap.unwrap_or(" ");
        let field = format!("{dash} {gap}");
        let indent = |name: &str, default: String| {
            let part = last.and_then(|seal| Some(&seal.entry(name)?.value));
            match part.filter(|part| is_block(part)) {
                Some(part) => lines
                    .indent(part.range.start)
                    .map_or(default, str::to_owned),
                None => default,
            }
        };
        Ok(Self {
            recipient: indent("recipients", field.clone()),
            item: indent("items", format!("{field}  ")),
            dash,
            gap,
        })
    }
}

fn is_block(part: &Part) -> bool {
    matches!(
        part.shape,
        Shape::Mapping(Form::Block, _) | Shape::Sequence(Form::Block, _)
    )
}

/// The lines of a further element of a sequence in block form.
pub(super) fn block(
    lines: &Lines<'_>,
    sequence: &Part,
    seals: &[Part],
    seal: &Seal,
) -> Result<Vec<String>, Fault> {
    let Indents {
        dash,
        gap,
        recipient,
        item,
    } = Indents::of(lines, sequence, seals)?;
    let field = format!("{dash} {gap}");
    let mut text = vec![
        format!("{dash}-{gap}sealedAt: \"{}\"", seal.sealed_at),
        format!("{field}commitment: {}", seal.commitment),
        format!("{field}recipients:"),
    ];
    for wrapped in &seal.recipients {
        text.push(format!("{recipient}- keyId: {}", wrapped.key_id));
        text.push(format!("{recipient}  suite: {}", wrapped.suite));
        text.push(format!("{recipient}  wrapped: {}", wrapped.wrapped));
    }
    text.push(format!("{field}items:"));
    for (name, sealed) in &seal.items {
        text.push(format!("{item}{}: {sealed}", written_name(name)));
    }
    Ok(text)
}

/// A further element of a sequence in brackets: on lines of its own if the last one is.
pub(super) fn flow(lines: &Lines<'_>, sequence: &Part, seals: &[Part], seal: &Seal) -> String {
    let last = seals
        .last()
        .map(|last| (last, space(lines, &sequence.range, &last.range)));
    let Some((last, space)) = last.filter(|(_, space)| space.contains('\n')) else {
        return serde_json::to_string(seal).unwrap_or_default();
    };
    let first_field = last.entries().first();
    let inner = first_field.map_or("", |field| lines.space_before(&last.range, &field.at));
    let unit = inner.strip_prefix(space).filter(|unit| !unit.is_empty());
    pretty(seal, unit.unwrap_or("  ")).replace('\n', space)
}

fn space<'a>(lines: &Lines<'a>, collection: &Range<usize>, element: &Range<usize>) -> &'a str {
    lines.space_before(collection, element)
}

/// JSON with this indentation. A seal has no text with a line break in it.
fn pretty(seal: &Seal, unit: &str) -> String {
    let mut json = Vec::new();
    let formatter = PrettyFormatter::with_indent(unit.as_bytes());
    let mut serializer = Serializer::with_formatter(&mut json, formatter);
    match seal.serialize(&mut serializer) {
        Ok(()) => String::from_utf8(json).unwrap_or_default(),
        Err(_) => String::new(),
    }
}
