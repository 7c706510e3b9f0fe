//! Sealing keys that people hold: key Secrets, key files, and backups that age encrypts.

pub(crate) mod age;
pub(crate) mod files;
pub(crate) mod key_secret;
