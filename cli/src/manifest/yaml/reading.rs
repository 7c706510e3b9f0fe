//! A document that has been read strictly, as it is or as a template.

use std::{borrow::Cow, rc::Rc};

use super::{
    documents::{Document, Syntax, wants_escape},
    layout::{self, Layout},
    templating,
    tree::{self, Node},
};
use crate::manifest::Fault;

pub(in crate::manifest) struct Reading<'a> {
    pub(in crate::manifest) node: Rc<Node>,
    /// The text in which places are looked up: each byte stands where it stands in the document.
    pub(in crate::manifest) view: Cow<'a, str>,
    /// Whether template actions were masked.
    pub(in crate::manifest) is_masked: bool,
    line: usize,
}

impl<'a> Reading<'a> {
    /// Reads a document strictly; if that fails and it is a template, with its actions masked.
    pub(in crate::manifest) fn of(document: &Document<'a>) -> Result<Self, Fault> {
        let line = document.line;
        match document.parse() {
            Ok(node) => Ok(Self {
                node,
                view: view(document),
                is_masked: false,
                line,
            }),
            Err(fault) => {
                let Some(masked) = templating::masked(document.text) else {
                    return Err(fault);
                };
                Ok(Self {
                    node: tree::parse(&masked, line).map_err(|_| fault)?,
                    view: Cow::Owned(masked),
                    is_masked: true,
                    line,
                })
            }
        }
    }

    /// The layout of a template, for what the reader saw of it is not what it says.
    pub(in crate::manifest) fn masked_layout(&self) -> Result<Option<Layout>, Fault> {
        self.is_masked.then(|| self.layout()).transpose()
    }

    pub(in crate::manifest) fn layout(&self) -> Result<Layout, Fault> {
        let problem = "it is written in a way that cannot be edited";
        layout::read(&self.view).ok_or_else(|| Fault::new(self.line, problem))
    }
}

/// JSON allows characters in its strings that YAML wants to be escaped; others stand in for them.
fn view<'a>(document: &Document<'a>) -> Cow<'a, str> {
    if document.syntax == Syntax::Yaml || !document.text.contains(wants_escape) {
        return Cow::Borrowed(document.text);
    }
    let mut text = String::with_capacity(document.text.len());
    for character in document.text.chars() {
        if wants_escape(character) {
            text.extend(std::iter::repeat_n('X', character.len_utf8()));
        } else {
            text.push(character);
        }
    }
    Cow::Owned(text)
}
