//! What changes in one collection.

use std::collections::BTreeSet;

use super::New;

/// What becomes of the entries or elements of one collection.
#[derive(Default)]
pub(super) struct CollectionChange<'a> {
    pub(super) removed: BTreeSet<usize>,
    pub(super) added: Vec<(Option<&'a str>, &'a New)>,
}
