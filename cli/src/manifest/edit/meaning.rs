//! What a document shall say once it is edited: the operations, made on its tree.

use super::{Edit, New, Operation, Step};
use crate::manifest::yaml::{Content, Node, Scalar, Style, scalar};

/// What stays is taken from the node itself, so aliases cost nothing.
pub(super) enum Meaning<'a> {
    /// An entry or element that was removed: indexes count it.
    Gone,
    Mapping(Vec<(&'a str, Self)>),
    New(&'a New),
    /// The text of a scalar that was replaced, whose line breaks at its end are not looked at:
    /// the header of a block scalar stays.
    Replaced(&'a str),
    Same(&'a Node),
    Sequence(Vec<Self>),
}

impl<'a> Meaning<'a> {
    /// Nothing when an operation cannot be made.
    pub(super) fn of(node: &'a Node, edits: &[&'a Edit<'a>]) -> Option<Self> {
        let mut meaning = Self::Same(node);
        for edit in edits {
            meaning.apply(&edit.path, &edit.operation)?;
        }
        Some(meaning)
    }

    fn apply(&mut self, path: &[Step<'a>], operation: &'a Operation<'a>) -> Option<()> {
        self.open();
        let (step, rest) = match (path, operation, &mut *self) {
            ([], Operation::Append(new), Self::Sequence(elements)) => {
                elements.push(Self::New(new));
                return Some(());
            }
            ([step, rest @ ..], ..) => (*step, rest),
            _ => return None,
        };
        match (rest, operation) {
            ([], Operation::Remove) => *self.child(step)? = Self::Gone,
            ([], Operation::Rename(new_name)) => *self.name(step)? = new_name,
            ([], Operation::Set(new)) => self.set(step, new)?,
            _ => self.child(step)?.apply(rest, operation)?,
        }
        Some(())
    }

    /// Takes a collection that stayed so far apart.
    fn open(&mut self) {
        let Self::Same(node) = self else { return };
        match &node.content {
            Content::Mapping(entries) => {
                let entries = entries.iter();
                let own = entries.map(|entry| (entry.name.text.as_str(), Self::Same(&entry.node)));
                *self = Self::Mapping(own.collect());
            }
            Content::Sequence(nodes) => {
                *self = Self::Sequence(nodes.iter().map(|node| Self::Same(node)).collect());
            }
            Content::Scalar(_) => {}
        }
    }

    fn child(&mut self, step: Step<'_>) -> Option<&mut Self> {
        match (self, step) {
            (Self::Mapping(entries), Step::Field(name)) => {
                let entry = entries.iter_mut().find(|(own, _)| *own == name)?;
                Some(&mut entry.1)
            }
            (Self::Sequence(elements), Step::Index(index)) => elements.get_mut(index),
            _ => None,
        }
    }

    fn name(&mut self, step: Step<'_>) -> Option<&mut &'a str> {
        match (self, step) {
            (Self::Mapping(entries), Step::Field(name)) => {
                let entry = entries.iter_mut().find(|(own, _)| *own == name)?;
                Some(&mut entry.0)
            }
            _ => None,
        }
    }

    fn set(&mut self, step: Step<'a>, new: &'a New) -> Option<()> {
        match (self.child(step), new) {
            (Some(child), New::Text(text)) => *child = Self::Replaced(text),
            (Some(child), _) => *child = Self::New(new),
            (None, _) => match (self, step) {
                (Self::Mapping(entries), Step::Field(name)) => entries.push((name, Self::New(new))),
                _ => return None,
            },
        }
        Some(())
    }

    /// Whether a node says this, in this order.
    pub(super) fn is_of(&self, node: &Node) -> bool {
        match (self, &node.content) {
            (Self::Mapping(own), Content::Mapping(entries)) => {
                let own = own
                    .iter()
                    .filter(|(_, meaning)| !matches!(meaning, Self::Gone));
                pairwise(own, entries, |(name, meaning), entry| {
                    *name == *entry.name.text && meaning.is_of(&entry.node)
                })
            }
            (Self::Sequence(own), Content::Sequence(nodes)) => {
                let own = own.iter().filter(|meaning| !matches!(meaning, Self::Gone));
                pairwise(own, nodes, |meaning, node| meaning.is_of(node))
            }
            (Self::Replaced(text), Content::Scalar(scalar)) => {
                is_text(scalar) && scalar.text.trim_end_matches('\n') == *text
            }
            (Self::Same(old), _) => is_same(old, node),
            (Self::New(new), _) => is_new(new, node),
            _ => false,
        }
    }
}

fn is_same(old: &Node, new: &Node) -> bool {
    match (&old.content, &new.content) {
        (Content::Mapping(old), Content::Mapping(new)) => pairwise(old, new, |old, new| {
            *old.name.text == *new.name.text && is_same(&old.node, &new.node)
        }),
        (Content::Sequence(old), Content::Sequence(new)) => {
            pairwise(old, new, |old, new| is_same(old, new))
        }
        (Content::Scalar(old), Content::Scalar(new)) => {
            *old.text == *new.text && old.style == new.style
        }
        _ => false,
    }
}

fn is_new(new: &New, node: &Node) -> bool {
    match (new, &node.content) {
        (New::Null, Content::Scalar(scalar)) => *scalar.text == "null" && !is_text(scalar),
        (New::Plain(text), Content::Scalar(scalar)) => *scalar.text == *text,
        (New::Quoted(text) | New::Text(text), Content::Scalar(scalar)) => {
            is_text(scalar) && *scalar.text == *text
        }
        (New::Mapping(own), Content::Mapping(entries)) => {
            pairwise(own, entries, |(name, new), entry| {
                *name == *entry.name.text && is_new(new, &entry.node)
            })
        }
        (New::Sequence(own), Content::Sequence(nodes)) => {
            pairwise(own, nodes, |new, node| is_new(new, node))
        }
        _ => false,
    }
}

/// Whether every reader takes a scalar for text.
fn is_text(scalar: &Scalar) -> bool {
    scalar.style == Style::Text || scalar::misreading(&scalar.text).is_none()
}

/// Whether two lists are as long as each other, and each pair fits.
fn pairwise<A: Copy, B: Copy>(
    some: impl IntoIterator<Item = A>,
    others: impl IntoIterator<Item = B>,
    mut fits: impl FnMut(A, B) -> bool,
) -> bool {
    let (mut some, mut others) = (some.into_iter(), others.into_iter());
    loop {
        match (some.next(), others.next()) {
            (Some(one), Some(other)) if fits(one, other) => {}
            (None, None) => return true,
            _ => return false,
        }
    }
}
