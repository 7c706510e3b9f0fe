//! The SealedSecrets of a file that may be edited, and which of them is meant.
//!
//! Documents that do not say `SealedSecret` are not even parsed: they stay as they are.

use sealing::{
    ItemName, Namespace, SecretName,
    resource::bitnami::{CLUSTER_WIDE, NAMESPACE_WIDE},
};

use super::{Format, Sealed, locate::objects};
use crate::{
    error::{CommandError, Result as CommandResult},
    manifest::{
        Document, Fault, SourceSpan, split,
        yaml::{
            Node,
            layout::{Part, Step},
            reading::Reading,
            templating,
        },
    },
};

/// A SealedSecret in a file.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) origin: SourceSpan,
    pub(crate) sealed: Sealed,
    pub(crate) name: MaybeTemplated,
    pub(crate) namespace: MaybeTemplated,
    /// Which of the file's documents holds it, counted from 0.
    pub(in crate::manifest) document: usize,
    /// The way to it in its document.
    pub(in crate::manifest) steps: Vec<Step<'static>>,
}

/// A name, as a manifest that may be a template says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum MaybeTemplated {
    Absent,
    Known(String),
    /// It is known when the template is rendered.
    Templated,
}

/// Which SealedSecret is meant.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Selector<'a> {
    pub(crate) name: Option<&'a SecretName>,
    pub(crate) namespace: Option<&'a Namespace>,
}

/// Finds the one SealedSecret of a text that is meant and may be edited.
pub(crate) fn find(label: &str, text: &str, choice: Selector<'_>) -> CommandResult<Target> {
    let documents = split(text);
    let mut found = Found::default();
    for document in &documents {
        if document.text.contains("SealedSecret") {
            found.add(label, document);
        }
    }
    let target = found.choose(label, choice)?;
    let document = &documents[target.document];
    check_templating(text, document, &target).map_err(|fault| target.origin.fault(&fault))?;
    Ok(target)
}

/// The SealedSecrets of a text, templates included, and an error for whatever speaks of one and
/// cannot be read.
pub(crate) fn survey(label: &str, text: &str) -> (Vec<Target>, Vec<CommandError>) {
    let mut found = Found::default();
    for document in split(text).iter().filter(|it| it.mentions("SealedSecret")) {
        found.add(label, document);
    }
    (found.targets, found.faults)
}

impl Found {
    fn choose(self, label: &str, choice: Selector<'_>) -> CommandResult<Target> {
        let Self { targets, faults } = self;
        if targets.is_empty() && faults.is_empty() {
            return Err(
                CommandError::user(format!("there is no SealedSecret in {label}"))
                    .hint("`sceau seal` makes one of a Secret"),
            );
        }
        let known = listed(&targets);
        let mut meant = targets.into_iter().filter(|target| choice.admits(target));
        match (meant.next(), meant.next(), faults.into_iter().next()) {
            (Some(one), None, fault) if fault.is_none() || choice.name.is_some() => Ok(one),
            (Some(_), Some(_), _) => Err(CommandError::user(format!(
                "there are several SealedSecrets in {label}"
            ))
            .hint(format!(
                "say which with `--name` and `--namespace`; there are {known}"
            ))),
            (_, _, Some(fault)) => Err(fault),
            (_, _, None) => Err(CommandError::user(format!(
                "there is no SealedSecret of that name and namespace in {label}"
            ))
            .hint(format!("it holds {known}"))),
        }
    }
}

fn listed(targets: &[Target]) -> String {
    let names: Vec<String> = targets.iter().map(Target::place).collect();
    names.join(", ")
}

impl Target {
    /// Namespace and name, as far as they are known.
    pub(crate) fn place(&self) -> String {
        match &self.namespace {
            MaybeTemplated::Absent => self.name.shown().to_owned(),
            namespace => format!("{}/{}", namespace.shown(), self.name.shown()),
        }
    }

    /// The names of its items.
    pub(crate) fn item_names(&self) -> Vec<&str> {
        match &self.sealed {
            Sealed::Bitnami(sealed) => {
                let items = sealed.spec.encrypted_data.iter().flatten();
                items.map(|(name, _)| name.as_str()).collect()
            }
            Sealed::Native(sealed) => {
                let items = sealed.spec.seals.iter().flat_map(|seal| seal.items.keys());
                items.map(String::as_str).collect()
            }
        }
    }

    /// Whether it has an item of that name.
    pub(crate) fn holds(&self, item: &ItemName) -> bool {
        self.item_names().contains(&item.as_str())
    }
}

impl MaybeTemplated {
    fn of(written: &str) -> Self {
        match written {
            "" => Self::Absent,
            written if written.contains("{{") => Self::Templated,
            written => Self::Known(written.to_owned()),
        }
    }

    fn shown(&self) -> &str {
        match self {
            Self::Absent => "(no name)",
            Self::Known(name) => name,
            Self::Templated => "(templated)",
        }
    }

    fn is(&self, name: &str) -> bool {
        matches!(self, Self::Known(known) if known == name)
    }
}

