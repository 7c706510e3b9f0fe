//! Reading YAML text: cut into documents, parsed strictly, with the place of every node.

pub(super) mod deserializer;
pub(super) mod documents;
pub(super) mod layout;
pub(super) mod reading;
pub(super) mod scalar;
pub(super) mod templating;
mod tree;

pub(super) use tree::{Content, Node, Scalar, Style};
