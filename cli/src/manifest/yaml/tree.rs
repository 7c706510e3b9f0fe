//! YAML text as a tree that remembers where each node stands and whether a scalar was quoted.
//!
//! With `layout`, it is the only file that names the YAML parser. It refuses duplicate names and whatever has no
//! JSON form; what a scalar means is left to those who know what they want.

use std::{
    collections::{HashMap, HashSet},
    rc::Rc,
};

use serde_saphyr::granit_parser::{Event, Parser, ScalarStyle, ScanError, Span, Tag, options};
use zeroize::Zeroizing;

use super::scalar::shown;
use crate::manifest::Fault;

/// A node of a document. It has no `Debug`: it may hold plaintext.
pub(in crate::manifest) struct Node {
    /// The line in the file, counted from 1.
    pub(in crate::manifest) line: usize,
    pub(in crate::manifest) content: Content,
    /// The bytes of text in it, aliases written out.
    size: usize,
}

pub(in crate::manifest) enum Content {
    Mapping(Vec<Entry>),
    Scalar(Scalar),
    Sequence(Vec<Rc<Node>>),
}

/// One name of a mapping and what stands under it.
pub(in crate::manifest) struct Entry {
    pub(in crate::manifest) line: usize,
    pub(in crate::manifest) name: Scalar,
    pub(in crate::manifest) node: Rc<Node>,
}

/// A scalar; its text is wiped when dropped.
pub(in crate::manifest) struct Scalar {
    pub(in crate::manifest) text: Zeroizing<String>,
    pub(in crate::manifest) style: Style,
}

/// Whether a scalar's text is all that it can mean.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::manifest) enum Style {
    /// Unquoted: `0123` may be a number.
    Plain,
    /// Quoted, a block, or tagged as text.
    Text,
}

impl Node {
    fn new(line: usize, content: Content) -> Self {
        let size = match &content {
            Content::Mapping(entries) => entries
                .iter()
                .map(|entry| 1 + entry.name.text.len() + entry.node.size)
                .sum(),
            Content::Scalar(scalar) => scalar.text.len(),
            Content::Sequence(nodes) => nodes.iter().map(|node| 1 + node.size).sum(),
        };
        Self {
            line,
            content,
            size,
        }
    }

    /// What stands under `name`, when this is a mapping that has it.
    pub(in crate::manifest) fn field(&self, name: &str) -> Option<&Rc<Self>> {
        let Content::Mapping(entries) = &self.content else {
            return None;
        };
        let entry = entries.iter().find(|entry| *entry.name.text == name)?;
        Some(&entry.node)
    }

    /// The same mapping without what stands at the end of a way through mappings.
    pub(in crate::manifest) fn without(&self, way: &[&str]) -> Option<Self> {
        let (Content::Mapping(entries), [name, rest @ ..]) = (&self.content, way) else {
            return None;
        };
        let kept = entries
            .iter()
            .filter(|entry| !rest.is_empty() || *entry.name.text != *name);
        let content = kept.map(|entry| {
            let below = (*entry.name.text == *name).then(|| entry.node.without(rest));
            Entry {
                line: entry.line,
                name: Scalar {
                    text: entry.name.text.clone(),
                    style: entry.name.style,
                },
                node: below
                    .flatten()
                    .map_or_else(|| Rc::clone(&entry.node), Rc::new),
            }
        });
        Some(Self::new(self.line, Content::Mapping(content.collect())))
    }

    /// The text of a scalar under `name`.
    pub(in crate::manifest) fn text_field(&self, name: &str) -> Option<&str> {
        match &self.field(name)?.content {
            Content::Scalar(scalar) => Some(&scalar.text),
            _ => None,
        }
    }
}

/// Reads a text of exactly one document whose first line is line `first_line` of its file.
pub(in crate::manifest) fn parse(text: &str, first_line: usize) -> Result<Rc<Node>, Fault> {
    let mut tree = Tree::new(first_line);
    let options = options! { emit_comments: false };
    for event in Parser::new_from_str_with_options(text, options) {
        let (event, span) = event.map_err(|error| tree.syntax_error(&error))?;
        tree.take(event, span)?;
    }
    tree.root
        .ok_or_else(|| Fault::new(first_line, "the document is empty"))
}

/// A few lines of aliases can stand for more text than there is memory.
const MAX_ALIASED: usize = 16 * 1024 * 1024;

/// A document while it is read.
struct Tree {
    lines_before: usize,
    open: Vec<Open>,
    anchors: HashMap<usize, Rc<Node>>,
    /// The bytes of text that aliases stand for.
    aliased: usize,
    root: Option<Rc<Node>>,
}

/// A collection whose end has not been read.
struct Open {
    line: usize,
    anchor: usize,
    collection: Collection,
}

enum Collection {
    Mapping {
        entries: Vec<Entry>,
        names: HashSet<String>,
        waiting: Option<(usize, Scalar)>,
    },
    Sequence(Vec<Rc<Node>>),
}

