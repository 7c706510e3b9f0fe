//! Where the entries and elements of a collection in brackets are, between their commas.

use std::ops::Range;

use super::source::Source;
use crate::manifest::yaml::layout::{Part, Shape};

/// Where an entry or element stands between its commas.
#[derive(Debug)]
pub(super) struct Slot {
    /// Anchor and tag included.
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) comma: Option<usize>,
}

impl Slot {
    /// Behind it and its comma.
    pub(super) fn tail(&self) -> usize {
        self.comma.map_or(self.end, |comma| comma + 1)
    }
}

/// The slots of a collection in brackets; nothing of anything else.
pub(super) fn slots(source: &Source<'_>, part: &Part) -> Option<Vec<Slot>> {
    if !source.view[part.range.start..].starts_with(['{', '[']) {
        return None;
    }
    let places: Vec<Range<usize>> = match &part.shape {
        Shape::Mapping(_, entries) => entries
            .iter()
            .map(|entry| entry.at.start..entry.end())
            .collect(),
        Shape::Sequence(_, elements) => elements.iter().map(|part| part.range.clone()).collect(),
        _ => return None,
    };
    let mut from = part.range.start + 1;
    let mut slots = Vec::new();
    for (index, place) in places.iter().enumerate() {
        let limit = places
            .get(index + 1)
            .map_or(part.range.end - 1, |next| next.start);
        let mut slot = Slot {
            start: source.skip_blank(from).min(place.start),
            end: place.end,
            comma: None,
        };
        let mut at = source.skip_blank(place.end);
        while at < limit && slot.comma.is_none() {
            let length = source.view[at..].chars().next()?.len_utf8();
            match &source.view[at..at + length] {
                "," => slot.comma = Some(at),
                // A colon without a value.
                _ => slot.end = at + length,
            }
            at = source.skip_blank(at + length);
        }
        from = slot.tail();
        slots.push(slot);
    }
    Some(slots)
}
