//! People whom backups are for, with keys of their own.

use age::{secrecy::ExposeSecret as _, x25519};

/// Somebody with a new pair of keys.
pub(crate) struct Keeper(x25519::Identity);

impl Keeper {
    pub(crate) fn new() -> Self {
        Self(x25519::Identity::generate())
    }

    /// What backups are made for.
    pub(crate) fn recipient(&self) -> String {
        self.0.to_public().to_string()
    }

    /// The identity that decrypts them, as `age-keygen` writes it.
    pub(crate) fn identity(&self) -> String {
        let identity = self.0.to_string();
        format!("# created: now\n{}\n", identity.expose_secret())
    }

    /// The same under a passphrase.
    pub(crate) fn protected_identity(&self, passphrase: &str) -> Vec<u8> {
        let mut recipient = age::scrypt::Recipient::new(passphrase.to_owned().into());
        recipient.set_work_factor(2);
        age::encrypt(&recipient, self.identity().as_bytes()).unwrap()
    }
}