impl Tree {
    fn new(first_line: usize) -> Self {
        Self {
            lines_before: first_line - 1,
            open: Vec::new(),
            anchors: HashMap::new(),
            aliased: 0,
            root: None,
        }
    }

    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Fault> {
        let line = self.lines_before + span.start.line();
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let scalar = Scalar {
                    text: Zeroizing::new(text.into_owned()),
                    style: resolve_style(style, tag.as_deref(), line)?,
                };
                self.scalar(line, anchor, scalar)
            }
            Event::MappingStart(_, anchor, tag) => {
                check_tag(tag.as_deref(), "map", line)?;
                self.start(line, anchor, Collection::mapping())
            }
            Event::SequenceStart(_, anchor, tag) => {
                check_tag(tag.as_deref(), "seq", line)?;
                self.start(line, anchor, Collection::Sequence(Vec::new()))
            }
            Event::MappingEnd | Event::SequenceEnd => self.end(line),
            Event::Alias(anchor) => self.alias(line, anchor),
            Event::DocumentStart(..) if self.root.is_some() => {
                Err(Fault::new(line, "a second document begins without `---`"))
            }
            _ => Ok(()),
        }
    }

    fn scalar(&mut self, line: usize, anchor: usize, scalar: Scalar) -> Result<(), Fault> {
        if let Some(Open {
            collection:
                Collection::Mapping {
                    names,
                    waiting: waiting @ None,
                    ..
                },
            ..
        }) = self.open.last_mut()
        {
            check_name(line, &scalar, names)?;
            *waiting = Some((line, scalar));
            return Ok(());
        }
        self.finish(anchor, Node::new(line, Content::Scalar(scalar)));
        Ok(())
    }

    fn start(&mut self, line: usize, anchor: usize, collection: Collection) -> Result<(), Fault> {
        if self.open.last().is_some_and(Open::wants_name) {
            return Err(no_text_name(line));
        }
        self.open.push(Open {
            line,
            anchor,
            collection,
        });
        Ok(())
    }

    fn end(&mut self, line: usize) -> Result<(), Fault> {
        let Some(Open {
            line,
            anchor,
            collection,
        }) = self.open.pop()
        else {
            return Err(Fault::new(line, "a collection ends that never began"));
        };
        let content = match collection {
            Collection::Mapping { entries, .. } => Content::Mapping(entries),
            Collection::Sequence(nodes) => Content::Sequence(nodes),
        };
        self.finish(anchor, Node::new(line, content));
        Ok(())
    }

    fn alias(&mut self, line: usize, anchor: usize) -> Result<(), Fault> {
        if self.open.last().is_some_and(Open::wants_name) {
            return Err(no_text_name(line));
        }
        let node = self.anchors.get(&anchor).cloned();
        let node = node.ok_or_else(|| Fault::new(line, "an alias stands inside its own anchor"))?;
        self.aliased += node.size;
        if self.aliased > MAX_ALIASED {
            return Err(Fault::new(
                line,
                "aliases stand for more text than is reasonable",
            ));
        }
        self.place(node);
        Ok(())
    }

    fn finish(&mut self, anchor: usize, node: Node) {
        let node = Rc::new(node);
        if anchor != 0 {
            self.anchors.insert(anchor, Rc::clone(&node));
        }
        self.place(node);
    }

    fn place(&mut self, node: Rc<Node>) {
        match self.open.last_mut().map(|open| &mut open.collection) {
            None => self.root = Some(node),
            Some(Collection::Sequence(nodes)) => nodes.push(node),
            Some(Collection::Mapping {
                entries, waiting, ..
            }) => {
                if let Some((line, name)) = waiting.take() {
                    entries.push(Entry { line, name, node });
                }
            }
        }
    }

    fn syntax_error(&self, error: &ScanError) -> Fault {
        let line = self.lines_before + error.marker().line();
        Fault::new(line, format!("no valid YAML: {}", error.kind()))
    }
}

impl Open {
    fn wants_name(&self) -> bool {
        matches!(&self.collection, Collection::Mapping { waiting: None, .. })
    }
}

impl Collection {
    fn mapping() -> Self {
        Self::Mapping {
            entries: Vec::new(),
            names: HashSet::new(),
            waiting: None,
        }
    }
}

fn check_name(line: usize, name: &Scalar, names: &mut HashSet<String>) -> Result<(), Fault> {
    if *name.text == "<<" && name.style == Style::Plain {
        return Err(Fault::new(line, "merge keys (`<<`) are not supported")
            .hint("write out what would be merged"));
    }
    if names.insert(name.text.to_string()) {
        Ok(())
    } else {
        let name = shown(&name.text);
        Err(Fault::new(line, format!("`{name}` stands here twice")))
    }
}

fn no_text_name(line: usize) -> Fault {
    Fault::new(line, "a name must be a text, not a collection or an alias")
}

/// A tag that says what is so anyway is fine; one that asks for a conversion is not.
fn check_tag(tag: Option<&Tag>, expected: &str, line: usize) -> Result<(), Fault> {
    match tag {
        None => Ok(()),
        Some(tag) if tag.is_yaml_core_schema_tag(expected) => Ok(()),
        Some(_) => Err(Fault::new(line, "tags are not supported here")),
    }
}

fn resolve_style(style: ScalarStyle, tag: Option<&Tag>, line: usize) -> Result<Style, Fault> {
    check_tag(tag, "str", line)?;
    Ok(match (style, tag) {
        (ScalarStyle::Plain, None) => Style::Plain,
        _ => Style::Text,
    })
}
