//! Collections in block form: lines are taken out and put in.

use std::ops::Range;

use super::{
    ByteEdit, New, collection::CollectionChange, new::Block, source::Source, style::Style,
};
use crate::manifest::{
    Fault,
    yaml::layout::{self, Entry, Form, Part, Shape},
};

/// Takes entries or elements out and appends others. `owner` is the entry whose value this is.
pub(super) fn change(
    source: &Source<'_>,
    part: &Part,
    owner: Option<&Entry>,
    style: Style<'_>,
    own: &CollectionChange<'_>,
) -> Result<Vec<ByteEdit>, Fault> {
    let places = places(source, part)?;
    let mut bytes = Vec::new();
    for &index in &own.removed {
        bytes.push(without_lines(source, &places[index])?);
    }
    if own.removed.len() == places.len() && own.added.is_empty() {
        let at = after_colon(source, part, owner)?;
        let empty = match part.shape {
            Shape::Sequence(..) => " []",
            _ => " {}",
        };
        bytes.push(ByteEdit {
            range: at..at,
            text: empty.to_owned(),
        });
    }
    if let (false, Some(last)) = (own.added.is_empty(), places.last()) {
        let lines = new_lines(source, part, style, last, &own.added)?;
        bytes.push(lines_behind(source, last.end, &lines));
    }
    Ok(bytes)
}

/// Where the entries or elements stand, dashes included.
fn places(source: &Source<'_>, part: &Part) -> Result<Vec<Range<usize>>, Fault> {
    match &part.shape {
        Shape::Mapping(_, entries) => Ok(entries
            .iter()
            .map(|entry| entry.at.start..entry.end())
            .collect()),
        Shape::Sequence(_, elements) => elements
            .iter()
            .map(|element| {
                let dash = layout::dash_before(source.view, element.range.start);
                let dash = dash.ok_or_else(|| source.refuse(element.range.start))?;
                Ok(dash..element.range.end)
            })
            .collect(),
        _ => Err(source.refuse(part.range.start)),
    }
}

/// Comments with a line of their own stay.
fn without_lines(source: &Source<'_>, place: &Range<usize>) -> Result<ByteEdit, Fault> {
    if !source.is_first_on_line(place.start) || !source.is_last_on_line(place.end) {
        return Err(source.refuse(place.start));
    }
    let range = source.line_start(place.start)..source.line_end(place.end);
    Ok(ByteEdit {
        text: source.comment_lines(range.clone()),
        range,
    })
}

/// Behind the colon after which a collection begins on a line of its own.
fn after_colon(source: &Source<'_>, part: &Part, owner: Option<&Entry>) -> Result<usize, Fault> {
    let refused = || source.refuse(part.range.start);
    let name_end = owner.ok_or_else(refused)?.at.end;
    let rest = &source.view[name_end..part.range.start];
    let colon = rest.len() - rest.trim_start().len();
    let behind = name_end + colon + 1;
    if rest[colon..].starts_with(':') && source.is_last_on_line(behind) {
        Ok(behind)
    } else {
        Err(refused())
    }
}

fn new_lines(
    source: &Source<'_>,
    part: &Part,
    style: Style<'_>,
    last: &Range<usize>,
    added: &[(Option<&str>, &New)],
) -> Result<Vec<String>, Fault> {
    let indent = source.column(last.start);
    let indent = indent.ok_or_else(|| source.refuse(last.start))?;
    let sibling = part.children().last();
    let in_brackets = sibling.filter(|sibling| {
        sibling.form() == Some(Form::Flow) && sibling.children().next().is_some()
    });
    let gap = sibling.map_or("", |sibling| {
        &source.view[last.start + 1..sibling.range.start]
    });
    let is_gap = !gap.is_empty() && gap.trim_matches(' ').is_empty();
    let gap = if is_gap { gap } else { " " };
    let mut block = Block {
        source,
        lines: Vec::new(),
    };
    for (name, new) in added {
        match (name, in_brackets) {
            (Some(name), _) => block.entry(&indent, name, new, None),
            (None, Some(sibling)) => {
                let style = style.beside(source, sibling);
                let text = format!("{indent}-{gap}{}", new.in_brackets(&style, &indent));
                block.lines.extend(text.lines().map(str::to_owned));
            }
            (None, None) => block.element(&indent, gap, new, sibling),
        }
    }
    Ok(block.lines)
}

/// A file that does not end with a line break still does not.
fn lines_behind(source: &Source<'_>, at: usize, lines: &[String]) -> ByteEdit {
    let line_break = source.line_break(at);
    let end = source.line_end(at);
    let joined = lines.join(line_break);
    let text = if source.view[..end].ends_with('\n') {
        joined + line_break
    } else {
        line_break.to_owned() + &joined
    };
    ByteEdit {
        range: end..end,
        text,
    }
}
