//! The objects of a document: itself, or the items of a List.

use std::rc::Rc;

use crate::error::{CommandError, Result as CommandResult};

use super::{
    Document, Fault, Sealed, SecretObject, SourceSpan,
    sealed::Format,
    split,
    yaml::{Content, Node, scalar::shown},
};

/// A Kubernetes object, as far as sceau tells them apart.
#[derive(Debug)]
pub(crate) enum Object {
    /// Anything else, as errors name it.
    Other(String),
    /// A SealedSecret of either format.
    Sealed(Sealed),
    /// A Secret in plain form.
    Secret(SecretObject),
}

/// Reads every object of a text that its user calls `label`; there must be one.
pub(crate) fn read_all(label: &str, text: &str) -> CommandResult<Vec<(SourceSpan, Object)>> {
    let documents = split(text);
    if documents.is_empty() {
        return Err(CommandError::user(format!("{label} holds no document")));
    }
    let objects = documents
        .iter()
        .map(|document| read_objects(label, document));
    Ok(objects
        .collect::<CommandResult<Vec<_>>>()?
        .into_iter()
        .flatten()
        .collect())
}

/// Reads the objects of one document of a text that its user calls `label`.
///
/// A `List`, a `SecretList` or a `SealedSecretList` stands for its items.
pub(crate) fn read_objects(
    label: &str,
    document: &Document<'_>,
) -> CommandResult<Vec<(SourceSpan, Object)>> {
    let origin = SourceSpan {
        file: label.to_owned(),
        document: document.number,
        line: document.line,
    };
    let objects = read_document(document).map_err(|fault| origin.fault(&fault))?;
    let at = |(line, object)| {
        let origin = SourceSpan {
            line,
            ..origin.clone()
        };
        (origin, object)
    };
    Ok(objects.into_iter().map(at).collect())
}

fn read_document(document: &Document<'_>) -> Result<Vec<(usize, Object)>, Fault> {
    let root = document.parse()?;
    match kind(&root)? {
        "List" | "SecretList" | "SealedSecretList" => {
            list_items(&root)?.iter().map(|item| read(item)).collect()
        }
        _ => Ok(vec![read(&root)?]),
    }
}

fn read(node: &Node) -> Result<(usize, Object), Fault> {
    let api_version = node.text_field("apiVersion").unwrap_or_default();
    let object = match (kind(node)?, Format::of(api_version)) {
        ("Secret", _) if api_version == "v1" => Object::Secret(SecretObject::read(node)?),
        ("Secret", _) => {
            return Err(Fault::new(node.line, "the apiVersion of a Secret is `v1`"));
        }
        ("SealedSecret", Some(format)) => Object::Sealed(Sealed::read(node, format)?),
        ("SealedSecret", None) => Object::Other(format!("SealedSecret of {api_version}")),
        (other, _) => Object::Other(shown(other).to_owned()),
    };
    Ok((node.line, object))
}

pub(super) fn kind(node: &Node) -> Result<&str, Fault> {
    match &node.content {
        Content::Mapping(_) => node.text_field("kind").ok_or_else(|| {
            Fault::new(
                node.line,
                "this is not a Kubernetes object: it has no `kind`",
            )
        }),
        _ => Err(Fault::new(node.line, "this is not a Kubernetes object")),
    }
}

fn list_items(list: &Node) -> Result<&[Rc<Node>], Fault> {
    match list.field("items").map(|items| &items.content) {
        Some(Content::Sequence(items)) => Ok(items),
        _ => Err(Fault::new(list.line, "the list has no `items`")),
    }
}
