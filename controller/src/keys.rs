//! The key Secrets in the controller's namespace.

pub(crate) mod fingerprint_secret;
pub(crate) mod key_secret;
