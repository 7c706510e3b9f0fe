//! The plaintext of one item, and the only way to read it.

use std::fmt;

use zeroize::Zeroizing;

use crate::primitives::{ProviderError, fill_random};

/// The plaintext of one item. It is wiped when dropped, and cannot be formatted, cloned, compared
/// or serialised. Only [`Plaintext::expose`] reads it.
pub struct Plaintext(Zeroizing<Vec<u8>>);

impl Plaintext {
    /// Takes ownership of `bytes`, which are wiped when this value is dropped.
    pub fn new(bytes: impl Into<Zeroizing<Vec<u8>>>) -> Self {
        Self(bytes.into())
    }

    /// Generates `length` random bytes with the cryptographic provider.
    ///
    /// # Errors
    /// [`ProviderError`] when the provider has no random bytes.
    pub fn random(length: usize) -> Result<Self, ProviderError> {
        let mut bytes = Zeroizing::new(vec![0; length]);
        fill_random(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// The bytes. This is the only exit for plaintext.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The number of bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Plaintext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Plaintext({} bytes)", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_the_length_and_nothing_else() {
        let plaintext = Plaintext::new(b"hunter2".to_vec());
        assert_eq!(format!("{plaintext:?}"), "Plaintext(7 bytes)");
    }
}
