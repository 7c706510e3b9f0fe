//! Sealing keys outside of a cluster: key Secrets, key files, and age-encrypted backups.

pub(crate) mod age;
pub(crate) mod files;
pub(crate) mod key_secret;
