//! From operations on a document's tree to bytes of its text.

use std::collections::BTreeMap;

use super::{
    ByteEdit, Edit, New, Operation, Step, block, collection::CollectionChange, flow::Flow,
    quotes::written_name, source::Source, style::Style,
};
use crate::manifest::{
    Document, Fault,
    yaml::{
        layout::{Entry, Form, Part, Quoting, Shape},
        reading::Reading,
    },
};

/// The bytes that edits of one document change, as they stand in the file.
pub(super) fn bytes(
    document: &Document<'_>,
    reading: &Reading<'_>,
    edits: &[&Edit<'_>],
) -> Result<Vec<ByteEdit>, Fault> {
    let layout = reading.layout()?;
    let source = Source {
        text: document.text,
        view: &reading.view,
        comments: &layout.comments,
        first_line: document.line,
    };
    let mut plan = Plan {
        source: &source,
        bytes: Vec::new(),
    };
    let style = Style::of(document.syntax);
    plan.visit(&layout.root, None, style, (0, edits))?;
    for edit in &mut plan.bytes {
        edit.range = document.start + edit.range.start..document.start + edit.range.end;
    }
    Ok(plan.bytes)
}

struct Plan<'a> {
    source: &'a Source<'a>,
    bytes: Vec<ByteEdit>,
}

impl<'a> Plan<'a> {
    /// Makes edits in a node, to which so many steps of each path lead.
    fn visit(
        &mut self,
        part: &'a Part,
        owner: Option<&Entry>,
        style: Style<'a>,
        (depth, edits): (usize, &[&Edit<'_>]),
    ) -> Result<(), Fault> {
        let style = style.within(self.source, part);
        let mut own = CollectionChange::default();
        let mut below: BTreeMap<usize, Vec<&Edit<'_>>> = BTreeMap::new();
        for &edit in edits {
            let Some((step, rest)) = edit.path[depth..].split_first() else {
                match (&edit.operation, &part.shape) {
                    (Operation::Append(new), Shape::Sequence(..)) => own.added.push((None, new)),
                    _ => return Err(self.source.refuse(part.range.start)),
                }
                continue;
            };
            match (part.index(*step), rest, &edit.operation, step) {
                (Some(index), [], Operation::Remove, _) => {
                    own.removed.insert(index);
                }
                (Some(index), [], Operation::Rename(name), _) => self.rename(part, index, name)?,
                (Some(index), [], Operation::Set(new), _) => self.set(part, index, new)?,
                (Some(index), ..) => below.entry(index).or_default().push(edit),
                (None, [], Operation::Set(new), Step::Field(name)) if part.is_mapping() => {
                    own.added.push((Some(name), new));
                }
                (None, ..) => return Err(self.missing(part, &edit.path[..=depth])),
            }
        }
        for (index, edits) in below {
            if let Some(child) = part.children().nth(index) {
                let owner = part.entries().get(index);
                self.visit(child, owner, style, (depth + 1, &edits))?;
            }
        }
        self.change(part, owner, style, &own)
    }

    fn change(
        &mut self,
        part: &'a Part,
        owner: Option<&Entry>,
        style: Style<'a>,
        own: &CollectionChange<'_>,
    ) -> Result<(), Fault> {
        if own.removed.is_empty() && own.added.is_empty() {
            return Ok(());
        }
        let bytes = if part.form() == Some(Form::Block) {
            block::change(self.source, part, owner, style, own)?
        } else {
            let flow = Flow::new(self.source, part, style);
            let flow = flow.ok_or_else(|| self.source.refuse(part.range.start))?;
            flow.change(own)
        };
        self.bytes.extend(bytes);
        Ok(())
    }

    fn missing(&self, part: &Part, path: &[Step<'_>]) -> Fault {
        let steps = path.iter().map(|step| match step {
            Step::Field(name) => format!(".{name}"),
            Step::Index(index) => format!("[{index}]"),
        });
        let path: String = steps.collect();
        let path = path.trim_start_matches('.');
        let problem = format!("`{path}` does not exist, or an alias stands for it");
        self.source.fault(part.range.start, problem)
    }

    /// Gives an entry another name; its quotes stay.
    fn rename(&mut self, part: &Part, index: usize, new_name: &str) -> Result<(), Fault> {
        let entry = part.entries().get(index);
        let range = entry
            .ok_or_else(|| self.source.refuse(part.range.start))?
            .at
            .clone();
        let written = match self.source.view.as_bytes()[range.start] {
            b'"' => New::Quoted(new_name.to_owned()).instead_of(Quoting::Double, Form::Flow),
            b'\'' => New::Text(new_name.to_owned()).instead_of(Quoting::Single, Form::Flow),
            _ => Some(written_name(new_name)),
        };
        let text = written.unwrap_or_default();
        self.bytes.push(ByteEdit { range, text });
        Ok(())
    }

    /// Puts another scalar in the place of one, or behind the colon where there is none.
    fn set(&mut self, part: &Part, index: usize, new: &New) -> Result<(), Fault> {
        let refused = || self.source.refuse(part.range.start);
        let form = part.form().ok_or_else(refused)?;
        let old = part.children().nth(index).ok_or_else(refused)?;
        let quoting = match old.shape {
            Shape::Alias => Quoting::Plain,
            Shape::Scalar(quoting) => quoting,
            Shape::Mapping(..) | Shape::Sequence(..) => {
                return Err(self.source.refuse(old.range.start));
            }
        };
        let name_end = part.entries().get(index).map_or(0, |entry| entry.at.end);
        let range = old.range.clone();
        let is_there = range.start >= name_end && !range.is_empty();
        let text = if is_there {
            new.instead_of(quoting, form)
        } else {
            new.short(form)
        };
        let text = text.ok_or_else(|| self.source.refuse(range.start))?;
        let edit = if is_there {
            ByteEdit { range, text }
        } else {
            let rest = self.source.view[name_end..].trim_start();
            let colon = self.source.view.len() - rest.len();
            if name_end == 0 || !rest.starts_with(':') {
                return Err(self.source.refuse(range.start));
            }
            ByteEdit {
                range: colon + 1..colon + 1,
                text: format!(" {text}"),
            }
        };
        self.bytes.push(edit);
        Ok(())
    }
}
