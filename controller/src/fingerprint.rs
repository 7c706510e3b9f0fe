//! Fingerprints of values: the key, the annotation, and the values that are used more than once.

pub(crate) mod annotation;
pub(crate) mod keeper;
pub(crate) mod reuse;
