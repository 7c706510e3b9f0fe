//! Fingerprints of values: their key, the annotation, and values that are used more than once.

pub(crate) mod annotation;
pub(crate) mod key;
pub(crate) mod reuse;