impl Selector<'_> {
    /// A namespace that is given also admits what names none.
    fn admits(&self, target: &Target) -> bool {
        let namespace = |it: &Namespace| {
            target.namespace == MaybeTemplated::Absent || target.namespace.is(it.as_str())
        };
        self.name.is_none_or(|name| target.name.is(name.as_str()))
            && self.namespace.is_none_or(namespace)
    }
}

/// Reads a SealedSecret of a document. In a template, what the Secret is given beside its items may
/// be anything.
fn sealed(reading: &Reading<'_>, node: &Node, format: Format) -> Result<Sealed, Fault> {
    Sealed::read(node, format).or_else(|fault| {
        let rest = node.without(&["spec", "template"]);
        let rest = rest.filter(|_| reading.is_masked).ok_or(fault)?;
        Sealed::read(&rest, format)
    })
}

#[derive(Default)]
struct Found {
    targets: Vec<Target>,
    /// Of documents that speak of a SealedSecret and cannot be read.
    faults: Vec<CommandError>,
}

impl Found {
    fn add(&mut self, label: &str, document: &Document<'_>) {
        let origin = SourceSpan {
            file: label.to_owned(),
            document: document.number,
            line: document.line,
        };
        let faulty = |fault| origin.fault(&fault);
        let read =
            Reading::of(document).and_then(|reading| Ok((reading.masked_layout()?, reading)));
        let (layout, reading) = match read {
            Ok(read) => read,
            Err(fault) => return self.faults.push(faulty(fault)),
        };
        for (steps, format, node) in objects(&reading.node) {
            let found = sealed(&reading, node, format).map(|sealed| {
                let metadata = node.field("metadata");
                let own = |field| metadata.and_then(|own| own.text_field(field));
                let named = |field| match &layout {
                    Some(layout) => masked_name(document.text, &layout.root, &steps, field),
                    None => MaybeTemplated::of(own(field).unwrap_or_default()),
                };
                Target {
                    name: named("name"),
                    namespace: named("namespace"),
                    origin: SourceSpan {
                        line: node.line,
                        ..origin.clone()
                    },
                    sealed,
                    document: document.number - 1,
                    steps: steps.clone(),
                }
            });
            match found {
                Ok(target) => self.targets.push(target),
                Err(fault) => self.faults.push(faulty(fault)),
            }
        }
    }
}

/// A name of which the reader only saw what its actions were masked with.
fn masked_name(
    text: &str,
    layout: &Part,
    steps: &[Step<'_>],
    field: &'static str,
) -> MaybeTemplated {
    let way = [Step::Field("metadata"), Step::Field(field)];
    let part = layout.walk(steps).and_then(|object| object.walk(&way));
    let written = part.map_or("", |part| &text[part.range.clone()]);
    MaybeTemplated::of(written.trim_matches(['"', '\'']))
}

/// Refuses a template whose actions could change what an edit relies on.
fn check_templating(text: &str, document: &Document<'_>, target: &Target) -> Result<(), Fault> {
    let (before, after) = text.split_at(document.start);
    if !document.text.contains("{{") && !templating::reaches_into(before, after) {
        return Ok(());
    }
    let layout = Reading::of(document)?.layout()?.root;
    let certain = |at: usize, problem: &str| {
        let line = document.line + document.text[..at].matches('\n').count();
        Fault::new(line, problem.to_owned()).hint(
            "edit what the template is made from, or render it and edit the result (for Helm, `helm template`)",
        )
    };
    if templating::reaches_into(before, after) {
        return Err(certain(0, "the document stands inside a template action"));
    }
    let object = layout.walk(&target.steps).unwrap_or(&layout);
    for action in templating::actions(document.text) {
        if !is_harmless(&action, document.text, object, target) {
            return Err(certain(
                action.range.start,
                "a template action stands where it may change what is edited",
            ));
        }
    }
    Ok(())
}

fn is_harmless(action: &templating::Action, text: &str, object: &Part, target: &Target) -> bool {
    let at = action.range.start;
    let outside = action.range.end <= object.range.start || at >= object.range.end;
    if outside && action.whole_line && action.control {
        return true;
    }
    let until = if target.steps.is_empty() {
        text.len()
    } else {
        object.range.end
    };
    let is_scope = |name: &&str| [CLUSTER_WIDE, NAMESPACE_WIDE].contains(name);
    match region(object, until, at).as_slice() {
        ["metadata", "labels", ..] | ["spec", "template", ..] => true,
        ["metadata", "name" | "namespace"] => !action.whole_line,
        ["metadata", "annotations", rest @ ..] => match target.sealed {
            Sealed::Native(_) => true,
            Sealed::Bitnami(_) => {
                !action.whole_line && rest.first().is_some_and(|name| !is_scope(name))
            }
        },
        _ => false,
    }
}

/// The names of the entries in whose stretch a place lies: each reaches to the next one.
fn region(part: &Part, until: usize, at: usize) -> Vec<&str> {
    let entries = part.entries();
    for (index, entry) in entries.iter().enumerate() {
        let end = entries.get(index + 1).map_or(until, |next| next.at.start);
        if (entry.at.start..end).contains(&at) {
            let mut names = vec![entry.name.as_str()];
            names.extend(region(&entry.value, end, at));
            return names;
        }
    }
    Vec::new()
}
